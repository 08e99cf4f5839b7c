/*
 * Kept answers in both forms, beside what the simulated node, which was compared
 * with Ollama, writes of the same answer in either form.
 */
#include "../check.h"

#include "base/mem.h"
#include "proto/transcript.h"
#include "reply.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct shape {
	int thoughts;
	int words;
	bool calls;
	bool cut;
};

static const struct shape shapes[] = {
    {0, 1, false, false}, {0, 20, false, true}, {3, 5, false, false}, {2, 0, true, false},
    {0, 0, true, false},  {0, 0, false, false}, {1, 0, false, true},
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

struct dialect_of {
	enum answer_family family;
	const struct form *form;
	ask_reader read;
	enum ask_kind kind;
	const char *body; /* without its end */
};

static const struct dialect_of dialects[] = {
    {ANSWER_GENERATE, &form_generate, native_read_generate, ASK_GENERATE, "\"prompt\":\"hello\""},
    {ANSWER_CHAT, &form_chat, native_read_chat, ASK_CHAT,
     "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"},
    {ANSWER_OPENAI_CHAT, &form_openai_chat, openai_read_chat, ASK_CHAT,
     "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"},
    {ANSWER_OPENAI_COMPLETION, &form_openai_complete, openai_read_completion, ASK_GENERATE,
     "\"prompt\":\"hello\""},
    {ANSWER_RESPONSES, &form_responses, responses_read, ASK_CHAT, "\"input\":\"hello\""},
    {ANSWER_MESSAGES, &form_messages, messages_read, ASK_CHAT,
     "\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"},
};

/* The answer of that shape, in that form, as the node writes it. */
static void
node_writes(const struct dialect_of *d, const struct shape *s, const char *model,
            enum transcript_form form, bool usage, struct buf *out)
{
	struct refusal_text no = {0};
	struct buf body = {0};
	struct ask ask;
	struct answer answer = {.hash = 7, .thoughts = s->thoughts, .words = s->words, .cut = s->cut};
	struct reply reply = {.form = d->form, .ask = &ask, .answer = &answer, .id = 42};

	reply.now_ns = reply.created_ns = INT64_C(1700000000500000000);
	reply.metrics = (struct metrics){9, 1, 2, 3, 5};
	answer.tokens = s->thoughts + s->words + s->calls;
	if (s->calls) {
		answer.tool = mem_strdup("look");
		answer.args = mem_strdup("{\"at\":\"<x>\",\"n\":[1,2.50]}");
		strcpy(answer.call_id, "call_1");
	}
	buf_addf(&body, "{\"model\":\"%s\",%s%s}", model, d->body,
	         usage ? ",\"stream_options\":{\"include_usage\":true}" : "");
	ask_init(&ask, d->kind);
	assert_true(d->read(&ask, str_of(buf_text(&body)), &no));
	for (int i = 0; form == TRANSCRIPT_STREAM && i < answer_pieces(&answer); i++) {
		enum piece_kind kind;
		struct str text = answer_piece(&answer, i, &kind);

		d->form->add_piece(out, &reply, kind, text);
	}
	if (form == TRANSCRIPT_STREAM)
		d->form->add_end(out, &reply);
	else
		d->form->add_whole(out, &reply);
	reply_finish(&reply);
	answer_finish(&answer);
	ask_finish(&ask);
	buf_finish(&body);
	buf_finish(&no.message);
}

static bool
write_as(enum answer_family family, enum transcript_form from, const struct buf *body,
         enum transcript_form to, const char *model, bool usage, struct buf *out)
{
	struct transcript t = {family, from, {buf_text(body), body->len}};
	struct transcript_want want = {to, str_of(model), usage};

	return transcript_write(&t, &want, out);
}

static bool
is_complete(enum answer_family family, enum transcript_form form, const struct buf *body)
{
	struct transcript t = {family, form, {buf_text(body), body->len}};

	return transcript_is_complete(&t);
}

static void
check_same_json(const struct buf *got, const struct buf *want)
{
	cJSON *a = cJSON_Parse(buf_text(got)), *b = cJSON_Parse(buf_text(want));

	if (a == NULL || !cJSON_Compare(a, b, true))
		fail_msg("got  %s\nwant %s", buf_text(got), buf_text(want));
	cJSON_Delete(a);
	cJSON_Delete(b);
}

/* Line by line; in an object the order of the keys is free. */
static void
check_same_stream(const struct buf *got, const struct buf *want)
{
	struct str a = {buf_text(got), got->len}, b = {buf_text(want), want->len}, x, y;

	while (str_split(&a, '\n', &x)) {
		struct buf left = {0}, right = {0};

		assert_true(str_split(&b, '\n', &y));
		buf_add(&left, x.ptr, x.len);
		buf_add(&right, y.ptr, y.len);
		if (strchr(buf_text(&left), '{') == NULL || strchr(buf_text(&right), '{') == NULL) {
			assert_string_equal(buf_text(&left), buf_text(&right));
		} else {
			struct buf l = {strchr(left.data, '{'), 0, 0}, r = {strchr(right.data, '{'), 0, 0};

			check_same_json(&l, &r);
		}
		buf_finish(&left);
		buf_finish(&right);
	}
	assert_false(str_split(&b, '\n', &y));
}

/* Those whose forms are made from one another. */
enum { CONVERTED = 4 };

static void
a_stream_is_joined_to_what_the_node_sends_whole(void **state)
{
	for (int d = 0; d < CONVERTED; d++)
		for (int s = 0; s < SHAPES; s++) {
			struct buf stream = {0}, whole = {0}, joined = {0};

			node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_STREAM, true, &stream);
			node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_WHOLE, false, &whole);
			if (!write_as(dialects[d].family, TRANSCRIPT_STREAM, &stream, TRANSCRIPT_WHOLE, "m",
			              false, &joined))
				fail_msg("cannot join %s", buf_text(&stream));
			check_same_json(&joined, &whole);
			buf_finish(&stream);
			buf_finish(&whole);
			buf_finish(&joined);
		}
}

