#include "../check.h"

#include "base/buf.h"
#include "proto/cache_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- keys of texts --- */

static bool
end_key(struct cache_key_reader *r, enum answer_family family, const char *model, const char *scope,
        struct cache_key *out)
{
	struct buf about = {0};
	bool ok;

	cache_key_add_about(&about, family, str_of(model), str_of(scope));
	ok = cache_key_reader_end(r, (struct str){about.data, about.len}, out);
	buf_finish(&about);
	return ok;
}

static bool
read_key(enum answer_family family, struct str body, size_t step, struct cache_key *out)
{
	struct cache_key_reader *r = cache_key_reader_create(family);
	struct json_scanner *s = json_scanner_create(cache_key_on_json, r, 100000);
	bool ok = true;

	for (size_t at = 0; ok && at < body.len; at += step)
		ok = json_scanner_feed(
		    s, (struct str){body.ptr + at, body.len - at < step ? body.len - at : step});
	ok = ok && json_scanner_end(s);
	assert_true(ok);
	ok = end_key(r, family, "llama3:latest", "", out);
	json_scanner_destroy(&s);
	cache_key_reader_destroy(&r);
	return ok;
}

static struct cache_key
key_of(enum answer_family family, const char *body)
{
	struct cache_key key;

	if (!read_key(family, str_of(body), SIZE_MAX / 2, &key))
		fail_msg("no key: %s", body);
	return key;
}

static bool
is_same(enum answer_family family, const char *a, const char *b)
{
	struct cache_key x = key_of(family, a), y = key_of(family, b);

	return memcmp(&x.digest, &y.digest, sizeof(x.digest)) == 0;
}

static void
share(enum answer_family family, const char *a, const char *b)
{
	if (!is_same(family, a, b))
		fail_msg("other keys: %s and %s", a, b);
}

static void
differ(enum answer_family family, const char *a, const char *b)
{
	if (is_same(family, a, b))
		fail_msg("one key: %s and %s", a, b);
}

static void
has_none(enum answer_family family, const char *body)
{
	struct cache_key key;

	if (read_key(family, str_of(body), 7, &key))
		fail_msg("a key: %s", body);
}

/* --- what shares an entry --- */

static void
writing_makes_no_difference(void **state)
{
	share(ANSWER_CHAT, "{\"a\":1,\"b\":2}", " { \"b\" :\n2 ,\t\"a\": 1 } ");
	share(ANSWER_CHAT, "{\"m\":[{\"x\":1,\"y\":2}]}", "{\"m\":[{\"y\":2,\"x\":1}]}");
	share(ANSWER_CHAT, "{\"t\":\"\xc3\xa9\"}", "{\"t\":\"\\u00e9\"}");
	share(ANSWER_CHAT, "{\"t\":\"\\ud83d\\ude00/\"}", "{\"t\":\"\xf0\x9f\x98\x80\\/\"}");
	share(ANSWER_CHAT, "{\"\\u0061\":1}", "{\"a\":1}");
}

static void
numbers_are_what_they_are_worth(void **state)
{
	static const char *const one[] = {"1.0", "1", "1e0", "10e-1", "0.1E+1", "100e-2", "1.000"};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		char body[64];

		snprintf(body, sizeof(body), "{\"options\":{\"top_p\":%s}}", one[i]);
		share(ANSWER_GENERATE, "{\"options\":{\"top_p\":1}}", body);
	}
	share(ANSWER_CHAT, "{\"a\":-1.50}", "{\"a\":-15e-1}");
	share(ANSWER_CHAT, "{\"a\":0}", "{\"a\":0.00e7}");
	differ(ANSWER_CHAT, "{\"a\":1}", "{\"a\":10}");
	differ(ANSWER_CHAT, "{\"a\":1}", "{\"a\":-1}");
	differ(ANSWER_CHAT, "{\"a\":0.1}", "{\"a\":0.10000000000000001}");
	differ(ANSWER_CHAT, "{\"a\":1e999999999}", "{\"a\":1e999999998}");
	differ(ANSWER_CHAT, "{\"a\":1e99999999999}", "{\"a\":1e99999999998}");
	differ(ANSWER_CHAT, "{\"a\":1}", "{\"a\":\"1\"}");
}

