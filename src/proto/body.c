/*
 * The reader of bodies: watches the scanner for the top-level keys that the
 * gateway routes by, and refuses a body in which a node could read them
 * otherwise. One routing key at a time is `key`; while another key's value is
 * scanned it is KEY_OTHER, and nothing is kept.
 */
#include "body_impl.h"

#include "base/pool.h"
#include "base/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer than any routing key, though all its letters were three bytes long. */
enum { KEY_BYTES_MAX = 72, KEEP_ALIVE_BYTES_MAX = 64 };

static struct pool readers = POOL_OF(struct body_reader, 64);

bool
body_refuse(struct body_reader *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	return false;
}

/* Keys */

static bool
end_key(struct body_reader *r)
{
	struct str written = {r->text.bytes, r->text.len};
	const char *name;

	r->key = r->text.overflow ? KEY_OTHER : body_keys_find(r->keys, written);
	if (r->key == KEY_OTHER)
		return true;
	name = r->keys->names[r->key];
	if (!str_eq(written, name))
		return body_refuse(r, "the key \"%.*s\" must be written \"%s\"", STR_ARG(written), name);
	if (r->seen[r->key])
		return body_refuse(r, "the key \"%s\" occurs twice", name);
	r->seen[r->key] = true;
	body_text_clear(&r->text);
	return true;
}

/* A key under "options". */
static bool
end_option_key(struct body_reader *r)
{
	enum body_member m = BODY_MEMBERS;

	if (!r->text.overflow)
		m = body_option_find((struct str){r->text.bytes, r->text.len});
	r->option = m;
	if (m == BODY_MEMBERS)
		return true;
	if ((r->options_seen >> m & 1) != 0)
		return body_refuse(r, "the option \"%s\" occurs twice", body_member_name(m));
	r->options_seen |= 1u << m;
	return true;
}

/* Values */

bool
body_end_model(struct body_reader *r, const char *key, char out[BODY_MODEL_MAX])
{
	if (r->text.overflow)
		return body_refuse(r, "\"%s\" is too long", key);
	if (memchr(r->text.bytes, '\0', r->text.len) != NULL)
		return body_refuse(r, "\"%s\" has a NUL in it", key);
	memcpy(out, r->text.bytes, r->text.len);
	out[r->text.len] = '\0';
	return true;
}

static bool
on_model(struct body_reader *r, enum json_event event, struct str text, char out[BODY_MODEL_MAX])
{
	const char *key = r->keys->names[r->key];

	switch (event) {
	case JSON_STRING_BEGIN:
	case JSON_NULL: return true;
	case JSON_STRING_PIECE: body_text_add(&r->text, text, BODY_MODEL_MAX - 1); return true;
	case JSON_STRING_END: return body_end_model(r, key, out);
	case JSON_OBJECT_BEGIN:
	case JSON_OBJECT_END:
	case JSON_ARRAY_BEGIN:
	case JSON_ARRAY_END:
	case JSON_KEY_BEGIN:
	case JSON_KEY_PIECE:
	case JSON_KEY_END:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE: break;
	}
	return body_refuse(r, "\"%s\" must be a string", key);
}

static bool
on_stream(struct body_reader *r, enum json_event event)
{
	if (event == JSON_NULL)
		return true;
	if (event != JSON_TRUE && event != JSON_FALSE)
		return body_refuse(r, "\"stream\" must be true or false");
	r->facts.stream = event == JSON_TRUE;
	r->facts.stream_given = true;
	return true;
}

/* Ollama cuts the seconds to a whole number, and takes what is below 0 for "for ever". */
static bool
is_zero_number(struct str text)
{
	char number[JSON_NUMBER_MAX + 1];
	double seconds;

	memcpy(number, text.ptr, text.len);
	number[text.len] = '\0';
	seconds = strtod(number, NULL);
	return seconds >= 0 && seconds < 1;
}

static bool
end_keep_alive_text(struct body_reader *r)
{
	int64_t ns;

	if (r->text.overflow)
		return body_refuse(r, "\"keep_alive\" is too long");
	r->facts.keep_alive_zero =
	    unit_parse_go_duration_ns((struct str){r->text.bytes, r->text.len}, &ns) && ns >= 0 &&
	    ns < 1000000000;
	return true;
}

