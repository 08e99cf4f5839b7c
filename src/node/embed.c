/*
 * Embeddings: /api/embed, /api/embeddings and /v1/embeddings.
 *
 * A vector is the same 768 sizes for every text, turned round and with signs by
 * the hash: its length is one without computing it, and the sizes are written as
 * text once. Cut to fewer dimensions it is normalised anew, as Ollama does.
 */
#include "embed.h"

#include "base64.h"
#include "reply.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* The sizes and how Go writes them, as float32 and as that float32 widened to float64. */
static struct {
	bool made;
	float size[MODEL_DIMENSIONS];
	char narrow[MODEL_DIMENSIONS][GOJSON_NUMBER_MAX];
	char wide[MODEL_DIMENSIONS][GOJSON_NUMBER_MAX];
} table;

static void
make_table(void)
{
	double raw[MODEL_DIMENSIONS], sum = 0;

	if (table.made)
		return;
	for (int i = 0; i < MODEL_DIMENSIONS; i++) {
		raw[i] = 0.05 + (double)(hash_mix((uint64_t)i) % 10000) / 10000;
		sum += raw[i] * raw[i];
	}
	for (int i = 0; i < MODEL_DIMENSIONS; i++) {
		table.size[i] = (float)(raw[i] / sqrt(sum));
		gojson_format_float32(table.narrow[i], table.size[i]);
		gojson_format_float64(table.wide[i], (double)table.size[i]);
	}
	table.made = true;
}

/* Where component `i` finds its size, and whether it is negative. */
static int
component(uint64_t hash, int i, bool *negative)
{
	*negative = hash_mix(hash + (uint64_t)(i / 64)) >> (i % 64) & 1;
	return (int)((hash + (uint64_t)i) % MODEL_DIMENSIONS);
}

static uint64_t
hash_of(const char *model, struct str text)
{
	return hash_mix(hash_add(hash_add(HASH_START, str_of(model)), text)) & INT64_MAX;
}

void
embed_vector(const char *model, struct str text, float *out, int count)
{
	uint64_t hash = hash_of(model, text);
	float sum = 0;

	make_table();
	for (int i = 0; i < count; i++) {
		bool negative;
		float size = table.size[component(hash, i, &negative)];

		out[i] = negative ? -size : size;
		sum += size * size;
	}
	for (int i = 0; count < MODEL_DIMENSIONS && i < count; i++)
		out[i] *= (float)(1.0 / sqrt((double)sum));
}

static void
add_full_vector(struct buf *out, const char *model, struct str text, bool wide)
{
	uint64_t hash = hash_of(model, text);

	make_table();
	buf_addc(out, '[');
	for (int i = 0; i < MODEL_DIMENSIONS; i++) {
		bool negative;
		int at = component(hash, i, &negative);

		if (i > 0)
			buf_addc(out, ',');
		if (negative)
			buf_addc(out, '-');
		buf_adds(out, wide ? table.wide[at] : table.narrow[at]);
	}
	buf_addc(out, ']');
}

static int
dimensions(const struct ask *a)
{
	return a->dimensions > 0 && a->dimensions < MODEL_DIMENSIONS ? (int)a->dimensions
	                                                             : MODEL_DIMENSIONS;
}

static void
add_vector(struct buf *out, const struct ask *a, struct str text)
{
	float values[MODEL_DIMENSIONS];
	char number[GOJSON_NUMBER_MAX];
	int count = dimensions(a);

	if (count == MODEL_DIMENSIONS && !a->base64) {
		add_full_vector(out, a->model, text, false);
		return;
	}
	embed_vector(a->model, text, values, count);
	if (a->base64) {
		buf_addc(out, '"');
		base64_encode(out, values, (size_t)count * sizeof(float));
		buf_addc(out, '"');
		return;
	}
	buf_addc(out, '[');
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_add(out, number, gojson_format_float32(number, values[i]));
	}
	buf_addc(out, ']');
}

static bool
take_input(struct ask *a, struct refusal_text *no)
{
	const cJSON *it;
	const char *text;

	a->input = gojson_get(a->body, "input");
	a->empty = a->input == NULL || (cJSON_IsString(a->input) && a->input->valuestring[0] == '\0') ||
	           (cJSON_IsArray(a->input) && a->input->child == NULL);
	if (a->input != NULL && !cJSON_IsString(a->input) && !cJSON_IsArray(a->input))
		return refuse(no, 400, "invalid input type");
	text = cJSON_GetStringValue(a->input);
	if (text != NULL)
		ask_add_message(a, "user", str_of(text));
	cJSON_ArrayForEach (it, gojson_list(a->input)) {
		if (!cJSON_IsString(it))
			return refuse(no, 400, "invalid input type");
		ask_add_message(a, "user", str_of(it->valuestring));
	}
	return true;
}

