/*
 * Error bodies in three dialects. The message is quoted by buf_add_json, so that
 * a body is one line whatever the message holds: Ollama's Go client reads errors
 * line by line.
 */
#include "proto/refusal.h"

#include <cjson/cJSON.h>
#include <string.h>

static void
add_member(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, value, strlen(value));
}

/* As Ollama's /v1 names them; for 401, which Ollama does not know, as OpenAI does. */
static const char *
openai_type(int status)
{
	if (status == 400 || status == 401)
		return "invalid_request_error";
	return status == 404 ? "not_found_error" : "api_error";
}

static const char *
openai_code(int status)
{
	if (status == 401)
		return "\"invalid_api_key\"";
	return status == 429 ? "\"rate_limit_exceeded\"" : "null";
}

/* As Anthropic documents them: 4xx without a name of its own is an invalid request. */
static const char *
anthropic_type(int status)
{
	switch (status) {
	case 401: return "authentication_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 413: return "request_too_large";
	case 429: return "rate_limit_error";
	case 503:
	case 529: return "overloaded_error";
	case 504: return "timeout_error";
	}
	return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
}

static void
add_ollama(struct buf *out, const char *message)
{
	buf_addc(out, '{');
	add_member(out, "error", message);
	buf_addc(out, '}');
}

static void
add_openai(struct buf *out, int status, const char *message)
{
	buf_adds(out, "{\"error\":{");
	add_member(out, "message", message);
	buf_addc(out, ',');
	add_member(out, "type", openai_type(status));
	buf_addf(out, ",\"param\":null,\"code\":%s}}", openai_code(status));
}

static void
add_anthropic(struct buf *out, int status, const char *message, const char *request_id)
{
	buf_adds(out, "{\"type\":\"error\",\"error\":{");
	add_member(out, "type", anthropic_type(status));
	buf_addc(out, ',');
	add_member(out, "message", message);
	buf_adds(out, "},");
	add_member(out, "request_id", request_id);
	buf_addc(out, '}');
}

void
refusal_add_body(struct buf *out, enum dialect d, int status, const char *message,
                 const char *request_id)
{
	switch (d) {
	case DIALECT_OLLAMA: add_ollama(out, message); break;
	case DIALECT_OPENAI: add_openai(out, status, message); break;
	case DIALECT_ANTHROPIC: add_anthropic(out, status, message, request_id); break;
	}
}

enum stream_form
stream_form_of(struct str content_type)
{
	struct str rest = content_type, media;

	if (!str_split(&rest, ';', &media))
		return STREAM_NONE;
	media = str_trim(media);
	if (str_eq_nocase(media, "application/x-ndjson"))
		return STREAM_NDJSON;
	return str_eq_nocase(media, "text/event-stream") ? STREAM_SSE : STREAM_NONE;
}

/* An event ends with an empty line. One too many is ignored by every client, while data
 * without one would melt into the event that broke. */
static void
add_sse_error(struct buf *out, enum dialect d, bool at_line_start, int status, const char *message,
              const char *request_id)
{
	buf_adds(out, at_line_start ? "\n" : "\n\n");
	if (d == DIALECT_ANTHROPIC)
		buf_adds(out, "event: error\n");
	buf_adds(out, "data: ");
	refusal_add_body(out, d, status, message, request_id);
	buf_adds(out, "\n\n");
}

/* Here an empty line is no harmless one: Ollama's Go and Python clients fail on it. */
static void
add_ndjson_error(struct buf *out, enum dialect d, bool at_line_start, int status,
                 const char *message, const char *request_id)
{
	if (!at_line_start)
		buf_addc(out, '\n');
	refusal_add_body(out, d, status, message, request_id);
	buf_addc(out, '\n');
}

void
refusal_add_stream_error(struct buf *out, enum dialect d, enum stream_form form, bool at_line_start,
                         int status, const char *message, const char *request_id)
{
	switch (form) {
	case STREAM_NONE: break;
	case STREAM_NDJSON: add_ndjson_error(out, d, at_line_start, status, message, request_id); break;
	case STREAM_SSE: add_sse_error(out, d, at_line_start, status, message, request_id); break;
	}
}

bool
refusal_read_message(struct str body, struct buf *out)
{
	cJSON *root = cJSON_ParseWithLength(body.ptr, body.len);
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
	const cJSON *nested = cJSON_GetObjectItemCaseSensitive(error, "message");
	const char *text = cJSON_GetStringValue(nested == NULL ? error : nested);

	if (text != NULL)
		buf_adds(out, text);
	cJSON_Delete(root);
	return text != NULL;
}
