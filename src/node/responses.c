/*
 * OpenAI's /v1/responses: reading the request, and the answer as a whole. The
 * answer as events is in responses_stream.c.
 */
#include "responses.h"

#include <string.h>

static bool
read_part(struct ask *a, const cJSON *part, struct buf *text, struct refusal_text *no)
{
	const char *type = gojson_text(part, "type");

	if (strcmp(type, "input_text") == 0 || strcmp(type, "output_text") == 0) {
		buf_adds(text, gojson_text(part, "text"));
		return true;
	}
	if (strcmp(type, "input_image") == 0)
		return gojson_text(part, "image_url")[0] == '\0' ||
		       openai_add_image_url(a, gojson_text(part, "image_url"), no);
	if (strcmp(type, "input_file") == 0)
		return refuse(no, 400, "file inputs are not currently supported");
	return refuse(no, 400, "input[0]: content[0]: unknown content type: %s", type);
}

static bool
read_content(struct ask *a, const char *role, const cJSON *content, struct refusal_text *no)
{
	struct buf text = {0};
	const cJSON *it;
	bool ok = true;

	if (cJSON_IsString(content))
		buf_adds(&text, content->valuestring);
	cJSON_ArrayForEach (it, gojson_list(content))
		ok = ok && read_part(a, it, &text, no);
	if (ok)
		ask_add_message(a, role, (struct str){text.data, text.len});
	buf_finish(&text);
	return ok;
}

static bool
read_item(struct ask *a, const cJSON *item, int at, struct refusal_text *no)
{
	const char *type = gojson_text(item, "type"), *role = gojson_text(item, "role");

	if (strcmp(type, "message") == 0 || (type[0] == '\0' && role[0] != '\0'))
		return read_content(a, role, gojson_get(item, "content"), no);
	if (strcmp(type, "function_call") == 0) {
		ask_add_message(a, "assistant", str_of(""));
		ask_add_call(a, gojson_text(item, "name"));
		return true;
	}
	if (strcmp(type, "function_call_output") == 0)
		return read_content(a, "tool", gojson_get(item, "output"), no);
	if (strcmp(type, "reasoning") == 0 || strcmp(type, "web_search_call") == 0)
		return true;
	if (type[0] == '\0')
		return refuse(no, 400, "input[%d]: input item missing required 'type' field", at);
	return refuse(no, 400, "input[%d]: unknown input item type: \"%s\"", at, type);
}

static bool
read_input(struct ask *a, const cJSON *input, struct refusal_text *no)
{
	const char *text = cJSON_GetStringValue(input);
	const cJSON *it;
	int at = 0;

	if (input != NULL && !cJSON_IsString(input) && !cJSON_IsArray(input))
		return refuse(no, 400,
		              "input must be a string or array: json: cannot unmarshal %s into Go value of "
		              "type []json.RawMessage",
		              gojson_type_name(input));
	if (text != NULL && *text != '\0')
		ask_add_message(a, "user", str_of(text));
	cJSON_ArrayForEach (it, gojson_list(input))
		if (!read_item(a, it, at++, no))
			return false;
	return true;
}