static void
what_is_left_out_is_as_if_written(void **state)
{
	share(ANSWER_GENERATE, "{\"prompt\":\"x\"}",
	      "{\"prompt\":\"x\",\"system\":\"\",\"template\":\"\",\"suffix\":null,\"raw\":false,"
	      "\"images\":[],\"context\":null,\"format\":\"\",\"options\":{},\"truncate\":true,"
	      "\"shift\":true,\"think\":null,\"logprobs\":false,\"top_logprobs\":0}");
	share(ANSWER_GENERATE, "{\"options\":{\"seed\":1,\"stop\":null}}",
	      "{\"options\":{\"seed\":1}}");
	share(ANSWER_OPENAI_CHAT, "{}", "{\"temperature\":1.0,\"top_p\":1,\"tools\":[]}");
	share(ANSWER_OPENAI_COMPLETION, "{}", "{\"frequency_penalty\":0,\"presence_penalty\":0.0}");
	share(ANSWER_OPENAI_EMBEDDINGS, "{}", "{\"encoding_format\":\"float\",\"dimensions\":0}");
	share(ANSWER_MESSAGES, "{}", "{\"stream\":false,\"tools\":[],\"stop_sequences\":[]}");
	/* A model's own parameters stand between the default and the answer. */
	differ(ANSWER_GENERATE, "{}", "{\"options\":{\"temperature\":0.8}}");
	differ(ANSWER_GENERATE, "{}", "{\"options\":{\"seed\":-1}}");
	differ(ANSWER_MESSAGES, "{}", "{\"temperature\":1}");
	differ(ANSWER_RESPONSES, "{}", "{\"top_p\":1}");
}

static void
what_does_not_change_the_answer_is_no_part(void **state)
{
	share(ANSWER_CHAT, "{\"model\":\"a\",\"stream\":true,\"keep_alive\":\"5m\"}",
	      "{\"model\":\"A:latest\",\"keep_alive\":-1}");
	share(ANSWER_OPENAI_CHAT,
	      "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"user\":\"u\","
	      "\"metadata\":{\"a\":1},\"store\":true,\"service_tier\":\"auto\"}",
	      "{}");
	share(ANSWER_MESSAGES, "{\"metadata\":{\"user_id\":\"u\"}}", "{}");
	share(ANSWER_OPENAI_EMBEDDINGS, "{\"user\":\"u\",\"input\":\"x\"}", "{\"input\":\"x\"}");
}

static void
known_fields_have_no_case(void **state)
{
	share(ANSWER_OPENAI_CHAT, "{\"Temperature\":0}", "{\"temperature\":0}");
	share(ANSWER_GENERATE, "{\"\xc5\xbfystem\":\"s\"}", "{\"system\":\"s\"}");
	share(ANSWER_OPENAI_CHAT, "{\"USER\":\"u\"}", "{}");
	/* Options are a map. */
	differ(ANSWER_CHAT, "{\"options\":{\"Top_k\":1}}", "{\"options\":{\"top_k\":1}}");
}

/* --- what does not --- */

static void
anything_that_matters_makes_another_key(void **state)
{
	static const char *const bodies[] = {
	    "{}",
	    "{\"messages\":[]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
	    "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"images\":[\"AAAA\"]}]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"images\":[\"AAAB\"]}]}",
	    "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{}]}",
	    "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}",
	    "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}",
	    "{\"options\":{\"seed\":1}}",
	    "{\"options\":{\"seed\":2}}",
	    "{\"options\":{\"temperature\":0}}",
	    "{\"options\":{\"num_ctx\":4096}}",
	    "{\"options\":{\"stop\":[\"a\",\"b\"]}}",
	    "{\"options\":{\"stop\":[\"b\",\"a\"]}}",
	    "{\"options\":{\"stop\":[\"ab\"]}}",
	    "{\"options\":[]}",
	    "{\"format\":\"json\"}",
	    "{\"format\":{\"type\":\"object\"}}",
	    "{\"think\":true}",
	    "{\"think\":false}",
	    "{\"think\":\"low\"}",
	    "{\"truncate\":false}",
	    "{\"something_new\":1}",
	    "{\"something_new\":null}",
	    "{\"SOMETHING_NEW\":1}",
	};
	size_t count = sizeof(bodies) / sizeof(bodies[0]);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			differ(ANSWER_CHAT, bodies[i], bodies[k]);
}

