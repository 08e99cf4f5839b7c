/*
 * OpenAI's chats and completions. A stream is chunks with one choice or none; the
 * one without is the usage, the last event is [DONE]. Ollama sends each call of a
 * tool in one piece; calls that come in fragments are not put together here.
 */
#include "transcript_impl.h"

struct choice {
	struct pieces pieces;
	struct str finish_reason; /* as written; ptr NULL: not yet */
};

static bool
is_chat(const struct transcript *t)
{
	return t->family == ANSWER_OPENAI_CHAT;
}

/* Every call has what a client puts the pieces of a stream together by. */
static bool
calls_are_whole(struct str calls)
{
	struct json_children list, call;

	if (json_is_null(calls))
		return true;
	if (!json_children_read(&list, calls) || list.object)
		return false;
	for (int i = 0; i < list.count; i++)
		if (!json_children_read(&call, list.items[i].value) ||
		    json_is_null(json_children_find(&call, "id")) ||
		    json_is_null(json_children_find(&call, "index")))
			return false;
	return true;
}

/* A message or a delta. */
static bool
take_message(struct pieces *p, struct str message)
{
	struct json_children c;

	if (!json_children_read(&c, message) || !c.object)
		return false;
	for (int i = 0; i < c.count; i++) {
		struct str key = c.items[i].key, value = c.items[i].value;
		bool ok = true;

		if (str_eq(key, "role"))
			p->role = p->role.ptr == NULL && json_is_string(value) ? value : p->role;
		else if (str_eq(key, "content"))
			ok = pieces_add_text(&p->content, value);
		else if (str_eq(key, "reasoning"))
			ok = pieces_add_text(&p->thinking, value);
		else if (str_eq(key, "tool_calls"))
			ok = calls_are_whole(value) && pieces_add_list(&p->tool_calls, value);
		else
			ok = json_is_null(value);
		if (!ok)
			return false;
	}
	return true;
}

/* {"content": [...]}, in chats only. */
static bool
take_logprobs(struct pieces *p, struct str logprobs)
{
	struct json_children c;

	if (json_is_null(logprobs))
		return true;
	if (!json_children_read(&c, logprobs) || !c.object)
		return false;
	for (int i = 0; i < c.count; i++)
		if (str_eq(c.items[i].key, "content") ? !pieces_add_list(&p->logprobs, c.items[i].value)
		                                      : !json_is_null(c.items[i].value))
			return false;
	return true;
}

static bool
take_member(struct choice *c, const struct transcript *t, const struct json_child *m)
{
	const char *message = t->form == TRANSCRIPT_WHOLE ? "message" : "delta";

	if (str_eq(m->key, "index"))
		return str_eq(m->value, "0");
	if (str_eq(m->key, "finish_reason")) {
		if (!json_is_null(m->value))
			c->finish_reason = m->value;
		return true;
	}
	if (is_chat(t) && str_eq(m->key, message))
		return take_message(&c->pieces, m->value);
	if (is_chat(t) && str_eq(m->key, "logprobs"))
		return take_logprobs(&c->pieces, m->value);
	if (!is_chat(t) && str_eq(m->key, "text"))
		return pieces_add_text(&c->pieces.content, m->value);
	return json_is_null(m->value);
}

/* The only choice of `choices`. `*empty`: there is none. */
static bool
take_choice(struct choice *c, const struct transcript *t, struct str choices, bool *empty)
{
	struct json_children list, choice;

	if (choices.ptr == NULL || !json_children_read(&list, choices) || list.object || list.count > 1)
		return false;
	*empty = list.count == 0;
	if (*empty)
		return true;
	if (!json_children_read(&choice, list.items[0].value) || !choice.object)
		return false;
	for (int i = 0; i < choice.count; i++)
		if (!take_member(c, t, &choice.items[i]))
			return false;
	return true;
}

/* --- writing --- */

static void
add_calls(struct buf *out, const struct pieces *p)
{
	if (p->tool_calls.len == 0)
		return;
	json_add_member(out, str_of("tool_calls"), str_of("["));
	buf_add(out, p->tool_calls.data, p->tool_calls.len);
	buf_addc(out, ']');
}

