/*
 * The events of /v1/responses.
 *
 * An item is open from its "added" to its "done"; finished ones are kept as JSON
 * in reply.items, since the last event repeats them all.
 */
#include "responses.h"

static void
begin_event(struct buf *out, const char *name)
{
	buf_addf(out, "event: %s\ndata: {", name);
}

/* `late` are the keys that sort between sequence_number and type, or "". */
static void
end_event(struct buf *out, struct reply *r, const char *name, const char *late)
{
	buf_addf(out, "\"sequence_number\":%d,%s\"type\":\"%s\"}\n\n", r->sequence++, late, name);
}

static void
add_kept(struct buf *out, const struct buf *text)
{
	gojson_add_string(out, (struct str){text->data, text->len});
}

void
responses_add_field(struct buf *out, const cJSON *object, const char *key, const char *fallback)
{
	const cJSON *value = gojson_get(object, key);

	if (value == NULL)
		buf_adds(out, fallback);
	else
		gojson_add_map(out, value);
}

static void
add_tools(struct buf *out, const cJSON *tools)
{
	const cJSON *it;

	buf_addc(out, '[');
	cJSON_ArrayForEach (it, tools) {
		buf_adds(out, it == tools->child ? "{\"description\":" : ",{\"description\":");
		responses_add_field(out, it, "description", "null");
		buf_adds(out, ",\"name\":");
		responses_add_field(out, it, "name", "\"\"");
		buf_adds(out, ",\"parameters\":");
		responses_add_field(out, it, "parameters", "null");
		buf_adds(out, ",\"strict\":");
		responses_add_field(out, it, "strict", "null");
		buf_adds(out, ",\"type\":");
		responses_add_field(out, it, "type", "\"\"");
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
add_reasoning(struct buf *out, const cJSON *reasoning)
{
	if (gojson_text(reasoning, "effort")[0] == '\0' &&
	    gojson_text(reasoning, "summary")[0] == '\0') {
		buf_adds(out, "null");
		return;
	}
	buf_adds(out, "{\"effort\":");
	responses_add_field(out, reasoning, "effort", "null");
	buf_adds(out, ",\"summary\":");
	responses_add_field(out, reasoning, "summary", "null");
	buf_addc(out, '}');
}

/* The map is sorted, the schema in it is as it came. */
static void
add_format(struct buf *out, const cJSON *format)
{
	const cJSON *schema = gojson_get(format, "schema"), *strict = gojson_get(format, "strict");

	buf_addc(out, '{');
	if (gojson_text(format, "name")[0] != '\0') {
		buf_adds(out, "\"name\":");
		responses_add_field(out, format, "name", "");
		buf_addc(out, ',');
	}
	if (schema != NULL) {
		buf_adds(out, "\"schema\":");
		gojson_add_tree(out, schema);
		buf_addc(out, ',');
	}
	if (strict != NULL)
		buf_addf(out, "\"strict\":%s,", cJSON_IsTrue(strict) ? "true" : "false");
	buf_adds(out, "\"type\":");
	responses_add_field(out, format, "type", "\"text\"");
	buf_addc(out, '}');
}

static void
add_response(struct buf *out, const struct reply *r, bool done)
{
	const cJSON *b = r->ask->body, *format = gojson_get(gojson_get(b, "text"), "format");
	bool said = gojson_text(b, "instructions")[0] != '\0';
	int in = r->metrics.prompt_tokens, tokens = r->answer->tokens;

	buf_addf(out, "{\"background\":%s,\"completed_at\":",
	         gojson_bool(b, "background", false) ? "true" : "false");
	buf_addf(out, done ? "%lld" : "null", (long long)(r->now_ns / 1000000000));
	buf_addf(out, ",\"created_at\":%lld,\"error\":null,\"frequency_penalty\":0,\"id\":\"resp_%u\",",
	         (long long)(r->created_ns / 1000000000), reply_number(r, 0, 6));
	buf_adds(out, "\"incomplete_details\":null,\"instructions\":");
	responses_add_field(out, said ? b : NULL, "instructions", "null");
	buf_adds(out, ",\"max_output_tokens\":");
	responses_add_field(out, b, "max_output_tokens", "null");
	buf_adds(out, ",\"max_tool_calls\":null,\"metadata\":{},\"model\":");
	gojson_add_string(out, str_of(r->ask->model));
	buf_adds(out, ",\"object\":\"response\",\"output\":");
	if (done && r->items.len == 0)
		buf_adds(out, "null,");
	else
		buf_addf(out, "[%s],", done ? buf_text(&r->items) : "");
	buf_adds(out,
	         "\"parallel_tool_calls\":true,\"presence_penalty\":0,\"previous_response_id\":null,"
	         "\"prompt_cache_key\":null,\"reasoning\":");
	add_reasoning(out, gojson_get(b, "reasoning"));
	buf_addf(out,
	         ",\"safety_identifier\":null,\"service_tier\":\"default\",\"status\":\"%s\","
	         "\"store\":false,\"temperature\":",
	         done ? "completed" : "in_progress");
	responses_add_field(out, b, "temperature", "1");
	buf_adds(out, ",\"text\":{\"format\":");
	add_format(out, format);
	buf_adds(out, "},\"tool_choice\":\"auto\",\"tools\":");
	add_tools(out, r->ask->tools);
	buf_adds(out, ",\"top_logprobs\":0,\"top_p\":");
	responses_add_field(out, b, "top_p", "1");
	buf_adds(out, ",\"truncation\":");
	responses_add_field(out, b, "truncation", "\"disabled\"");
	if (done)
		buf_addf(out,
		         ",\"usage\":{\"input_tokens\":%d,\"input_tokens_details\":{\"cached_tokens\":0},"
		         "\"output_tokens\":%d,\"output_tokens_details\":{\"reasoning_tokens\":0},"
		         "\"total_tokens\":%d}}",
		         in, tokens, in + tokens);
	else
		buf_adds(out, ",\"usage\":null}");
}

static void
add_response_event(struct buf *out, struct reply *r, const char *name, bool done)
{
	begin_event(out, name);
	buf_adds(out, "\"response\":");
	add_response(out, r, done);
	buf_addc(out, ',');
	end_event(out, r, name, "");
}

void
responses_begin(struct buf *out, struct reply *r)
{
	if (r->begun)
		return;
	r->begun = true;
	add_response_event(out, r, "response.created", false);
	add_response_event(out, r, "response.in_progress", false);
}

/* An output_item event around what is in `item`. */
static void
add_item_event(struct buf *out, struct reply *r, const char *name, const struct buf *item)
{
	begin_event(out, name);
	buf_addf(out, "\"item\":%s,\"output_index\":%d,", buf_text(item), r->index);
	end_event(out, r, name, "");
}

/* The item is done: said, kept for the last event, and the next one gets the next index. */
static void
finish_item(struct buf *out, struct reply *r, const struct buf *item)
{
	add_item_event(out, r, "response.output_item.done", item);
	if (r->items.len > 0)
		buf_addc(&r->items, ',');
	buf_add(&r->items, item->data, item->len);
	r->index++;
}

static void
add_thought(struct buf *out, struct reply *r, struct str text)
{
	unsigned id = reply_number(r, 2, 6);
	struct buf item = {0};

	if (!r->thinking_open) {
		r->thinking_open = true;
		buf_addf(&item, "{\"id\":\"rs_%u\",\"summary\":[],\"type\":\"reasoning\"}", id);
		add_item_event(out, r, "response.output_item.added", &item);
	}
	buf_add(&r->thoughts, text.ptr, text.len);
	begin_event(out, "response.reasoning_summary_text.delta");
	buf_adds(out, "\"delta\":");
	gojson_add_string(out, text);
	buf_addf(out, ",\"item_id\":\"rs_%u\",\"output_index\":%d,", id, r->index);
	end_event(out, r, "response.reasoning_summary_text.delta", "\"summary_index\":0,");
	buf_finish(&item);
}

static void
finish_thoughts(struct buf *out, struct reply *r)
{
	static const char done[] = "response.reasoning_summary_text.done";
	unsigned id = reply_number(r, 2, 6);
	struct buf item = {0}, late = {0};

	if (!r->thinking_open)
		return;
	r->thinking_open = false;
	begin_event(out, done);
	buf_addf(out, "\"item_id\":\"rs_%u\",\"output_index\":%d,", id, r->index);
	buf_adds(&late, "\"summary_index\":0,\"text\":");
	add_kept(&late, &r->thoughts);
	buf_addc(&late, ',');
	end_event(out, r, done, buf_text(&late));
	buf_adds(&item, "{\"encrypted_content\":");
	add_kept(&item, &r->thoughts);
	buf_addf(&item, ",\"id\":\"rs_%u\",\"summary\":[{\"text\":", id);
	add_kept(&item, &r->thoughts);
	buf_adds(&item, ",\"type\":\"summary_text\"}],\"type\":\"reasoning\"}");
	finish_item(out, r, &item);
	buf_finish(&item);
	buf_finish(&late);
}

/* {"annotations":[],...}: one part of a message. */
static void
add_part(struct buf *out, const struct buf *text)
{
	buf_adds(out, "{\"annotations\":[],\"logprobs\":[],\"text\":");
	add_kept(out, text);
	buf_adds(out, ",\"type\":\"output_text\"}");
}

static void
add_part_event(struct buf *out, struct reply *r, const char *name)
{
	begin_event(out, name);
	buf_addf(out, "\"content_index\":0,\"item_id\":\"msg_%u\",\"output_index\":%d,\"part\":",
	         reply_number(r, 1, 6), r->index);
	add_part(out, &r->text);
	buf_addc(out, ',');
	end_event(out, r, name, "");
}

static void
open_text(struct buf *out, struct reply *r)
{
	struct buf item = {0};

	r->text_open = true;
	buf_addf(&item,
	         "{\"content\":[],\"id\":\"msg_%u\",\"role\":\"assistant\",\"status\":"
	         "\"in_progress\",\"type\":\"message\"}",
	         reply_number(r, 1, 6));
	add_item_event(out, r, "response.output_item.added", &item);
	add_part_event(out, r, "response.content_part.added");
	buf_finish(&item);
}

static void
add_word(struct buf *out, struct reply *r, struct str text)
{
	static const char delta[] = "response.output_text.delta";

	finish_thoughts(out, r);
	if (text.len == 0)
		return;
	if (!r->text_open)
		open_text(out, r);
	buf_add(&r->text, text.ptr, text.len);
	begin_event(out, delta);
	buf_adds(out, "\"content_index\":0,\"delta\":");
	gojson_add_string(out, text);
	buf_addf(out, ",\"item_id\":\"msg_%u\",\"logprobs\":[],\"output_index\":%d,",
	         reply_number(r, 1, 6), r->index);
	end_event(out, r, delta, "");
}

static void
finish_text(struct buf *out, struct reply *r)
{
	struct buf item = {0}, late = {0};

	if (!r->text_open)
		return;
	r->text_open = false;
	begin_event(out, "response.output_text.done");
	buf_addf(out, "\"content_index\":0,\"item_id\":\"msg_%u\",\"logprobs\":[],\"output_index\":%d,",
	         reply_number(r, 1, 6), r->index);
	buf_adds(&late, "\"text\":");
	add_kept(&late, &r->text);
	buf_addc(&late, ',');
	end_event(out, r, "response.output_text.done", buf_text(&late));
	add_part_event(out, r, "response.content_part.done");
	buf_adds(&item, "{\"content\":[");
	add_part(&item, &r->text);
	buf_addf(&item,
	         "],\"id\":\"msg_%u\",\"role\":\"assistant\",\"status\":\"completed\",\"type\":"
	         "\"message\"}",
	         reply_number(r, 1, 6));
	finish_item(out, r, &item);
	buf_finish(&item);
	buf_finish(&late);
}

static void
add_call_item(struct buf *item, const struct reply *r, bool done)
{
	const struct answer *a = r->answer;

	buf_clear(item);
	buf_adds(item, "{\"arguments\":");
	gojson_add_string(item, str_of(done ? a->args : ""));
	buf_addf(item, ",\"call_id\":\"%s\",\"id\":\"fc_%u_0\",\"name\":", a->call_id,
	         reply_number(r, 3, 6));
	gojson_add_string(item, str_of(a->tool));
	buf_addf(item, ",\"status\":\"%s\",\"type\":\"function_call\"}",
	         done ? "completed" : "in_progress");
}

static void
add_arguments_event(struct buf *out, struct reply *r, const char *name, const char *key)
{
	begin_event(out, name);
	buf_addf(out, "\"%s\":", key);
	gojson_add_string(out, str_of(r->answer->args));
	buf_addf(out, ",\"item_id\":\"fc_%u_0\",\"output_index\":%d,", reply_number(r, 3, 6), r->index);
	end_event(out, r, name, "");
}

static void
add_call(struct buf *out, struct reply *r)
{
	struct buf item = {0};

	finish_thoughts(out, r);
	add_call_item(&item, r, false);
	add_item_event(out, r, "response.output_item.added", &item);
	add_arguments_event(out, r, "response.function_call_arguments.delta", "delta");
	add_arguments_event(out, r, "response.function_call_arguments.done", "arguments");
	add_call_item(&item, r, true);
	finish_item(out, r, &item);
	buf_finish(&item);
}

void
responses_add_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text)
{
	responses_begin(out, r);
	switch (kind) {
	case PIECE_THOUGHT: add_thought(out, r, text); return;
	case PIECE_WORD: add_word(out, r, text); return;
	case PIECE_CALL: add_call(out, r); return;
	}
}

void
responses_add_end(struct buf *out, struct reply *r)
{
	responses_begin(out, r);
	finish_thoughts(out, r);
	finish_text(out, r);
	add_response_event(out, r, "response.completed", true);
}
