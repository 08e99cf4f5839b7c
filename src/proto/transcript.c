/* Transcripts of all families: whether they are complete, and which way to the wanted form. */
#include "proto/transcript.h"

#include "transcript_impl.h"

#include <string.h>

/* Of a text that is sent as a stream. */
enum { PIECES_MAX = 256 };

/* --- pieces --- */

void
pieces_finish(struct pieces *p)
{
	buf_finish(&p->content);
	buf_finish(&p->thinking);
	buf_finish(&p->tool_calls);
	buf_finish(&p->logprobs);
}

bool
pieces_add_text(struct buf *out, struct str value)
{
	struct str text;

	if (json_is_null(value))
		return true;
	if (!json_is_string(value))
		return false;
	text = json_inside(value);
	buf_add(out, text.ptr, text.len);
	return true;
}

bool
pieces_add_list(struct buf *out, struct str value)
{
	struct str items;

	if (json_is_null(value))
		return true;
	if (*value.ptr != '[')
		return false;
	items = json_inside(value);
	if (items.len > 0 && out->len > 0)
		buf_addc(out, ',');
	buf_add(out, items.ptr, items.len);
	return true;
}

size_t
pieces_least(const struct buf *text)
{
	return 1 + text->len / PIECES_MAX;
}

/* No escape has a blank in it. */
bool
pieces_cut(struct buf *rest, size_t least, struct buf *piece)
{
	const char *blank;

	if (rest->len == 0)
		return false;
	blank = rest->len > least ? memchr(rest->data + least, ' ', rest->len - least) : NULL;
	*piece = (struct buf){.data = rest->data, .len = rest->len};
	if (blank != NULL)
		piece->len = (size_t)(blank - rest->data);
	*rest = (struct buf){.data = rest->data + piece->len, .len = rest->len - piece->len};
	return true;
}

/* --- lines --- */

static bool
is_native(enum answer_family family)
{
	return family == ANSWER_GENERATE || family == ANSWER_CHAT;
}

static bool
is_openai(enum answer_family family)
{
	return family == ANSWER_OPENAI_CHAT || family == ANSWER_OPENAI_COMPLETION;
}

/* The JSON of a line; ptr NULL where it has none. */
static struct str
json_of_line(enum answer_family family, struct str line)
{
	static const char data[] = "data:";
	size_t skip = is_native(family) ? 0 : strlen(data);

	line = str_trim(line);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (line.len <= skip || (skip > 0 && memcmp(line.ptr, data, skip) != 0))
		return (struct str){NULL, 0};
	return str_trim((struct str){line.ptr + skip, line.len - skip});
}

bool
transcript_next(enum answer_family family, struct str *rest, struct str *json)
{
	struct str one;

	while (rest->ptr != NULL && str_split(rest, '\n', &one)) {
		*json = json_of_line(family, one);
		if (json->ptr != NULL && json->len > 0)
			return true;
	}
	return false;
}

bool
transcript_is_openai_done(struct str json)
{
	return str_eq(json, "[DONE]");
}

/* --- names of models --- */

static void add_renamed(struct buf *out, const struct json_children *c, struct str model,
                        bool deeper);

/* The name is at the top, or in the object that an event is about. */
static void
add_value(struct buf *out, const struct json_child *m, struct str model, bool deeper)
{
	struct json_children inner;
	bool about = str_eq(m->key, "response") || str_eq(m->key, "message");

	if (str_eq(m->key, "model") && json_is_string(m->value)) {
		json_add_member(out, m->key, (struct str){"", 0});
		buf_add_json(out, model.ptr, model.len);
	} else if (deeper && about && *m->value.ptr == '{' && json_children_read(&inner, m->value)) {
		json_add_member(out, m->key, (struct str){"", 0});
		add_renamed(out, &inner, model, false);
	} else {
		json_add_member(out, m->key, m->value);
	}
}

static void
add_renamed(struct buf *out, const struct json_children *c, struct str model, bool deeper)
{
	buf_addc(out, '{');
	for (int i = 0; i < c->count; i++)
		add_value(out, &c->items[i], model, deeper);
	buf_addc(out, '}');
}

void
transcript_add_text(struct buf *out, const char *key, const struct buf *text)
{
	json_add_member(out, str_of(key), str_of("\""));
	buf_add(out, text->data, text->len);
	buf_addc(out, '"');
}

bool
transcript_add_named(struct buf *out, struct str json, struct str model)
{
	struct json_children c;

	if (!json_children_read(&c, json) || !c.object)
		return false;
	add_renamed(out, &c, model, true);
	return true;
}

/* Whatever a stream has beside JSON stays as it is. */
static bool
rename_stream(enum answer_family family, struct str body, struct str model, struct buf *out)
{
	struct str line;

	if (body.len > 0 && body.ptr[body.len - 1] == '\n')
		body.len--;
	while (body.ptr != NULL && str_split(&body, '\n', &line)) {
		struct str json = json_of_line(family, line);

		if (json.ptr == NULL || json.len == 0 || transcript_is_openai_done(json)) {
			buf_add(out, line.ptr, line.len);
		} else {
			buf_adds(out, is_native(family) ? "" : "data: ");
			if (!transcript_add_named(out, json, model))
				return false;
		}
		buf_addc(out, '\n');
	}
	return true;
}

static bool
rename_whole(struct str body, struct str model, struct buf *out)
{
	bool newline = body.len > 0 && body.ptr[body.len - 1] == '\n';

	if (!transcript_add_named(out, body, model))
		return false;
	buf_adds(out, newline ? "\n" : "");
	return true;
}

/* --- the end --- */