static void
each_form_of_responses_and_messages_has_its_own(void **state)
{
	differ(ANSWER_RESPONSES, "{\"stream\":true}", "{}");
	differ(ANSWER_MESSAGES, "{\"stream\":true}", "{\"stream\":false}");
}

static void
families_models_and_scopes_do_not_mix(void **state)
{
	static const char *const models[] = {"a", "b", "a", "ab"};
	static const char *const scopes[] = {"bc", "c", "b", ""};
	struct cache_key keys[5];

	for (size_t i = 0; i < 5; i++) {
		enum answer_family family = i == 4 ? ANSWER_EMBED : ANSWER_CHAT;
		struct cache_key_reader *r = cache_key_reader_create(family);
		struct json_scanner *s = json_scanner_create(cache_key_on_json, r, 10);

		assert_true(json_scanner_feed(s, str_of("{}")) && json_scanner_end(s));
		assert_true(end_key(r, family, models[i % 4], scopes[i % 4], &keys[i]));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(&keys[i].digest, &keys[k].digest, sizeof(keys[i].digest));
		json_scanner_destroy(&s);
		cache_key_reader_destroy(&r);
	}
}

static void
what_is_said_twice_has_no_key_where_it_counts(void **state)
{
	has_none(ANSWER_GENERATE, "{\"system\":\"x\",\"system\":\"\"}");
	has_none(ANSWER_GENERATE, "{\"system\":\"x\",\"SYSTEM\":\"y\"}");
	has_none(ANSWER_GENERATE, "{\"options\":{\"temperature\":0,\"temperature\":null}}");
	has_none(ANSWER_OPENAI_CHAT, "{\"seed\":1,\"\xc5\xbf\x65\x65\x64\":2}");
	/* Deeper down Go settles it by the order, so the order counts. */
	differ(ANSWER_CHAT, "{\"messages\":[{\"content\":\"a\",\"Content\":\"b\"}]}",
	       "{\"messages\":[{\"Content\":\"b\",\"content\":\"a\"}]}");
	differ(ANSWER_CHAT, "{\"messages\":[{\"content\":\"a\",\"content\":\"b\"}]}",
	       "{\"messages\":[{\"content\":\"b\"}]}");
}

/* --- facts --- */

static void
knows_what_is_deterministic(void **state)
{
	assert_true(key_of(ANSWER_EMBED, "{\"input\":\"x\"}").deterministic);
	assert_true(key_of(ANSWER_EMBEDDINGS, "{}").deterministic);
	assert_true(key_of(ANSWER_OPENAI_EMBEDDINGS, "{}").deterministic);
	assert_true(key_of(ANSWER_CHAT, "{\"options\":{\"temperature\":0.0}}").deterministic);
	assert_true(key_of(ANSWER_CHAT, "{\"options\":{\"seed\":0}}").deterministic);
	assert_true(key_of(ANSWER_OPENAI_CHAT, "{\"temperature\":-0}").deterministic);
	assert_true(key_of(ANSWER_OPENAI_COMPLETION, "{\"Seed\":42}").deterministic);
	assert_true(key_of(ANSWER_RESPONSES, "{\"temperature\":0}").deterministic);
	assert_true(key_of(ANSWER_MESSAGES, "{\"temperature\":0}").deterministic);

	assert_false(key_of(ANSWER_CHAT, "{}").deterministic);
	assert_false(key_of(ANSWER_CHAT, "{\"temperature\":0,\"seed\":1}").deterministic);
	assert_false(key_of(ANSWER_CHAT, "{\"options\":{\"Seed\":1}}").deterministic);
	assert_false(key_of(ANSWER_CHAT, "{\"options\":{\"x\":{\"seed\":1}}}").deterministic);
	assert_false(key_of(ANSWER_CHAT, "{\"options\":{\"seed\":-1}}").deterministic);
	assert_false(key_of(ANSWER_CHAT, "{\"options\":{\"seed\":\"1\"}}").deterministic);
	assert_false(key_of(ANSWER_OPENAI_CHAT, "{\"options\":{\"seed\":1}}").deterministic);
	assert_false(key_of(ANSWER_OPENAI_CHAT, "{\"seed\":null,\"temperature\":0.1}").deterministic);
	assert_false(key_of(ANSWER_MESSAGES, "{\"temperature\":0,\"tools\":[{\"name\":\"s\",\"type\":"
	                                     "\"web_search_20250305\"}]}")
	                 .deterministic);
}