static bool
take_checked(struct ask *a, struct str body, const char *owner, const char *no_body,
             struct refusal_text *no)
{
	static const struct gojson_field fields[] = {
	    {"model", GOJSON_TEXT, "string"},
	    {"prompt", GOJSON_TEXT, "string"},
	    {"dimensions", GOJSON_INT, "int"},
	    {"encoding_format", GOJSON_TEXT, "string"},
	    {"options", GOJSON_OBJECT, "map[string]interface {}"},
	};
	struct buf why = {0};
	bool ok;

	if (!ask_take_body(a, body, no_body, no))
		return false;
	ok = gojson_check(a->body, owner, fields, sizeof(fields) / sizeof(fields[0]), &why) ||
	     refuse(no, 400, "%s", buf_text(&why));
	buf_finish(&why);
	if (!ok)
		return false;
	ask_set_model(a, gojson_text(a->body, "model"));
	a->dimensions = gojson_int(a->body, "dimensions", 0);
	return true;
}

bool
embed_read(struct ask *a, struct str body, struct refusal_text *no)
{
	if (!take_checked(a, body, "api.EmbedRequest", "missing request body", no))
		return false;
	ask_read_options(a, gojson_get(a->body, "options"));
	return ask_read_keep_alive(a, gojson_get(a->body, "keep_alive"), no) && take_input(a, no);
}

bool
embed_read_old(struct ask *a, struct str body, struct refusal_text *no)
{
	if (!take_checked(a, body, "api.EmbeddingRequest", "missing request body", no))
		return false;
	ask_read_options(a, gojson_get(a->body, "options"));
	a->empty = gojson_text(a->body, "prompt")[0] == '\0';
	ask_add_message(a, "user", str_of(gojson_text(a->body, "prompt")));
	return ask_read_keep_alive(a, gojson_get(a->body, "keep_alive"), no);
}

bool
embed_read_openai(struct ask *a, struct str body, struct refusal_text *no)
{
	const char *encoding;

	if (!take_checked(a, body, "openai.EmbedRequest", "EOF", no))
		return false;
	encoding = gojson_text(a->body, "encoding_format");
	a->base64 = strcasecmp(encoding, "base64") == 0;
	if (encoding[0] != '\0' && !a->base64 && strcasecmp(encoding, "float") != 0)
		return refuse(no, 400,
		              "Invalid value for 'encoding_format' = %s. Supported values: ['float', "
		              "'base64'].",
		              encoding);
	if (!take_input(a, no))
		return false;
	/* "" is one empty text here, and not a request to load. */
	if (a->empty && !cJSON_IsString(a->input))
		return refuse(no, 400, "invalid input");
	a->empty = false;
	return true;
}

static const cJSON *
first_input(const struct ask *a)
{
	return cJSON_IsArray(a->input) ? a->input->child : a->input;
}

/* A lone text has neighbours too: the other fields of the body. */
static const cJSON *
next_input(const struct ask *a, const cJSON *it)
{
	return cJSON_IsArray(a->input) ? it->next : NULL;
}

static void
embed_whole(struct buf *out, struct reply *r)
{
	const cJSON *it = first_input(r->ask);

	buf_adds(out, "{\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_adds(out, ",\"embeddings\":[");
	for (; it != NULL && !r->ask->empty; it = next_input(r->ask, it)) {
		buf_adds(out, it != first_input(r->ask) ? "," : "");
		add_vector(out, r->ask, str_of(it->valuestring));
	}
	buf_addc(out, ']');
	if (!r->ask->empty)
		buf_addf(out, ",\"total_duration\":%lld,\"load_duration\":%lld,\"prompt_eval_count\":%d",
		         (long long)r->metrics.total_ns, (long long)r->metrics.load_ns,
		         r->metrics.prompt_tokens);
	buf_addc(out, '}');
}

static void
embeddings_whole(struct buf *out, struct reply *r)
{
	buf_adds(out, "{\"embedding\":");
	if (r->ask->empty)
		buf_adds(out, "[]");
	else
		add_full_vector(out, r->ask->model, str_of(gojson_text(r->ask->body, "prompt")), true);
	buf_addc(out, '}');
}

static void
openai_whole(struct buf *out, struct reply *r)
{
	const cJSON *it = first_input(r->ask);
	int index = 0;

	buf_adds(out, "{\"object\":\"list\",\"data\":[");
	for (; it != NULL; it = next_input(r->ask, it)) {
		buf_adds(out, index > 0 ? "," : "");
		buf_adds(out, "{\"object\":\"embedding\",\"embedding\":");
		add_vector(out, r->ask, str_of(it->valuestring));
		buf_addf(out, ",\"index\":%d}", index++);
	}
	buf_adds(out, "],\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_addf(out, ",\"usage\":{\"prompt_tokens\":%d,\"total_tokens\":%d}}\n",
	         r->metrics.prompt_tokens, r->metrics.prompt_tokens);
}

const struct form form_embed = {
    .whole_type = "application/json; charset=utf-8",
    .add_whole = embed_whole,
};

const struct form form_embeddings = {
    .whole_type = "application/json; charset=utf-8",
    .add_whole = embeddings_whole,
};

const struct form form_openai_embeddings = {
    .whole_type = "application/json",
    .add_whole = openai_whole,
};