bool
responses_read(struct ask *a, struct str body, struct refusal_text *no)
{
	static const struct gojson_field fields[] = {
	    {"model", GOJSON_TEXT, "string"},
	    {"stream", GOJSON_BOOL, "bool"},
	    {"instructions", GOJSON_TEXT, "string"},
	    {"max_output_tokens", GOJSON_INT, "int"},
	    {"temperature", GOJSON_FLOAT, "float64"},
	    {"top_p", GOJSON_FLOAT, "float64"},
	    {"tools", GOJSON_LIST, "[]openai.ResponsesTool"},
	};
	struct buf why = {0};
	const cJSON *format;
	bool ok;

	if (!ask_take_body(a, body, "EOF", no))
		return false;
	ok = gojson_check(a->body, "openai.ResponsesRequest", fields,
	                  sizeof(fields) / sizeof(fields[0]), &why) ||
	     refuse(no, 400, "%s", buf_text(&why));
	buf_finish(&why);
	if (!ok)
		return false;
	ask_set_model(a, gojson_text(a->body, "model"));
	a->stream = gojson_bool(a->body, "stream", false);
	a->max_tokens = gojson_int(a->body, "max_output_tokens", 0);
	if (gojson_text(a->body, "instructions")[0] != '\0')
		ask_add_message(a, "system", str_of(gojson_text(a->body, "instructions")));
	if (!read_input(a, gojson_get(a->body, "input"), no))
		return false;
	a->empty = a->prompt_bytes == 0;
	a->tool_key = NULL;
	ask_set_tools(a, gojson_get(a->body, "tools"));
	format = gojson_get(gojson_get(a->body, "text"), "format");
	if (strcmp(gojson_text(format, "type"), "json_schema") == 0)
		a->format = gojson_get(format, "schema");
	ask_add_tree(a, "format", a->format);
	return ask_read_effort(a, gojson_text(gojson_get(a->body, "reasoning"), "effort"), no);
}

static void
add_text(struct buf *out, const struct reply *r, enum piece_kind kind)
{
	struct buf text = {0};

	answer_add_text(&text, r->answer, kind);
	gojson_add_string(out, (struct str){text.data, text.len});
	buf_finish(&text);
}

static void
add_output(struct buf *out, const struct reply *r)
{
	const struct answer *a = r->answer;
	unsigned id = reply_number(r, 0, 6);

	buf_addc(out, '[');
	if (a->thoughts > 0) {
		buf_addf(out,
		         "{\"id\":\"rs_resp_%u\",\"type\":\"reasoning\",\"summary\":[{\"type\":"
		         "\"summary_text\",\"text\":",
		         id);
		add_text(out, r, PIECE_THOUGHT);
		buf_adds(out, "}],\"encrypted_content\":");
		add_text(out, r, PIECE_THOUGHT);
		buf_adds(out, "},");
	}
	if (a->tool != NULL) {
		buf_addf(out,
		         "{\"id\":\"fc_resp_%u_0\",\"type\":\"function_call\",\"status\":\"completed\","
		         "\"call_id\":\"%s\",\"name\":",
		         id, a->call_id);
		gojson_add_string(out, str_of(a->tool));
		buf_adds(out, ",\"arguments\":");
		gojson_add_string(out, str_of(a->args));
		buf_adds(out, "}]");
		return;
	}
	buf_addf(out,
	         "{\"id\":\"msg_%u\",\"type\":\"message\",\"status\":\"completed\",\"role\":"
	         "\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":",
	         reply_number(r, 1, 6));
	add_text(out, r, PIECE_WORD);
	buf_adds(out, ",\"annotations\":[],\"logprobs\":[]}]}]");
}

