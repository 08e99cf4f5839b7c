/* Ollama's own dialect: /api/generate and /api/chat. */
#include "reply.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct gojson_field generate_fields[] = {
    {"model", GOJSON_TEXT, "string"},
    {"prompt", GOJSON_TEXT, "string"},
    {"suffix", GOJSON_TEXT, "string"},
    {"system", GOJSON_TEXT, "string"},
    {"template", GOJSON_TEXT, "string"},
    {"context", GOJSON_LIST, "[]int"},
    {"stream", GOJSON_BOOL, "bool"},
    {"raw", GOJSON_BOOL, "bool"},
    {"images", GOJSON_LIST, "[]api.ImageData"},
    {"options", GOJSON_OBJECT, "map[string]interface {}"},
    {"top_logprobs", GOJSON_INT, "int"},
};

static const struct gojson_field chat_fields[] = {
    {"model", GOJSON_TEXT, "string"},
    {"messages", GOJSON_LIST, "[]api.Message"},
    {"stream", GOJSON_BOOL, "bool"},
    {"tools", GOJSON_LIST, "api.Tools"},
    {"options", GOJSON_OBJECT, "map[string]interface {}"},
    {"top_logprobs", GOJSON_INT, "int"},
};

static const struct gojson_field message_fields[] = {
    {"role", GOJSON_TEXT, "string"},
    {"content", GOJSON_TEXT, "string"},
    {"thinking", GOJSON_TEXT, "string"},
    {"images", GOJSON_LIST, "[]api.ImageData"},
    {"tool_calls", GOJSON_LIST, "[]api.ToolCall"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Go writes the type of a field that is missing from a message as the field of the whole. */
static bool
check(const cJSON *object, const char *owner, const struct gojson_field *fields, size_t count,
      struct refusal_text *no)
{
	struct buf why = {0};
	bool ok = gojson_check(object, owner, fields, count, &why);

	if (!ok)
		refuse(no, 400, "%s", buf_text(&why));
	buf_finish(&why);
	return ok;
}

static bool
read_images(struct ask *a, const cJSON *images, struct refusal_text *no)
{
	const cJSON *it;

	cJSON_ArrayForEach (it, images)
		if (!cJSON_IsString(it) || !ask_add_image(a, it->valuestring))
			return refuse(no, 400, "illegal base64 data at input byte 0");
	return true;
}

/* The fields that generate and chat have in common. */
static bool
read_common(struct ask *a, struct refusal_text *no)
{
	int64_t top = gojson_int(a->body, "top_logprobs", 0);

	if (top < 0 || top > 20)
		return refuse(no, 400, "top_logprobs must be between 0 and 20");
	a->stream = gojson_bool(a->body, "stream", true);
	a->format = gojson_get(a->body, "format");
	ask_add_tree(a, "format", a->format);
	ask_read_options(a, gojson_get(a->body, "options"));
	return ask_read_keep_alive(a, gojson_get(a->body, "keep_alive"), no) &&
	       ask_read_think(a, gojson_get(a->body, "think"), no);
}

bool
native_read_generate(struct ask *a, struct str body, struct refusal_text *no)
{
	const char *prompt, *system;

	if (!ask_take_body(a, body, "missing request body", no) ||
	    !check(a->body, "api.GenerateRequest", generate_fields, COUNT(generate_fields), no))
		return false;
	ask_set_model(a, gojson_text(a->body, "model"));
	prompt = gojson_text(a->body, "prompt");
	system = gojson_text(a->body, "system");
	a->raw = gojson_bool(a->body, "raw", false);
	a->empty = prompt[0] == '\0';
	if (system[0] != '\0')
		ask_add_message(a, "system", str_of(system));
	ask_add_tree(a, "context", gojson_get(a->body, "context"));
	ask_add_suffix(a);
	ask_add_message(a, "user", str_of(prompt));
	return read_images(a, gojson_get(a->body, "images"), no) && read_common(a, no);
}

static bool
read_message(struct ask *a, const cJSON *message, struct refusal_text *no)
{
	const cJSON *it;

	if (!check(message, "api.Message", message_fields, COUNT(message_fields), no))
		return false;
	ask_add_message(a, gojson_text(message, "role"), str_of(gojson_text(message, "content")));
	cJSON_ArrayForEach (it, gojson_get(message, "tool_calls"))
		ask_add_call(a, gojson_text(gojson_get(it, "function"), "name"));
	return read_images(a, gojson_get(message, "images"), no);
}

bool
native_read_chat(struct ask *a, struct str body, struct refusal_text *no)
{
	const cJSON *it, *messages;

	if (!ask_take_body(a, body, "missing request body", no) ||
	    !check(a->body, "api.ChatRequest", chat_fields, COUNT(chat_fields), no))
		return false;
	ask_set_model(a, gojson_text(a->body, "model"));
	messages = gojson_get(a->body, "messages");
	a->empty = cJSON_GetArraySize(messages) == 0;
	cJSON_ArrayForEach (it, messages)
		if (!read_message(a, it, no))
			return false;
	ask_set_tools(a, gojson_get(a->body, "tools"));
	return read_common(a, no);
}

static void
add_head(struct buf *out, const struct reply *r)
{
	buf_adds(out, "{\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_adds(out, ",\"created_at\":\"");
	gojson_add_time(out, r->now_ns);
	buf_adds(out, "\",");
}

/* Go leaves out what is zero. */
static void
add_number(struct buf *out, const char *key, int64_t value)
{
	if (value == 0)
		return;
	buf_add(out, ",\"", 2);
	buf_adds(out, key);
	buf_add(out, "\":", 2);
	gojson_add_int(out, value);
}

static void
add_metrics(struct buf *out, const struct reply *r)
{
	add_number(out, "total_duration", r->metrics.total_ns);
	add_number(out, "load_duration", r->metrics.load_ns);
	add_number(out, "prompt_eval_count", r->metrics.prompt_tokens);
	add_number(out, "prompt_eval_duration", r->metrics.prompt_ns);
	add_number(out, "eval_count", r->answer->tokens);
	add_number(out, "eval_duration", r->metrics.eval_ns);
}

/* The tokens of the prompt and the answer, for the next request of the conversation. */
static void
add_context(struct buf *out, const struct reply *r)
{
	int count = r->metrics.prompt_tokens + r->answer->tokens;

	if (r->ask->raw || r->ask->empty)
		return;
	buf_adds(out, ",\"context\":[");
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		gojson_add_int(out, (int64_t)(hash_mix(r->answer->hash ^ (uint64_t)i) % 151643));
	}
	buf_addc(out, ']');
}

static void
generate_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	add_head(out, r);
	buf_adds(out, "\"response\":\"");
	if (kind == PIECE_WORD)
		gojson_add_escaped(out, text);
	if (kind == PIECE_THOUGHT) {
		buf_adds(out, "\",\"thinking\":\"");
		gojson_add_escaped(out, text);
	}
	buf_adds(out, "\",\"done\":false}\n");
}