/* The members of a message or a delta. */
static void
add_message(struct buf *out, const struct pieces *p)
{
	if (p->role.ptr != NULL)
		json_add_member(out, str_of("role"), p->role);
	transcript_add_text(out, "content", &p->content);
	if (p->thinking.len > 0)
		transcript_add_text(out, "reasoning", &p->thinking);
	add_calls(out, p);
}

static void
add_logprobs(struct buf *out, const struct pieces *p)
{
	if (p->logprobs.len == 0)
		return;
	json_add_member(out, str_of("logprobs"), str_of("{\"content\":["));
	buf_add(out, p->logprobs.data, p->logprobs.len);
	buf_adds(out, "]}");
}

/* `message`: NULL: an empty delta. */
static void
add_choice(struct buf *out, const struct transcript *t, const char *name,
           const struct pieces *message, struct str finish_reason)
{
	json_add_member(out, str_of("choices"), str_of("[{"));
	if (is_chat(t)) {
		json_add_member(out, str_of("index"), str_of("0"));
		json_add_member(out, str_of(name), str_of("{"));
		if (message != NULL)
			add_message(out, message);
		buf_addc(out, '}');
		if (message != NULL)
			add_logprobs(out, message);
	} else {
		static const struct buf nothing;

		transcript_add_text(out, "text", message != NULL ? &message->content : &nothing);
		json_add_member(out, str_of("index"), str_of("0"));
	}
	json_add_member(out, str_of("finish_reason"),
	                finish_reason.ptr == NULL ? str_of("null") : finish_reason);
	buf_adds(out, "}]");
}

/* The members of a chunk or an answer that all of them share. */
static void
add_shared(struct buf *out, const struct transcript *t, const struct json_children *from,
           const char *chat_object)
{
	buf_addc(out, '{');
	for (int i = 0; i < from->count; i++) {
		struct str key = from->items[i].key;

		if (str_eq(key, "object") && is_chat(t))
			json_add_member(out, key, str_of(chat_object));
		else if (!str_eq(key, "choices") && !str_eq(key, "usage"))
			json_add_member(out, key, from->items[i].value);
	}
}

bool
openai_join(const struct transcript *t, struct buf *out)
{
	struct choice c = {0};
	struct json_children first, chunk;
	struct str rest = t->body, json, usage = {NULL, 0};
	bool ok = true, done = false, empty, has_first = false;

	while (ok && !done && transcript_next(t->family, &rest, &json)) {
		done = transcript_is_openai_done(json);
		if (done)
			break;
		ok = json_children_read(&chunk, json) && chunk.object &&
		     json_is_null(json_children_find(&chunk, "error")) &&
		     take_choice(&c, t, json_children_find(&chunk, "choices"), &empty);
		if (ok && empty)
			usage = json_children_find(&chunk, "usage");
		if (ok && !has_first)
			first = chunk;
		has_first = true;
	}
	ok = ok && done && c.finish_reason.ptr != NULL && !json_is_null(usage);
	if (ok) {
		add_shared(out, t, &first, "\"chat.completion\"");
		add_choice(out, t, "message", &c.pieces, c.finish_reason);
		json_add_member(out, str_of("usage"), usage);
		buf_adds(out, "}\n");
	}
	pieces_finish(&c.pieces);
	return ok;
}

static void
add_chunk(struct buf *out, const struct transcript *t, const struct json_children *whole,
          const struct pieces *delta, struct str finish_reason, bool include_usage)
{
	static const char no_usage[] =
	    "{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}";
	struct buf chunk = {0};

	add_shared(&chunk, t, whole, "\"chat.completion.chunk\"");
	add_choice(&chunk, t, "delta", delta, finish_reason);
	if (include_usage && !is_chat(t)) /* as Ollama does it */
		json_add_member(&chunk, str_of("usage"), str_of(no_usage));
	buf_addf(out, "data: %s}\n\n", buf_text(&chunk));
	buf_finish(&chunk);
}

static void
add_usage_chunk(struct buf *out, const struct transcript *t, const struct json_children *whole,
                struct str usage)
{
	struct buf chunk = {0};

