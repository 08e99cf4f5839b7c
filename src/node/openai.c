/*
 * OpenAI's dialect as Ollama speaks it: /v1/chat/completions, /v1/completions and
 * /v1/audio/transcriptions.
 */
#include "reply.h"

#include <string.h>
#include <strings.h>

static const struct gojson_field chat_fields[] = {
    {"model", GOJSON_TEXT, "string"},
    {"messages", GOJSON_LIST, "[]openai.Message"},
    {"stream", GOJSON_BOOL, "bool"},
    {"stream_options", GOJSON_OBJECT, "openai.StreamOptions"},
    {"max_tokens", GOJSON_INT, "int"},
    {"seed", GOJSON_INT, "int"},
    {"temperature", GOJSON_FLOAT, "float64"},
    {"top_p", GOJSON_FLOAT, "float64"},
    {"response_format", GOJSON_OBJECT, "openai.ResponseFormat"},
    {"tools", GOJSON_LIST, "[]api.Tool"},
    {"reasoning_effort", GOJSON_TEXT, "string"},
};

static const struct gojson_field completion_fields[] = {
    {"model", GOJSON_TEXT, "string"},
    {"prompt", GOJSON_TEXT, "string"},
    {"stream", GOJSON_BOOL, "bool"},
    {"stream_options", GOJSON_OBJECT, "openai.StreamOptions"},
    {"max_tokens", GOJSON_INT, "int"},
    {"seed", GOJSON_INT, "int"},
    {"temperature", GOJSON_FLOAT, "float32"},
    {"top_p", GOJSON_FLOAT, "float32"},
    {"suffix", GOJSON_TEXT, "string"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
take_body(struct ask *a, struct str body, const char *owner, const struct gojson_field *fields,
          size_t count, struct refusal_text *no)
{
	struct buf why = {0};
	bool ok;

	if (!ask_take_body(a, body, "EOF", no))
		return false;
	ok = gojson_check(a->body, owner, fields, count, &why);
	if (!ok)
		refuse(no, 400, "%s", buf_text(&why));
	buf_finish(&why);
	return ok;
}

/* The parameters that chat and completions share; OpenAI's names for Ollama's options. */
static void
read_parameters(struct ask *a)
{
	ask_set_model(a, gojson_text(a->body, "model"));
	a->stream = gojson_bool(a->body, "stream", false);
	a->include_usage = gojson_bool(gojson_get(a->body, "stream_options"), "include_usage", false);
	a->max_tokens = gojson_int(a->body, "max_tokens", 0);
	a->stop = gojson_get(a->body, "stop");
}

bool
openai_add_image_url(struct ask *a, const char *url, struct refusal_text *no)
{
	static const char *const kinds[] = {"data:;base64,", "data:image/jpeg;base64,",
	                                    "data:image/jpg;base64,", "data:image/png;base64,",
	                                    "data:image/webp;base64,"};

	if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
		return refuse(no, 400,
		              "image URLs are not currently supported, please use base64 encoded data "
		              "instead");
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strncmp(url, kinds[i], strlen(kinds[i])) == 0 &&
		    ask_add_image(a, url + strlen(kinds[i])))
			return true;
	return refuse(no, 400, "invalid image input");
}

static bool
read_part(struct ask *a, const char *role, const cJSON *part, struct refusal_text *no)
{
	const char *type = gojson_text(part, "type");
	const cJSON *image = gojson_get(part, "image_url");
	const cJSON *url = cJSON_IsObject(image) ? gojson_get(image, "url") : image;

	if (strcmp(type, "text") == 0 && cJSON_IsString(gojson_get(part, "text"))) {
		ask_add_message(a, role, str_of(gojson_text(part, "text")));
		return true;
	}
	ask_add_message(a, role, str_of(""));
	if (strcmp(type, "image_url") == 0 && cJSON_IsString(url))
		return openai_add_image_url(a, url->valuestring, no);
	if (strcmp(type, "input_audio") == 0)
		return ask_add_image(a, gojson_text(gojson_get(part, "input_audio"), "data")) ||
		       refuse(no, 400,
		              "invalid input_audio base64 data: illegal base64 data at input byte 0");
	return refuse(no, 400, "invalid message format");
}

static const char *
go_type_of(const cJSON *value)
{
	if (value == NULL)
		return "<nil>";
	if (cJSON_IsNumber(value))
		return "float64";
	return cJSON_IsBool(value) ? "bool" : "map[string]interface {}";
}

static bool
read_message(struct ask *a, const cJSON *message, struct refusal_text *no)
{
	const cJSON *it, *content = gojson_get(message, "content");
	const cJSON *calls = gojson_get(message, "tool_calls");
	const char *role = gojson_text(message, "role");

	if (cJSON_IsString(content)) {
		ask_add_message(a, role, str_of(content->valuestring));
	} else if (cJSON_IsArray(content)) {
		cJSON_ArrayForEach (it, content)
			if (!read_part(a, role, it, no))
				return false;
	} else if (calls == NULL) {
		return refuse(no, 400, "invalid message content type: %s", go_type_of(content));
	} else {
		ask_add_message(a, role, str_of(""));
	}
	cJSON_ArrayForEach (it, gojson_list(calls))
		ask_add_call(a, gojson_text(gojson_get(it, "function"), "name"));
	return true;
}

/* json_object is the old "json"; a schema lies one level deeper than in Ollama's "format". */
static void
read_format(struct ask *a)
{
	static char json_text[] = "json";
	static const cJSON json_word = {.type = cJSON_String, .valuestring = json_text};
	const cJSON *format = gojson_get(a->body, "response_format");
	const char *type = gojson_text(format, "type");

	if (strcasecmp(type, "json_object") == 0)
		a->format = &json_word;
	else if (strcasecmp(type, "json_schema") == 0)
		a->format = gojson_get(gojson_get(format, "json_schema"), "schema");
	ask_add_tree(a, "format", a->format);
}

bool
openai_read_chat(struct ask *a, struct str body, struct refusal_text *no)
{
	const cJSON *it, *messages, *reasoning;

	if (!take_body(a, body, "openai.ChatCompletionRequest", chat_fields, COUNT(chat_fields), no))
		return false;
	messages = gojson_get(a->body, "messages");
	if (cJSON_GetArraySize(messages) == 0)
		return refuse(no, 400, "[] is too short - 'messages'");
	read_parameters(a);
	cJSON_ArrayForEach (it, messages)
		if (!read_message(a, it, no))
			return false;
	ask_set_tools(a, gojson_get(a->body, "tools"));
	read_format(a);
	if (gojson_get(a->body, "seed") != NULL)
		ask_add_seed(a, gojson_int(a->body, "seed", 0));
	reasoning = gojson_get(a->body, "reasoning");
	return ask_read_effort(a,
	                       reasoning != NULL ? gojson_text(reasoning, "effort")
	                                         : gojson_text(a->body, "reasoning_effort"),
	                       no);
}

bool
openai_read_completion(struct ask *a, struct str body, struct refusal_text *no)
{
	const char *prompt;

	if (!take_body(a, body, "openai.CompletionRequest", completion_fields, COUNT(completion_fields),
	               no))
		return false;
	read_parameters(a);
	prompt = gojson_text(a->body, "prompt");
	a->empty = prompt[0] == '\0';
	ask_add_suffix(a);
	ask_add_message(a, "user", str_of(prompt));
	if (gojson_get(a->body, "seed") != NULL)
		ask_add_seed(a, gojson_int(a->body, "seed", 0));
	return true;
}

static void
add_head(struct buf *out, const struct reply *r, const char *prefix, const char *object)
{
	buf_adds(out, "{\"id\":\"");
	buf_adds(out, prefix);
	buf_addc(out, '-');
	gojson_add_int(out, reply_number(r, 0, 3) % 999);
	buf_adds(out, "\",\"object\":\"");
	buf_adds(out, object);
	buf_adds(out, "\",\"created\":");
	gojson_add_int(out, r->created_ns / 1000000000);
	buf_addc(out, ',');
}

static void
add_model(struct buf *out, const struct reply *r)
{
	buf_adds(out, "\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_adds(out, ",\"system_fingerprint\":\"fp_ollama\"");
}

static void
add_usage(struct buf *out, int prompt, int completion)
{
	buf_addf(out, ",\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}",
	         prompt, completion, prompt + completion);
}

static void
add_tool_calls(struct buf *out, const struct answer *a)
{
	buf_addf(out,
	         ",\"tool_calls\":[{\"id\":\"%s\",\"index\":0,\"type\":\"function\",\"function\":{"
	         "\"name\":",
	         a->call_id);
	gojson_add_string(out, str_of(a->tool));
	buf_adds(out, ",\"arguments\":");
	gojson_add_string(out, str_of(a->args));
	buf_adds(out, "}}]");
}

static void
chat_head(struct buf *out, const struct reply *r)
{
	buf_adds(out, "data: ");
	add_head(out, r, "chatcmpl", "chat.completion.chunk");
	add_model(out, r);
}

static const char *
chat_finish_reason(const struct reply *r)
{
	const char *reason = reply_done_reason(r);

	return r->answer->tool != NULL && strcmp(reason, "stop") == 0 ? "tool_calls" : reason;
}

static void
chat_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	chat_head(out, r);
	buf_adds(out, ",\"choices\":[{\"index\":0,\"delta\":{");
	if (!r->begun)
		buf_adds(out, "\"role\":\"assistant\",");
	buf_adds(out, "\"content\":\"");
	if (kind == PIECE_WORD)
		gojson_add_escaped(out, text);
	buf_addc(out, '"');
	if (kind == PIECE_THOUGHT) {
		buf_adds(out, ",\"reasoning\":");
		gojson_add_string(out, text);
	}
	if (kind == PIECE_CALL)
		add_tool_calls(out, r->answer);
	buf_adds(out, "},\"finish_reason\":null}]}\n\n");
	r->begun = true;
}

