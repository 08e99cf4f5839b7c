/* Anthropic's dialect: /v1/messages. */
#include "reply.h"

#include <string.h>
#include <strings.h>

static bool
read_image(struct ask *a, const cJSON *source, struct refusal_text *no)
{
	if (source == NULL)
		return refuse(no, 400, "invalid image source");
	if (strcmp(gojson_text(source, "type"), "base64") != 0)
		return refuse(no, 400, "invalid image source type: %s. Only base64 images are supported.",
		              gojson_text(source, "type"));
	if (!ask_add_image(a, gojson_text(source, "data")))
		return refuse(no, 400, "invalid base64 image data: illegal base64 data at input byte 0");
	return true;
}

static void
add_texts(struct buf *text, const cJSON *content)
{
	const cJSON *it;

	if (cJSON_IsString(content))
		buf_adds(text, content->valuestring);
	cJSON_ArrayForEach (it, gojson_list(content))
		if (strcmp(gojson_text(it, "type"), "text") == 0)
			buf_adds(text, gojson_text(it, "text"));
}

/* A tool's result becomes a message of its own. */
static void
read_result(struct ask *a, const cJSON *block)
{
	struct buf text = {0};

	add_texts(&text, gojson_get(block, "content"));
	ask_add_message(a, "tool", (struct str){text.data, text.len});
	buf_finish(&text);
}

static bool
read_block(struct ask *a, const cJSON *block, struct buf *text, bool *has_result,
           struct refusal_text *no)
{
	const char *type = gojson_text(block, "type");

	if (strcmp(type, "text") == 0)
		buf_adds(text, gojson_text(block, "text"));
	else if (strcmp(type, "image") == 0)
		return read_image(a, gojson_get(block, "source"), no);
	else if (strcmp(type, "tool_use") == 0 && gojson_text(block, "id")[0] == '\0')
		return refuse(no, 400, "tool_use block missing required 'id' field");
	else if (strcmp(type, "tool_use") == 0 && gojson_text(block, "name")[0] == '\0')
		return refuse(no, 400, "tool_use block missing required 'name' field");
	else if (strcmp(type, "tool_result") == 0) {
		read_result(a, block);
		*has_result = true;
	}
	return true;
}

static bool
read_message(struct ask *a, const cJSON *message, struct refusal_text *no)
{
	const cJSON *it, *content = gojson_get(message, "content");
	struct buf text = {0};
	bool ok = true, has_result = false;

	if (cJSON_IsString(content))
		buf_adds(&text, content->valuestring);
	cJSON_ArrayForEach (it, gojson_list(content))
		ok = ok && read_block(a, it, &text, &has_result, no);
	if (ok && (text.len > 0 || !has_result))
		ask_add_message(a, gojson_text(message, "role"), (struct str){text.data, text.len});
	cJSON_ArrayForEach (it, gojson_list(content))
		if (strcmp(gojson_text(it, "type"), "tool_use") == 0)
			ask_add_call(a, gojson_text(it, "name"));
	buf_finish(&text);
	return ok;
}

static bool
read_effort(struct ask *a)
{
	const char *thinking = gojson_text(gojson_get(a->body, "thinking"), "type");
	const char *effort = gojson_text(gojson_get(a->body, "output_config"), "effort");

	if (strcmp(thinking, "enabled") == 0 || (thinking[0] == '\0' && effort[0] != '\0'))
		a->think = THINK_ON;
	if (strcmp(thinking, "disabled") == 0)
		a->think = THINK_OFF;
	return true;
}