static bool
is_text(struct str value, const char *text)
{
	return json_is_string(value) && str_eq(json_inside(value), text);
}

static bool
native_is_complete(struct str json)
{
	struct json_children c;
	struct str reason;

	if (!json_children_read(&c, json) || !c.object)
		return false;
	reason = json_children_find(&c, "done_reason");
	return str_eq(json_children_find(&c, "done"), "true") &&
	       json_is_null(json_children_find(&c, "error")) && !is_text(reason, "load") &&
	       !is_text(reason, "unload");
}

static bool
last_line(const struct transcript *t, struct str *json)
{
	struct str rest = t->body, one;
	bool any = false;

	while (transcript_next(t->family, &rest, &one)) {
		*json = one;
		any = true;
	}
	return any;
}

/* Ollama ends a stream that broke off without a reason, but with [DONE]. */
static bool
openai_stream_is_complete(const struct transcript *t)
{
	struct str rest = t->body, json = {NULL, 0};
	bool finished = false;

	while (transcript_next(t->family, &rest, &json)) {
		struct json_children c, list, choice;

		if (transcript_is_openai_done(json))
			return finished;
		if (!json_children_read(&c, json) || !json_is_null(json_children_find(&c, "error")))
			return false;
		if (json_children_read(&list, json_children_find(&c, "choices")) && list.count > 0 &&
		    json_children_read(&choice, list.items[0].value))
			finished = finished || json_is_string(json_children_find(&choice, "finish_reason"));
	}
	return false;
}

static bool
openai_whole_is_complete(const struct json_children *c)
{
	struct json_children list, choice;

	return json_children_read(&list, json_children_find(c, "choices")) && !list.object &&
	       list.count > 0 && json_children_read(&choice, list.items[0].value) &&
	       json_is_string(json_children_find(&choice, "finish_reason"));
}

static bool
is_list(struct str value)
{
	return value.ptr != NULL && *value.ptr == '[';
}

static bool
whole_is_complete(const struct transcript *t)
{
	struct json_children c;

	if (!json_children_read(&c, t->body) || !c.object ||
	    !json_is_null(json_children_find(&c, "error")))
		return false;
	switch (t->family) {
	case ANSWER_GENERATE:
	case ANSWER_CHAT: return native_is_complete(t->body);
	case ANSWER_EMBED: return is_list(json_children_find(&c, "embeddings"));
	case ANSWER_EMBEDDINGS: return is_list(json_children_find(&c, "embedding"));
	case ANSWER_OPENAI_EMBEDDINGS: return is_list(json_children_find(&c, "data"));
	case ANSWER_OPENAI_CHAT:
	case ANSWER_OPENAI_COMPLETION: return openai_whole_is_complete(&c);
	case ANSWER_RESPONSES: return is_text(json_children_find(&c, "status"), "completed");
	case ANSWER_MESSAGES: return json_is_string(json_children_find(&c, "stop_reason"));
	}
	return false;
}

static bool
last_event_is(const struct transcript *t, const char *type)
{
	struct json_children c;
	struct str json;

	return last_line(t, &json) && json_children_read(&c, json) &&
	       is_text(json_children_find(&c, "type"), type);
}

bool
transcript_is_complete(const struct transcript *t)
{
	struct str json;

	if (t->form == TRANSCRIPT_WHOLE)
		return whole_is_complete(t);
	switch (t->family) {
	case ANSWER_GENERATE:
	case ANSWER_CHAT: return last_line(t, &json) && native_is_complete(json);
	case ANSWER_OPENAI_CHAT:
	case ANSWER_OPENAI_COMPLETION: return openai_stream_is_complete(t);
	case ANSWER_RESPONSES: return last_event_is(t, "response.completed");
	case ANSWER_MESSAGES: return last_event_is(t, "message_stop");
	case ANSWER_EMBED:
	case ANSWER_EMBEDDINGS:
	case ANSWER_OPENAI_EMBEDDINGS: return false;
	}
	return false;
}

/* --- the forms --- */

/* As it is wanted, but for the model's name. `*same`: it is so already, and nothing was written. */
static bool
convert(const struct transcript *t, const struct transcript_want *want, struct buf *out, bool *same)
{
	bool native = is_native(t->family), openai = is_openai(t->family);

	*same = t->form == want->form && !(openai && t->form == TRANSCRIPT_STREAM);
	if (*same)
		return true;
	if (!native && !openai)
		return false;
	if (t->form == want->form)
		return openai_restream(t, want->include_usage, out);
	if (want->form == TRANSCRIPT_WHOLE)
		return native ? native_join(t, out) : openai_join(t, out);
	return native ? native_split(t, out) : openai_split(t, want->include_usage, out);
}

bool
transcript_write(const struct transcript *t, const struct transcript_want *want, struct buf *out)
{
	struct buf converted = {0};
	struct str body = t->body;
	bool same, ok = convert(t, want, &converted, &same);

	if (ok && !same)
		body = (struct str){buf_text(&converted), converted.len};
	if (ok && want->form == TRANSCRIPT_STREAM)
		ok = rename_stream(t->family, body, want->model, out);
	else if (ok)
		ok = rename_whole(body, want->model, out);
	buf_finish(&converted);
	return ok;
}

const char *
transcript_content_type(enum answer_family family, enum transcript_form form)
{
	bool native = is_native(family) || family == ANSWER_EMBED || family == ANSWER_EMBEDDINGS;

	if (form == TRANSCRIPT_WHOLE)
		return native ? "application/json; charset=utf-8" : "application/json";
	return native ? "application/x-ndjson" : "text/event-stream";
}