static void
knows_whether_usage_is_wanted(void **state)
{
	assert_true(
	    key_of(ANSWER_OPENAI_CHAT, "{\"stream_options\":{\"include_usage\":true}}").include_usage);
	assert_false(
	    key_of(ANSWER_OPENAI_CHAT, "{\"stream_options\":{\"include_usage\":false}}").include_usage);
	assert_false(key_of(ANSWER_OPENAI_CHAT, "{\"include_usage\":true}").include_usage);
	assert_false(
	    key_of(ANSWER_CHAT, "{\"stream_options\":{\"include_usage\":true}}").include_usage);
}

static void
a_reader_that_is_used_again_knows_nothing_of_before(void **state)
{
	struct cache_key_reader *r = cache_key_reader_create(ANSWER_OPENAI_CHAT);
	struct json_scanner *s = json_scanner_create(cache_key_on_json, r, 100);
	struct cache_key want = key_of(ANSWER_CHAT, "{\"messages\":[{\"b\":1,\"a\":2}]}"), key;

	/* It is left in the middle. */
	assert_true(
	    json_scanner_feed(s, str_of("{\"seed\":1,\"tools\":[{\"type\":\"web_search\",\"x")));
	json_scanner_destroy(&s);
	cache_key_reader_restart(r, ANSWER_CHAT);
	s = json_scanner_create(cache_key_on_json, r, 100);
	assert_true(json_scanner_feed(s, str_of("{\"messages\":[{\"a\":2,\"b\":1}]}")) &&
	            json_scanner_end(s));
	assert_true(end_key(r, ANSWER_CHAT, "llama3:latest", "", &key));
	assert_memory_equal(&key.digest, &want.digest, sizeof(key.digest));
	assert_false(key.deterministic);
	json_scanner_destroy(&s);
	cache_key_reader_destroy(&r);
}

/* --- sizes --- */

static char *
repeated(const char *begin, const char *text, int times, const char *end)
{
	struct buf b = {0};

	buf_adds(&b, begin);
	for (int i = 0; i < times; i++)
		buf_addf(&b, "%s%s", i > 0 && *text != 'x' ? "," : "", text);
	buf_adds(&b, end);
	return buf_take(&b);
}

static void
long_values_differ_in_any_place(void **state)
{
	for (int n = 250; n < 260; n++) {
		char *a = repeated("{\"t\":\"", "x", n, "\"}"), *b = repeated("{\"t\":\"", "x", n, "y\"}");
		char *c = repeated("{\"", "x", n, "\":1}"), *d = repeated("{\"", "x", n, "y\":1}");
		struct cache_key whole, cut;

		differ(ANSWER_CHAT, a, b);
		differ(ANSWER_CHAT, c, d);
		assert_true(read_key(ANSWER_CHAT, str_of(a), 1, &cut));
		whole = key_of(ANSWER_CHAT, a);
		assert_memory_equal(&whole.digest, &cut.digest, sizeof(cut.digest));
		free(a);
		free(b);
		free(c);
		free(d);
	}
}