static bool
read_checked(struct ask *a, struct refusal_text *no)
{
	const cJSON *it, *messages = gojson_get(a->body, "messages");
	struct buf system = {0};

	if (gojson_text(a->body, "model")[0] == '\0')
		return refuse(no, 400, "model is required");
	a->max_tokens = gojson_int(a->body, "max_tokens", 0);
	if (a->max_tokens <= 0)
		return refuse(no, 400, "max_tokens is required and must be positive");
	if (cJSON_GetArraySize(messages) == 0)
		return refuse(no, 400, "messages is required");
	ask_set_model(a, gojson_text(a->body, "model"));
	a->stream = gojson_bool(a->body, "stream", false);
	a->relaxed_think = true;
	add_texts(&system, gojson_get(a->body, "system"));
	if (system.len > 0)
		ask_add_message(a, "system", (struct str){system.data, system.len});
	buf_finish(&system);
	cJSON_ArrayForEach (it, messages)
		if (!read_message(a, it, no))
			return false;
	a->tool_key = NULL;
	a->schema_key = "input_schema";
	ask_set_tools(a, gojson_get(a->body, "tools"));
	a->stop = gojson_get(a->body, "stop_sequences");
	return read_effort(a);
}

bool
messages_read(struct ask *a, struct str body, struct refusal_text *no)
{
	static const struct gojson_field fields[] = {
	    {"model", GOJSON_TEXT, "string"},
	    {"max_tokens", GOJSON_INT, "int"},
	    {"messages", GOJSON_LIST, "[]anthropic.MessageParam"},
	    {"stream", GOJSON_BOOL, "bool"},
	    {"temperature", GOJSON_FLOAT, "float64"},
	    {"stop_sequences", GOJSON_LIST, "[]string"},
	    {"tools", GOJSON_LIST, "[]anthropic.Tool"},
	};
	struct buf why = {0};
	bool ok;

	if (!ask_take_body(a, body, "EOF", no))
		return false;
	ok = gojson_check(a->body, "anthropic.MessagesRequest", fields,
	                  sizeof(fields) / sizeof(fields[0]), &why) ||
	     refuse(no, 400, "%s", buf_text(&why));
	buf_finish(&why);
	return ok && read_checked(a, no);
}

static void
add_id(struct buf *out, const struct reply *r)
{
	buf_addf(out, "\"id\":\"msg_%016llx%08x\"", (unsigned long long)hash_mix(r->id),
	         (unsigned)hash_mix(r->id + 1));
}

static const char *
stop_reason(const struct reply *r)
{
	const char *reason = reply_done_reason(r);

	if (r->answer->tool != NULL)
		return "tool_use";
	return strcmp(reason, "stop") == 0     ? "end_turn"
	       : strcmp(reason, "length") == 0 ? "max_tokens"
	                                       : "stop_sequence";
}

static void
add_text_block(struct buf *out, const struct reply *r, const char *type, enum piece_kind kind)
{
	struct buf text = {0};

	answer_add_text(&text, r->answer, kind);
	buf_addf(out, "{\"type\":\"%s\",\"%s\":", type, type);
	gojson_add_string(out, (struct str){text.data, text.len});
	buf_addc(out, '}');
	buf_finish(&text);
}