static void
chat_end(struct buf *out, struct reply *r)
{
	if (!r->begun)
		chat_piece(out, r, PIECE_WORD, str_of(""));
	chat_head(out, r);
	buf_addf(out, ",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n",
	         chat_finish_reason(r));
	if (r->ask->include_usage) {
		chat_head(out, r);
		buf_adds(out, ",\"choices\":[]");
		add_usage(out, r->metrics.prompt_tokens, r->answer->tokens);
		buf_adds(out, "}\n\n");
	}
	buf_adds(out, "data: [DONE]\n\n");
}

static void
add_whole_text(struct buf *out, const struct reply *r, enum piece_kind kind)
{
	struct buf text = {0};

	answer_add_text(&text, r->answer, kind);
	gojson_add_string(out, (struct str){text.data, text.len});
	buf_finish(&text);
}

static void
chat_whole(struct buf *out, struct reply *r)
{
	add_head(out, r, "chatcmpl", "chat.completion");
	add_model(out, r);
	buf_adds(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
	add_whole_text(out, r, PIECE_WORD);
	if (r->answer->thoughts > 0) {
		buf_adds(out, ",\"reasoning\":");
		add_whole_text(out, r, PIECE_THOUGHT);
	}
	if (r->answer->tool != NULL)
		add_tool_calls(out, r->answer);
	buf_addf(out, "},\"finish_reason\":\"%s\"}]", chat_finish_reason(r));
	add_usage(out, r->metrics.prompt_tokens, r->answer->tokens);
	buf_adds(out, "}\n");
}

/* Ollama reads its own error line as an empty chunk; the client never learns of it. */
static void
chat_failure(struct buf *out, struct reply *r, const char *message)
{
	buf_adds(out, "data: ");
	add_head(out, r, "chatcmpl", "chat.completion.chunk");
	buf_addf(out,
	         "\"model\":\"\",\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"index\":0,"
	         "\"delta\":{%s\"content\":\"\"},\"finish_reason\":null}]}\n\n",
	         r->begun ? "" : "\"role\":\"assistant\",");
}

/* Key for key another order than the whole completion's. */
static void
completion_chunk(struct buf *out, const struct reply *r, struct str text, const char *reason)
{
	buf_adds(out, "data: ");
	add_head(out, r, "cmpl", "text_completion");
	buf_adds(out, "\"choices\":[{\"text\":");
	gojson_add_string(out, text);
	buf_adds(out, ",\"index\":0,\"finish_reason\":");
	if (reason == NULL)
		buf_adds(out, "null");
	else
		buf_addf(out, "\"%s\"", reason);
	buf_adds(out, "}],");
	add_model(out, r);
	if (r->ask->include_usage)
		add_usage(out, 0, 0);
	buf_adds(out, "}\n\n");
}

/* Thoughts are no part of this dialect: their chunks are empty. */
static void
completion_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	completion_chunk(out, r, kind == PIECE_WORD ? text : str_of(""), NULL);
	r->begun = true;
}