	add_shared(&chunk, t, whole, "\"chat.completion.chunk\"");
	json_add_member(&chunk, str_of("choices"), str_of("[]"));
	json_add_member(&chunk, str_of("usage"), usage);
	buf_addf(out, "data: %s}\n\n", buf_text(&chunk));
	buf_finish(&chunk);
}

/* The role is in the first one alone. */
static void
add_delta(struct buf *out, const struct transcript *t, const struct json_children *whole,
          struct pieces *delta, struct str *role, bool include_usage)
{
	static const struct str none = {NULL, 0};

	delta->role = *role;
	*role = none;
	add_chunk(out, t, whole, delta, none, include_usage);
}

/* Thoughts, words and calls in chunks of their own, as they would have come. Which word has which
 * probability is not known, so those that have any stay together. */
static void
add_deltas(struct buf *out, const struct transcript *t, const struct json_children *whole,
           const struct choice *c, bool include_usage)
{
	const struct pieces *p = &c->pieces;
	struct str role = p->role.ptr == NULL ? str_of("\"assistant\"") : p->role;
	struct pieces thought = {0}, words = {.logprobs = p->logprobs};
	struct pieces calls = {.tool_calls = p->tool_calls};
	struct buf thoughts = p->thinking, rest = p->content;
	size_t least = p->logprobs.len > 0 ? p->content.len : pieces_least(&p->content);

	while (pieces_cut(&thoughts, pieces_least(&p->thinking), &thought.thinking))
		add_delta(out, t, whole, &thought, &role, include_usage);
	while (pieces_cut(&rest, least, &words.content))
		add_delta(out, t, whole, &words, &role, include_usage);
	if (p->tool_calls.len > 0)
		add_delta(out, t, whole, &calls, &role, include_usage);
	if (role.ptr != NULL) { /* nothing was said */
		words.content = p->content;
		add_delta(out, t, whole, &words, &role, include_usage);
	}
	add_chunk(out, t, whole, NULL, c->finish_reason, include_usage);
}

bool
openai_split(const struct transcript *t, bool include_usage, struct buf *out)
{
	struct choice c = {0};
	struct json_children whole;
	struct str usage;
	bool empty = true;
	bool ok = json_children_read(&whole, t->body) && whole.object &&
	          json_is_null(json_children_find(&whole, "error")) &&
	          take_choice(&c, t, json_children_find(&whole, "choices"), &empty) && !empty;

	usage = json_children_find(&whole, "usage");
	ok = ok && (!include_usage || !json_is_null(usage));
	if (ok) {
		add_deltas(out, t, &whole, &c, include_usage);
		if (include_usage)
			add_usage_chunk(out, t, &whole, usage);
		buf_adds(out, "data: [DONE]\n\n");
	}
	pieces_finish(&c.pieces);
	return ok;
}

/* Without its usage; nothing at all where it has nothing else. */
static void
add_without_usage(struct buf *out, const struct json_children *chunk)
{
	struct json_children choices;
	struct buf rest = {0};

	if (json_children_read(&choices, json_children_find(chunk, "choices")) && choices.count == 0)
		return;
	buf_addc(&rest, '{');
	for (int i = 0; i < chunk->count; i++)
		if (!str_eq(chunk->items[i].key, "usage"))
			json_add_member(&rest, chunk->items[i].key, chunk->items[i].value);
	buf_addf(out, "data: %s}\n\n", buf_text(&rest));
	buf_finish(&rest);
}

/* Where the usage is wanted and there, or neither, it is the stream as it was. */
bool
openai_restream(const struct transcript *t, bool include_usage, struct buf *out)
{
	struct str rest = t->body, json;
	struct json_children chunk;
	bool has_usage = false;

	while (transcript_next(t->family, &rest, &json)) {
		if (transcript_is_openai_done(json))
			break;
		if (!json_children_read(&chunk, json) || !chunk.object)
			return false;
		has_usage = has_usage || !json_is_null(json_children_find(&chunk, "usage"));
		if (include_usage)
			buf_addf(out, "data: %.*s\n\n", STR_ARG(json));
		else
			add_without_usage(out, &chunk);
	}
	buf_adds(out, "data: [DONE]\n\n");
	return has_usage || !include_usage;
}
