/*
 * The members of a body that rules are about.
 *
 * Options go through a float in Ollama, which cuts the fraction off: 8192.5 and 8.192e3 are
 * numbers there. What /v1 has goes into an integer at once, which takes digits alone.
 */
#include "body_member.h"

#include <stdlib.h>

static const char *const names[BODY_MEMBERS] = {
    [BODY_NUM_CTX] = "num_ctx",
    [BODY_NUM_BATCH] = "num_batch",
    [BODY_NUM_GPU] = "num_gpu",
    [BODY_MAIN_GPU] = "main_gpu",
    [BODY_USE_MMAP] = "use_mmap",
    [BODY_NUM_THREAD] = "num_thread",
    [BODY_NUM_PREDICT] = "num_predict",
    [BODY_MAX_TOKENS] = "max_tokens",
    [BODY_MAX_COMPLETION_TOKENS] = "max_completion_tokens",
    [BODY_MAX_OUTPUT_TOKENS] = "max_output_tokens",
    [BODY_KEEP_ALIVE] = "keep_alive",
    [BODY_MODEL] = "model",
};

const char *
body_member_name(enum body_member m)
{
	return names[m];
}

bool
body_member_fits(const struct route *route, enum body_member m)
{
	bool native = route->kind == ROUTE_RUN && route->dialect == DIALECT_OLLAMA;

	if (m == BODY_MODEL)
		return route->model_key != NULL && strcmp(route->model_key, names[m]) == 0;
	if (m == BODY_KEEP_ALIVE || m <= BODY_LAST_OPTION)
		return native;
	if (route->most_key == NULL)
		return false;
	/* The newer name of max_tokens, of chats alone. */
	if (m == BODY_MAX_COMPLETION_TOKENS)
		return route->dialect == DIALECT_OPENAI && route->turns_key != NULL &&
		       strcmp(route->turns_key, "messages") == 0;
	return strcmp(route->most_key, names[m]) == 0;
}

enum body_member
body_option_find(struct str name)
{
	/* Of most options, as of temperature and seed, this is all that is looked at. */
	if (name.len == 0 || (*name.ptr != 'n' && *name.ptr != 'm' && *name.ptr != 'u'))
		return BODY_MEMBERS;
	for (int m = 0; m <= BODY_LAST_OPTION; m++)
		if (str_eq(name, names[m]))
			return (enum body_member)m;
	return BODY_MEMBERS;
}

void
body_span_note(struct body_span *at, enum json_event event, struct str text, uint64_t offset)
{
	switch (event) {
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN:
	case JSON_STRING_BEGIN: at->begin = offset; break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
	case JSON_STRING_END: at->end = offset; break;
	case JSON_NUMBER: *at = (struct body_span){offset, offset + text.len}; break;
	case JSON_TRUE:
	case JSON_NULL: *at = (struct body_span){offset, offset + 4}; break;
	case JSON_FALSE: *at = (struct body_span){offset, offset + 5}; break;
	case JSON_KEY_BEGIN:
	case JSON_KEY_PIECE:
	case JSON_KEY_END:
	case JSON_STRING_PIECE: break;
	}
}

static bool
take_integer(struct str text, int64_t *out)
{
	bool negative = text.ptr[0] == '-';
	uint64_t value;

	if (!str_to_u64((struct str){text.ptr + negative, text.len - negative}, &value))
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static int64_t
cut(struct str text)
{
	static const double most = 9007199254740992.0;
	char number[JSON_NUMBER_MAX + 1];
	double value;

	memcpy(number, text.ptr, text.len);
	number[text.len] = '\0';
	value = strtod(number, NULL);
	return (int64_t)(value > most ? most : value < -most ? -most : value);
}

void
body_number_note(struct body_number *n, enum body_member m, enum json_event event, struct str text,
                 uint64_t offset)
{
	body_span_note(&n->at, event, text, offset);
	if (event == JSON_NULL) {
		n->is = BODY_NULL;
		return;
	}
	n->is = BODY_ODD;
	if (m == BODY_USE_MMAP && (event == JSON_TRUE || event == JSON_FALSE)) {
		n->value = event == JSON_TRUE;
		n->is = BODY_GIVEN;
	}
	if (event != JSON_NUMBER || m == BODY_USE_MMAP)
		return;
	if (take_integer(text, &n->value)) {
		n->is = BODY_GIVEN;
	} else if (m <= BODY_LAST_OPTION) {
		n->value = cut(text);
		n->is = BODY_GIVEN;
	}
}