static void
long_arrays_differ_in_any_place(void **state)
{
	char *a = repeated("{\"context\":[", "7", 5000, "]}");
	struct cache_key first = key_of(ANSWER_GENERATE, a), key;
	size_t len = strlen(a);

	for (size_t i = len - 3; i > 50; i -= 38) { /* an even step: always a digit */
		a[i] = a[i] == '7' ? '8' : a[i];
		key = key_of(ANSWER_GENERATE, a);
		assert_memory_not_equal(&key.digest, &first.digest, sizeof(key.digest));
		a[i] = a[i] == '8' ? '7' : a[i];
	}
	free(a);
}

static void
a_huge_object_has_no_key_and_a_huge_array_has(void **state)
{
	struct buf b = {0};
	struct cache_key key;
	char *array = repeated("{\"context\":[", "12345", 90000, "]}");

	buf_adds(&b, "{\"tools\":{");
	for (int i = 0; i < 40000; i++)
		buf_addf(&b, "%s\"k%d\":1", i > 0 ? "," : "", i);
	buf_adds(&b, "}}");
	assert_false(read_key(ANSWER_CHAT, (struct str){b.data, b.len}, 4096, &key));
	assert_true(read_key(ANSWER_GENERATE, str_of(array), 4096, &key));
	free(array);
	buf_finish(&b);
}

/* --- any value --- */

/* A value that is made from a seed; asked again with the same seed it is the same value, in
 * another writing. `change`: the number of the leaf that is to be another one. */
struct writer {
	uint64_t value; /* what is said */
	uint64_t style; /* how */
	int leaves, change;
	struct buf out;
};

static unsigned
draw(uint64_t *state, unsigned below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*state >> 33) % below);
}

static void
write_space(struct writer *w)
{
	static const char *const spaces[] = {"", "", "", " ", "\n\t", "\r"};

	buf_adds(&w->out, spaces[draw(&w->style, 6)]);
}

static void
write_text(struct writer *w, unsigned what, bool changed)
{
	static const char *const texts[] = {"",        "a",        "content", "\xc3\xa9\xe2\x82\xac",
	                                    "\"\\/\n", "k\xc5\xbf"};
	const char *text = texts[what % 6];

	buf_addc(&w->out, '"');
	for (size_t i = 0, n; text[i] != '\0'; i += n) {
		n = str_utf8_len(text + i, strlen(text + i));
		if (n == 1 && (draw(&w->style, 3) == 0 || strchr("\"\\\n", text[i]) != NULL))
			buf_addf(&w->out, "\\u%04X", (unsigned)text[i]);
		else if (text[i] == '\xc3' && draw(&w->style, 2) == 0)
			buf_adds(&w->out, "\\u00e9");
		else
			buf_add(&w->out, text + i, n);
	}
	if (what >= 6)
		for (int i = 0; i < 300; i++)
			buf_addc(&w->out, 'l');
	buf_adds(&w->out, changed ? "!\"" : "\"");
}

static void
write_number(struct writer *w, unsigned what, bool changed)
{
	int n = (int)what - 20 + (changed ? 100 : 0);

	switch (n == 0 ? 0 : draw(&w->style, 4)) {
	case 0: buf_addf(&w->out, "%d", n); break;
	case 1: buf_addf(&w->out, "%d.0", n); break;
	case 2: buf_addf(&w->out, "%d00e-2", n); break;
	case 3: buf_addf(&w->out, "%.2fE+1", n / 10.0); break;
	}
}

static void
write_leaf(struct writer *w)
{
	bool changed = w->leaves++ == w->change;
	unsigned kind = draw(&w->value, 5), what = draw(&w->value, 40);

	if (kind <= 1)
		write_text(w, what % 8, changed);
	else if (kind <= 3)
		write_number(w, what, changed);
	else
		buf_adds(&w->out, (what % 2 == 0) != changed ? "true" : "false");
}

static void write_value(struct writer *w, int depth);

static void
write_array(struct writer *w, int depth)
{
	unsigned count = draw(&w->value, 12) == 0 ? 200 : draw(&w->value, 4);

	buf_addc(&w->out, '[');
	for (unsigned i = 0; i < count; i++) {
		buf_adds(&w->out, i > 0 ? "," : "");
		write_value(w, depth + 1);
	}
	buf_addc(&w->out, ']');
}