static void
completion_end(struct buf *out, struct reply *r)
{
	completion_chunk(out, r, str_of(""), reply_done_reason(r));
	if (r->ask->include_usage) {
		buf_adds(out, "data: ");
		add_head(out, r, "cmpl", "text_completion");
		buf_adds(out, "\"choices\":[],");
		add_model(out, r);
		add_usage(out, r->metrics.prompt_tokens, r->answer->tokens);
		buf_adds(out, "}\n\n");
	}
	buf_adds(out, "data: [DONE]\n\n");
}

static void
completion_whole(struct buf *out, struct reply *r)
{
	add_head(out, r, "cmpl", "text_completion");
	add_model(out, r);
	buf_adds(out, ",\"choices\":[{\"text\":");
	add_whole_text(out, r, PIECE_WORD);
	buf_addf(out, ",\"index\":0,\"finish_reason\":\"%s\"}]", reply_done_reason(r));
	add_usage(out, r->metrics.prompt_tokens, r->answer->tokens);
	buf_adds(out, "}\n");
}

static void
completion_failure(struct buf *out, struct reply *r, const char *message)
{
	buf_adds(out, "data: ");
	add_head(out, r, "cmpl", "text_completion");
	buf_adds(out, "\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":null}],\"model\":\"\","
	              "\"system_fingerprint\":\"fp_ollama\"");
	if (r->ask->include_usage)
		add_usage(out, 0, 0);
	buf_adds(out, "}\n\n");
}