/* What is neither a number nor a duration is an error that the node answers with. */
static bool
on_keep_alive(struct body_reader *r, enum json_event event, struct str text)
{
	r->facts.keep_alive_given = event != JSON_NULL;
	if (event == JSON_NUMBER)
		r->facts.keep_alive_zero = is_zero_number(text);
	else if (event == JSON_STRING_PIECE)
		body_text_add(&r->text, text, KEEP_ALIVE_BYTES_MAX);
	else if (event == JSON_STRING_END)
		return end_keep_alive_text(r);
	return true;
}

/* Null, "" and [] are no content. What is of a wrong type counts as content: the node is to
 * answer it. */
static void
on_content(struct body_reader *r, enum json_event event)
{
	bool may_be_empty = event == JSON_NULL || event == JSON_STRING_BEGIN ||
	                    event == JSON_STRING_END || event == JSON_ARRAY_BEGIN ||
	                    event == JSON_ARRAY_END;

	if (!may_be_empty)
		r->has_content = true;
}

static void
on_number(struct body_reader *r, enum body_member m, enum json_event event, struct str text,
          uint64_t offset)
{
	body_number_note(&r->facts.numbers[m], m, event, text, offset);
}

static void
on_options(struct body_reader *r, enum json_event event, struct str text, uint64_t offset)
{
	struct body_facts *f = &r->facts;

	body_span_note(&f->options_at, event, text, offset);
	if (event == JSON_OBJECT_BEGIN || event == JSON_OBJECT_END)
		f->options = BODY_GIVEN;
	else
		f->options = event == JSON_NULL ? BODY_NULL : BODY_ODD;
	r->option = BODY_MEMBERS;
}

static void
note_turns(struct body_reader *r, enum json_event event, struct str text, uint64_t offset,
           int depth)
{
	r->keeps_turns = body_turns_note(&r->turns, event, text, offset, depth, &r->facts.first_turn);
}

/* An event of the value of `r->key`, at depth 1. */
static bool
on_value(struct body_reader *r, enum json_event event, struct str text, uint64_t offset)
{
	struct body_facts *f = &r->facts;

	switch (r->key) {
	case KEY_OTHER: return true;
	case KEY_CONTENT:
		on_content(r, event);
		if (r->keeps_turns)
			note_turns(r, event, text, offset, 0);
		return true;
	case KEY_MODEL:
		body_span_note(&f->model_at, event, text, offset);
		return on_model(r, event, text, f->model);
	case KEY_NAME:
		body_span_note(&r->name_at, event, text, offset);
		return on_model(r, event, text, r->name);
	case KEY_STREAM: return on_stream(r, event);
	case KEY_KEEP_ALIVE:
		body_span_note(&f->keep_alive_at, event, text, offset);
		return on_keep_alive(r, event, text);
	case KEY_OPTIONS: on_options(r, event, text, offset); return true;
	case KEY_MAX_TOKENS: on_number(r, BODY_MAX_TOKENS, event, text, offset); return true;
	case KEY_MAX_COMPLETION_TOKENS:
		on_number(r, BODY_MAX_COMPLETION_TOKENS, event, text, offset);
		return true;
	case KEY_MAX_OUTPUT_TOKENS:
		on_number(r, BODY_MAX_OUTPUT_TOKENS, event, text, offset);
		return true;
	case KEYS: break;
	}
	abort();
}

/* An event within "options"; most of them are skipped. */
static bool
on_option(struct body_reader *r, enum json_event event, struct str text, uint64_t offset)
{
	switch (event) {
	case JSON_KEY_BEGIN: body_text_clear(&r->text); return true;
	case JSON_KEY_PIECE: body_text_add(&r->text, text, KEY_BYTES_MAX); return true;
	case JSON_KEY_END: return end_option_key(r);
	case JSON_OBJECT_BEGIN:
	case JSON_OBJECT_END:
	case JSON_ARRAY_BEGIN:
	case JSON_ARRAY_END:
	case JSON_STRING_BEGIN:
	case JSON_STRING_PIECE:
	case JSON_STRING_END:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		if (r->option != BODY_MEMBERS)
			on_number(r, r->option, event, text, offset);
		return true;
	}
	abort();
}