static void
add_text_field(struct buf *out, const struct reply *r, const char *key, enum piece_kind kind)
{
	struct buf text = {0};

	answer_add_text(&text, r->answer, kind);
	buf_addf(out, "\"%s\":", key);
	gojson_add_string(out, (struct str){text.data, text.len});
	buf_finish(&text);
}

static void
generate_close(struct buf *out, const struct reply *r)
{
	buf_addf(out, ",\"done\":true,\"done_reason\":\"%s\"", reply_done_reason(r));
	add_context(out, r);
	add_metrics(out, r);
	buf_addc(out, '}');
}

static void
generate_end(struct buf *out, struct reply *r)
{
	add_head(out, r);
	buf_adds(out, "\"response\":\"\"");
	generate_close(out, r);
	buf_addc(out, '\n');
}

static void
generate_whole(struct buf *out, struct reply *r)
{
	add_head(out, r);
	add_text_field(out, r, "response", PIECE_WORD);
	if (r->answer->thoughts > 0) {
		buf_addc(out, ',');
		add_text_field(out, r, "thinking", PIECE_THOUGHT);
	}
	generate_close(out, r);
}

static void
add_tool_calls(struct buf *out, const struct answer *a)
{
	buf_addf(out,
	         ",\"tool_calls\":[{\"id\":\"%s\",\"function\":{\"index\":0,\"name\":", a->call_id);
	gojson_add_string(out, str_of(a->tool));
	buf_addf(out, ",\"arguments\":%s}}]", a->args);
}

static void
chat_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	add_head(out, r);
	buf_adds(out, "\"message\":{\"role\":\"assistant\",\"content\":\"");
	if (kind == PIECE_WORD)
		gojson_add_escaped(out, text);
	buf_addc(out, '"');
	if (kind == PIECE_THOUGHT) {
		buf_adds(out, ",\"thinking\":");
		gojson_add_string(out, text);
	}
	if (kind == PIECE_CALL)
		add_tool_calls(out, r->answer);
	buf_adds(out, "},\"done\":false}\n");
}

static void
chat_close(struct buf *out, const struct reply *r)
{
	buf_addf(out, "},\"done\":true,\"done_reason\":\"%s\"", reply_done_reason(r));
	add_metrics(out, r);
	buf_addc(out, '}');
}

static void
chat_end(struct buf *out, struct reply *r)
{
	add_head(out, r);
	buf_adds(out, "\"message\":{\"role\":\"assistant\",\"content\":\"\"");
	chat_close(out, r);
	buf_addc(out, '\n');
}

static void
chat_whole(struct buf *out, struct reply *r)
{
	add_head(out, r);
	buf_adds(out, "\"message\":{\"role\":\"assistant\",");
	add_text_field(out, r, "content", PIECE_WORD);
	if (r->answer->thoughts > 0) {
		buf_addc(out, ',');
		add_text_field(out, r, "thinking", PIECE_THOUGHT);
	}
	if (r->answer->tool != NULL)
		add_tool_calls(out, r->answer);
	chat_close(out, r);
}

/* {"error":...} on a line of its own; the status stays 200. */
static void
native_failure(struct buf *out, struct reply *r, const char *message)
{
	reply_add_error(out, FAMILY_NATIVE, 500, message, r->id);
	buf_addc(out, '\n');
}

const struct form form_generate = {
    .stream_type = "application/x-ndjson",
    .whole_type = "application/json; charset=utf-8",
    .add_piece = generate_piece,
    .add_end = generate_end,
    .add_whole = generate_whole,
    .add_failure = native_failure,
};

const struct form form_chat = {
    .stream_type = "application/x-ndjson",
    .whole_type = "application/json; charset=utf-8",
    .add_piece = chat_piece,
    .add_end = chat_end,
    .add_whole = chat_whole,
    .add_failure = native_failure,
};