/* Ollama streams to itself and answers at the end, but its head goes out with the first token, as
 * that of a native stream. */
static void
transcription_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	r->begun = true;
}

static void
transcription_end(struct buf *out, struct reply *r)
{
	if (r->ask->plain_text) {
		answer_add_text(out, r->answer, PIECE_WORD);
		return;
	}
	buf_adds(out, "{\"text\":");
	add_whole_text(out, r, PIECE_WORD);
	buf_adds(out, "}\n");
}

/* The error record has no words and is not the last one: an answer without a body. */
static void
transcription_failure(struct buf *out, struct reply *r, const char *message)
{
	r->begun = true;
}

const struct form form_openai_chat = {
    .stream_type = "text/event-stream",
    .whole_type = "application/json",
    .add_piece = chat_piece,
    .add_end = chat_end,
    .add_whole = chat_whole,
    .add_failure = chat_failure,
};

const struct form form_openai_complete = {
    .stream_type = "text/event-stream",
    .whole_type = "application/json",
    .add_piece = completion_piece,
    .add_end = completion_end,
    .add_whole = completion_whole,
    .add_failure = completion_failure,
};

const struct form form_transcription = {
    .stream_type = "application/x-ndjson",
    .whole_type = "application/json",
    .add_piece = transcription_piece,
    .add_end = transcription_end,
    .add_whole = transcription_end,
    .add_failure = transcription_failure,
};