static void
a_whole_answer_goes_through_a_stream_and_back(void **state)
{
	for (int d = 0; d < CONVERTED; d++)
		for (int s = 0; s < SHAPES; s++) {
			struct buf whole = {0}, stream = {0}, joined = {0};
			enum answer_family family = dialects[d].family;

			node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_WHOLE, false, &whole);
			assert_true(
			    write_as(family, TRANSCRIPT_WHOLE, &whole, TRANSCRIPT_STREAM, "m", true, &stream));
			assert_true(is_complete(family, TRANSCRIPT_STREAM, &stream));
			assert_true(write_as(family, TRANSCRIPT_STREAM, &stream, TRANSCRIPT_WHOLE, "m", false,
			                     &joined));
			check_same_json(&joined, &whole);
			buf_finish(&stream);
			buf_finish(&whole);
			buf_finish(&joined);
		}
}

/* A piece is a word, as the simulated node's are. */
static void
an_answer_streams_as_the_node_streams_it(void **state)
{
	for (int d = 0; d < CONVERTED; d++)
		for (int usage = 0; usage < 2; usage++)
			for (int s = 0; s < SHAPES; s++) {
				struct buf whole = {0}, stream = {0}, split = {0};
				if (d == 3 && (shapes[s].words == 0 || shapes[s].thoughts > 0))
					continue; /* completions have empty chunks for what they cannot say */
				if (d == 0 && shapes[s].calls) /* an empty line for what it cannot say */
					continue;
				node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_WHOLE, false, &whole);
				node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_STREAM, usage != 0, &stream);
				assert_true(write_as(dialects[d].family, TRANSCRIPT_WHOLE, &whole,
				                     TRANSCRIPT_STREAM, "m", usage != 0, &split));
				check_same_stream(&split, &stream);
				buf_finish(&whole);
				buf_finish(&stream);
				buf_finish(&split);
			}
}