static void
add_tool_block(struct buf *out, const struct answer *a, const char *input)
{
	buf_addf(out, "{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":", a->call_id);
	gojson_add_string(out, str_of(a->tool));
	buf_addf(out, ",\"input\":%s}", input);
}

static void
whole(struct buf *out, struct reply *r)
{
	const struct answer *a = r->answer;
	struct buf content = {0};

	buf_addc(out, '{');
	add_id(out, r);
	buf_adds(out, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	if (a->thoughts > 0)
		add_text_block(&content, r, "thinking", PIECE_THOUGHT);
	if (a->words > 0) {
		buf_adds(&content, content.len > 0 ? "," : "");
		add_text_block(&content, r, "text", PIECE_WORD);
	}
	if (a->tool != NULL) {
		buf_adds(&content, content.len > 0 ? "," : "");
		add_tool_block(&content, a, a->args);
	}
	if (content.len == 0)
		buf_adds(out, ",\"content\":null");
	else
		buf_addf(out, ",\"content\":[%s]", content.data);
	buf_addf(out, ",\"stop_reason\":\"%s\",\"usage\":{\"input_tokens\":%d,\"output_tokens\":%d}}\n",
	         stop_reason(r), r->metrics.prompt_tokens, a->tokens);
	buf_finish(&content);
}

/* What the first event says before the prompt was counted: bytes by four, tools included. */
static int
estimate_tokens(const struct ask *a)
{
	size_t bytes = a->prompt_bytes;
	struct buf schema = {0};
	const cJSON *it;

	cJSON_ArrayForEach (it, a->tools) {
		bytes += strlen(gojson_text(it, "name")) + strlen(gojson_text(it, "description"));
		gojson_add_tree(&schema, gojson_get(it, "input_schema"));
	}
	bytes += schema.len;
	buf_finish(&schema);
	return bytes < 4 ? 1 : (int)(bytes / 4);
}

static void
begin(struct buf *out, struct reply *r)
{
	if (r->begun)
		return;
	r->begun = true;
	buf_adds(out, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{");
	add_id(out, r);
	buf_adds(out, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_addf(out, ",\"content\":[],\"usage\":{\"input_tokens\":%d,\"output_tokens\":0}}}\n\n",
	         estimate_tokens(r->ask));
}

static void
open_block(struct buf *out, const struct reply *r)
{
	buf_addf(out,
	         "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":%d,"
	         "\"content_block\":",
	         r->index);
}

static void
close_block(struct buf *out, struct reply *r, bool *open)
{
	if (!*open)
		return;
	*open = false;
	buf_addf(out,
	         "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":%d}\n\n",
	         r->index++);
}

static void
add_delta(struct buf *out, const struct reply *r, const char *type, const char *key,
          struct str text)
{
	buf_addf(out,
	         "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":%d,"
	         "\"delta\":{\"type\":\"%s\",\"%s\":",
	         r->index, type, key);
	gojson_add_string(out, text);
	buf_adds(out, "}}\n\n");
}

static void
add_call(struct buf *out, struct reply *r)
{
	bool open = true;

	open_block(out, r);
	add_tool_block(out, r->answer, "{}");
	buf_adds(out, "}\n\n");
	add_delta(out, r, "input_json_delta", "partial_json", str_of(r->answer->args));
	close_block(out, r, &open);
}

static void
add_thought(struct buf *out, struct reply *r, struct str text)
{
	if (!r->thinking_open) {
		open_block(out, r);
		buf_adds(out, "{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n");
		r->thinking_open = true;
	}
	add_delta(out, r, "thinking_delta", "thinking", text);
}

static void
add_word(struct buf *out, struct reply *r, struct str text)
{
	close_block(out, r, &r->thinking_open);
	if (!r->text_open) {
		open_block(out, r);
		buf_adds(out, "{\"type\":\"text\",\"text\":\"\"}}\n\n");
		r->text_open = true;
	}
	add_delta(out, r, "text_delta", "text", text);
}

static void
add_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	begin(out, r);
	switch (kind) {
	case PIECE_THOUGHT: add_thought(out, r, text); return;
	case PIECE_WORD: add_word(out, r, text); return;
	case PIECE_CALL:
		close_block(out, r, &r->thinking_open);
		add_call(out, r);
		return;
	}
}

static void
add_end(struct buf *out, struct reply *r)
{
	begin(out, r);
	close_block(out, r, &r->thinking_open);
	close_block(out, r, &r->text_open);
	buf_addf(out,
	         "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	         "\"%s\"},\"usage\":{\"input_tokens\":%d,\"output_tokens\":%d}}\n\n",
	         stop_reason(r), r->metrics.prompt_tokens, r->answer->tokens);
	buf_adds(out, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

/* Ollama reads its own error line as an answer without words: nothing is said of it. */
static void
failure(struct buf *out, struct reply *r, const char *message)
{
	begin(out, r);
}

const struct form form_messages = {
    .stream_type = "text/event-stream",
    .whole_type = "application/json",
    .stream_headers = "Cache-Control: no-cache\r\n",
    .add_piece = add_piece,
    .add_end = add_end,
    .add_whole = whole,
    .add_failure = failure,
};