static void
add_tools(struct buf *out, const cJSON *tools)
{
	const cJSON *it;

	buf_addc(out, '[');
	cJSON_ArrayForEach (it, tools) {
		buf_adds(out, it == tools->child ? "{\"type\":" : ",{\"type\":");
		gojson_add_string(out, str_of(gojson_text(it, "type")));
		buf_adds(out, ",\"name\":");
		gojson_add_string(out, str_of(gojson_text(it, "name")));
		buf_adds(out, ",\"description\":");
		responses_add_field(out, it, "description", "null");
		buf_adds(out, ",\"strict\":");
		responses_add_field(out, it, "strict", "null");
		buf_adds(out, ",\"parameters\":");
		responses_add_field(out, it, "parameters", "null");
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* Effort and summary, each only where it was said. */
static void
add_reasoning(struct buf *out, const cJSON *reasoning)
{
	const char *effort = gojson_text(reasoning, "effort");
	const char *summary = gojson_text(reasoning, "summary");

	if (effort[0] == '\0' && summary[0] == '\0') {
		buf_adds(out, "null");
		return;
	}
	buf_addc(out, '{');
	if (effort[0] != '\0') {
		buf_adds(out, "\"effort\":");
		gojson_add_string(out, str_of(effort));
	}
	if (summary[0] != '\0') {
		buf_adds(out, effort[0] != '\0' ? ",\"summary\":" : "\"summary\":");
		gojson_add_string(out, str_of(summary));
	}
	buf_addc(out, '}');
}

static void
add_text_format(struct buf *out, const cJSON *format)
{
	buf_adds(out, "{\"format\":");
	if (format == NULL)
		buf_adds(out, "{\"type\":\"text\"}");
	else
		gojson_add_tree(out, format);
	buf_addc(out, '}');
}

static void
whole(struct buf *out, struct reply *r)
{
	const cJSON *b = r->ask->body;
	int in = r->metrics.prompt_tokens, tokens = r->answer->tokens;

	buf_addf(out, "{\"id\":\"resp_%u\",\"object\":\"response\",\"created_at\":%lld,",
	         reply_number(r, 0, 6), (long long)(r->created_ns / 1000000000));
	buf_addf(
	    out,
	    "\"completed_at\":%lld,\"status\":\"completed\",\"incomplete_details\":null,\"model\":",
	    (long long)(r->now_ns / 1000000000));
	gojson_add_string(out, str_of(r->ask->model));
	buf_adds(out, ",\"previous_response_id\":null,\"instructions\":");
	responses_add_field(out, gojson_text(b, "instructions")[0] != '\0' ? b : NULL, "instructions",
	                    "null");
	buf_adds(out, ",\"output\":");
	add_output(out, r);
	buf_adds(out, ",\"error\":null,\"tools\":");
	add_tools(out, r->ask->tools);
	buf_adds(out, ",\"tool_choice\":\"auto\",\"truncation\":");
	responses_add_field(out, b, "truncation", "\"disabled\"");
	buf_adds(out, ",\"parallel_tool_calls\":true,\"text\":");
	add_text_format(out, gojson_get(gojson_get(b, "text"), "format"));
	buf_adds(out, ",\"top_p\":");
	responses_add_field(out, b, "top_p", "1");
	buf_adds(out,
	         ",\"presence_penalty\":0,\"frequency_penalty\":0,\"top_logprobs\":0,\"temperature\":");
	responses_add_field(out, b, "temperature", "1");
	buf_adds(out, ",\"reasoning\":");
	add_reasoning(out, gojson_get(b, "reasoning"));
	buf_addf(out,
	         ",\"usage\":{\"input_tokens\":%d,\"output_tokens\":%d,\"total_tokens\":%d,"
	         "\"input_tokens_details\":{\"cached_tokens\":0},"
	         "\"output_tokens_details\":{\"reasoning_tokens\":0}}",
	         in, tokens, in + tokens);
	buf_adds(out, ",\"max_output_tokens\":");
	responses_add_field(out, b, "max_output_tokens", "null");
	buf_addf(
	    out,
	    ",\"max_tool_calls\":null,\"store\":false,\"background\":%s,\"service_tier\":\"default\","
	    "\"metadata\":{},\"safety_identifier\":null,\"prompt_cache_key\":null}\n",
	    gojson_bool(b, "background", false) ? "true" : "false");
}

/* Ollama reads its own error line as an answer without words: nothing is said of it. */
static void
failure(struct buf *out, struct reply *r, const char *message)
{
	responses_begin(out, r);
}

const struct form form_responses = {
    .stream_type = "text/event-stream",
    .whole_type = "application/json",
    .stream_headers = "Cache-Control: no-cache\r\n",
    .add_piece = responses_add_piece,
    .add_end = responses_add_end,
    .add_whole = whole,
    .add_failure = failure,
};