static void
the_model_is_named_as_it_was_asked_for(void **state)
{
	for (size_t d = 0; d < sizeof(dialects) / sizeof(dialects[0]); d++)
		for (int form = TRANSCRIPT_WHOLE; form <= TRANSCRIPT_STREAM; form++) {
			struct buf asked = {0}, wanted = {0}, got = {0};
			enum transcript_form f = (enum transcript_form)form;

			node_writes(&dialects[d], &shapes[2], "llama3", f, false, &asked);
			node_writes(&dialects[d], &shapes[2], "Llama3:latest", f, false, &wanted);
			assert_true(write_as(dialects[d].family, f, &asked, f, "Llama3:latest", false, &got));
			assert_string_equal(buf_text(&got), buf_text(&wanted));
			buf_finish(&asked);
			buf_finish(&wanted);
			buf_finish(&got);
		}
}

static void
usage_is_left_out_where_it_is_not_wanted_and_never_made_up(void **state)
{
	for (int d = 2; d < CONVERTED; d++)
		for (int s = 0; s < SHAPES; s++) {
			struct buf with = {0}, without = {0}, got = {0}, none = {0};
			enum answer_family family = dialects[d].family;

			node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_STREAM, true, &with);
			node_writes(&dialects[d], &shapes[s], "m", TRANSCRIPT_STREAM, false, &without);
			assert_true(
			    write_as(family, TRANSCRIPT_STREAM, &with, TRANSCRIPT_STREAM, "m", false, &got));
			assert_string_equal(buf_text(&got), buf_text(&without));
			assert_false(
			    write_as(family, TRANSCRIPT_STREAM, &without, TRANSCRIPT_STREAM, "m", true, &none));
			assert_false(
			    write_as(family, TRANSCRIPT_STREAM, &without, TRANSCRIPT_WHOLE, "m", false, &none));
			buf_finish(&with);
			buf_finish(&without);
			buf_finish(&got);
			buf_finish(&none);
		}
}

static void
only_what_has_its_end_is_complete(void **state)
{
	for (size_t d = 0; d < sizeof(dialects) / sizeof(dialects[0]); d++) {
		struct buf whole = {0}, stream = {0};
		enum answer_family family = dialects[d].family;

		node_writes(&dialects[d], &shapes[1], "m", TRANSCRIPT_WHOLE, false, &whole);
		node_writes(&dialects[d], &shapes[1], "m", TRANSCRIPT_STREAM, false, &stream);
		assert_true(is_complete(family, TRANSCRIPT_WHOLE, &whole));
		assert_true(is_complete(family, TRANSCRIPT_STREAM, &stream));
		assert_false(is_complete(family, TRANSCRIPT_WHOLE, &stream));
		for (whole.len -= 2; whole.len > 0; whole.len--)
			assert_false(is_complete(family, TRANSCRIPT_WHOLE, &whole));
		/* The last record, up to its closing brace or bracket. */
		for (stream.len -= 3; stream.len > 0 && stream.data[stream.len - 1] != '\n'; stream.len--)
			assert_false(is_complete(family, TRANSCRIPT_STREAM, &stream));
		while (stream.len > 0) {
			assert_false(is_complete(family, TRANSCRIPT_STREAM, &stream));
			stream.len = stream.len > 20 ? stream.len - 20 : 0;
		}
		buf_finish(&whole);
		buf_finish(&stream);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream_is_joined_to_what_the_node_sends_whole),
	    cmocka_unit_test(a_whole_answer_goes_through_a_stream_and_back),
	    cmocka_unit_test(an_answer_streams_as_the_node_streams_it),
	    cmocka_unit_test(the_model_is_named_as_it_was_asked_for),
	    cmocka_unit_test(usage_is_left_out_where_it_is_not_wanted_and_never_made_up),
	    cmocka_unit_test(only_what_has_its_end_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
