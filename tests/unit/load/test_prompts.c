/* Files of prompts. */
#include "prompts.h"

#include "../check.h"

#include <stdio.h>
#include <string.h>

static const char path[] = "test_prompts.txt";

static bool
read_text(struct prompts *p, const char *text, bool takes_messages, struct buf *why)
{
	FILE *f = fopen(path, "w");
	bool good;

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	good = prompts_read(p, path, takes_messages, why);
	remove(path);
	return good;
}

static void
a_line_is_a_prompt_of_text_or_json(void **state)
{
	struct prompts p;
	struct buf why = {0};

	assert_true(read_text(&p,
	                      "Hello\r\n\n{\"prompt\": \"Hi\", \"num_predict\": 7, \"model\": \"b\"}\n"
	                      "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\nlast",
	                      true, &why));
	assert_int_equal(p.count, 4);
	assert_string_equal(p.all[0].text, "Hello");
	assert_string_equal(p.all[1].text, "Hi");
	assert_int_equal(p.all[1].output_tokens, 7);
	assert_string_equal(p.all[1].model, "b");
	assert_null(p.all[2].text);
	assert_string_equal(p.all[2].messages, "[{\"role\":\"user\",\"content\":\"x\"}]");
	assert_string_equal(p.all[3].text, "last");
	prompts_finish(&p);
}

static void
expect_bad(const char *text, const char *words)
{
	struct prompts p;
	struct buf why = {0};

	assert_false(read_text(&p, text, false, &why));
	if (strstr(buf_text(&why), words) == NULL)
		fail_msg("%s", buf_text(&why));
	prompts_finish(&p);
	buf_finish(&why);
}

static void
a_file_that_is_no_good_is_refused_with_its_line(void **state)
{
	struct prompts p;
	struct buf why = {0};

	expect_bad("", "there is no prompt");
	expect_bad("fine\n{\"prompt\": \n", "test_prompts.txt:2: it begins like JSON");
	expect_bad("{\"text\": \"x\"}\n", "test_prompts.txt:1: a \"prompt\" or \"messages\"");
	expect_bad("{\"messages\": []}\n", "this API takes a \"prompt\"");
	assert_false(prompts_read(&p, "no/such/file", true, &why));
	assert_non_null(strstr(buf_text(&why), "no/such/file: No such file"));
	buf_finish(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_a_prompt_of_text_or_json),
	    cmocka_unit_test(a_file_that_is_no_good_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