/* Each member has a seed of its own, so that the order in which they are written does not
 * matter; but the leaves must be counted in one order, so the members are written apart. */
static void
write_object(struct writer *w, int depth)
{
	enum { MOST = 6 };
	unsigned count = draw(&w->value, MOST), order[MOST];
	struct buf whole = w->out, members[MOST] = {{0}};

	for (unsigned i = 0; i < count; i++) {
		w->out = (struct buf){0};
		buf_addf(&w->out, "\"n%u\"", i);
		write_space(w);
		buf_addc(&w->out, ':');
		write_value(w, depth + 1);
		members[i] = w->out;
		order[i] = i;
	}
	w->out = whole;
	for (unsigned i = count; i > 1; i--) {
		unsigned k = draw(&w->style, i), was = order[i - 1];

		order[i - 1] = order[k];
		order[k] = was;
	}
	buf_addc(&w->out, '{');
	for (unsigned i = 0; i < count; i++) {
		buf_adds(&w->out, i > 0 ? "," : "");
		buf_adds(&w->out, buf_text(&members[order[i]]));
	}
	buf_addc(&w->out, '}');
	for (unsigned i = 0; i < count; i++)
		buf_finish(&members[i]);
}

static void
write_value(struct writer *w, int depth)
{
	unsigned kind = depth == 0 ? 0 : draw(&w->value, 6);

	write_space(w);
	if (kind <= 1 && depth < 5)
		write_object(w, depth);
	else if (kind == 2 && depth < 5)
		write_array(w, depth);
	else
		write_leaf(w);
	write_space(w);
}

static struct cache_key
write_key(uint64_t value, uint64_t style, int change, int *leaves)
{
	struct writer w = {.value = value, .style = style, .change = change};
	struct cache_key key;

	write_value(&w, 0);
	if (!read_key(ANSWER_CHAT, (struct str){w.out.data, w.out.len}, 1 + draw(&style, 50), &key))
		fail_msg("no key: %s", buf_text(&w.out));
	buf_finish(&w.out);
	*leaves = w.leaves;
	return key;
}

static void
any_value_has_one_key_and_another_value_has_another(void **state)
{
	for (uint64_t seed = 1; seed <= 400; seed++) {
		int leaves, others;
		struct cache_key key = write_key(seed, 1, -1, &leaves), again;

		for (uint64_t style = 2; style < 8; style++) {
			again = write_key(seed, style * seed, -1, &others);
			assert_memory_equal(&key.digest, &again.digest, sizeof(key.digest));
			if (leaves == 0)
				continue;
			again = write_key(seed, style, (int)(style * 7919 % (unsigned)leaves), &others);
			assert_memory_not_equal(&key.digest, &again.digest, sizeof(key.digest));
			assert_int_equal(leaves, others);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writing_makes_no_difference),
	    cmocka_unit_test(numbers_are_what_they_are_worth),
	    cmocka_unit_test(what_is_left_out_is_as_if_written),
	    cmocka_unit_test(what_does_not_change_the_answer_is_no_part),
	    cmocka_unit_test(known_fields_have_no_case),
	    cmocka_unit_test(anything_that_matters_makes_another_key),
	    cmocka_unit_test(each_form_of_responses_and_messages_has_its_own),
	    cmocka_unit_test(families_models_and_scopes_do_not_mix),
	    cmocka_unit_test(what_is_said_twice_has_no_key_where_it_counts),
	    cmocka_unit_test(knows_what_is_deterministic),
	    cmocka_unit_test(knows_whether_usage_is_wanted),
	    cmocka_unit_test(a_reader_that_is_used_again_knows_nothing_of_before),
	    cmocka_unit_test(long_values_differ_in_any_place),
	    cmocka_unit_test(long_arrays_differ_in_any_place),
	    cmocka_unit_test(a_huge_object_has_no_key_and_a_huge_array_has),
	    cmocka_unit_test(any_value_has_one_key_and_another_value_has_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