/* Below the members of the body. */
static bool
on_nested(struct body_reader *r, enum json_event event, struct str text, uint64_t offset, int depth)
{
	if (r->key == KEY_OPTIONS)
		return depth > 2 || on_option(r, event, text, offset);
	if (r->key != KEY_CONTENT)
		return true;
	r->has_content = true;
	if (r->keeps_turns)
		note_turns(r, event, text, offset, depth - 1);
	return true;
}

static bool
on_body(struct body_reader *r, enum json_event event, uint64_t offset)
{
	if (event == JSON_OBJECT_BEGIN)
		r->facts.object_at = offset;
	else if (event == JSON_OBJECT_END)
		r->facts.text_bytes = offset - r->facts.object_at - r->strings.encoded_bytes;
	else
		return body_refuse(r, "the body must be a JSON object");
	return true;
}

static bool
on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct body_reader *r = arg;
	int depth = r->json->depth;

	if (event == JSON_STRING_BEGIN || event == JSON_STRING_PIECE || event == JSON_STRING_END)
		body_strings_note(&r->strings, event, text, offset);
	if (depth > 1)
		return r->key == KEY_OTHER || on_nested(r, event, text, offset, depth);
	if (depth == 0)
		return on_body(r, event, offset);
	if (event == JSON_KEY_BEGIN) {
		body_text_clear(&r->text);
		return true;
	}
	if (event == JSON_KEY_PIECE) {
		body_text_add(&r->text, text, KEY_BYTES_MAX);
		return true;
	}
	if (event == JSON_KEY_END)
		return end_key(r);
	return r->key == KEY_OTHER || on_value(r, event, text, offset);
}

/* Two names for one thing: Ollama takes "model" unless it is empty. That they differ has no
 * honest reason. */
static bool
settle_name(struct body_reader *r)
{
	struct body_facts *f = &r->facts;

	if (r->name[0] == '\0')
		return true;
	if (f->model[0] != '\0' && strcmp(f->model, r->name) != 0)
		return body_refuse(r, "\"model\" and \"name\" differ");
	if (f->model[0] == '\0') {
		memcpy(f->model, r->name, strlen(r->name) + 1);
		f->model_at = r->name_at;
	}
	return true;
}

static bool
end_json(struct body_reader *r)
{
	struct body_facts *f = &r->facts;

	if (!json_scanner_end(r->json))
		return r->begun ? false : body_refuse(r, "missing request body");
	f->load_only = r->route->content_key != NULL && !r->has_content;
	f->unload = f->load_only && f->keep_alive_zero;
	return settle_name(r);
}

struct body_reader *
body_reader_create(const struct route *route, struct str content_type)
{
	struct body_reader *r = pool_take(&readers);

	memset(r, 0, offsetof(struct body_reader, text));
	body_text_clear(&r->text);
	r->name[0] = '\0';
	r->why[0] = '\0';
	r->route = route;
	r->facts.stream = route->streams;
	r->keeps_turns = route->turns_key != NULL;
	r->keys = body_keys_of(route);
	if (route->multipart)
		r->form = form_reader_create(content_type, body_on_form, r);
	else
		r->json = json_scanner_create(on_json, r, BODY_NODES_MAX);
	return r;
}

void
body_reader_destroy(struct body_reader **rp)
{
	struct body_reader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	if (r->json != NULL)
		json_scanner_destroy(&r->json);
	if (r->form != NULL)
		form_reader_destroy(&r->form);
	pool_give(&readers, r);
}

bool
body_reader_feed(struct body_reader *r, struct str bytes)
{
	if (r->why[0] != '\0')
		return false;
	r->begun = r->begun || bytes.len > 0;
	if (r->form != NULL)
		return form_reader_feed(r->form, bytes);
	return json_scanner_feed(r->json, bytes);
}

bool
body_reader_end(struct body_reader *r, struct body_facts *out)
{
	if (r->why[0] != '\0')
		return false;
	if (!(r->form != NULL ? form_reader_end(r->form) : end_json(r)))
		return false;
	*out = r->facts;
	return true;
}

const char *
body_reader_why(const struct body_reader *r)
{
	if (r->why[0] != '\0')
		return r->why;
	return r->form != NULL ? form_reader_why(r->form) : json_scanner_why(r->json);
}
