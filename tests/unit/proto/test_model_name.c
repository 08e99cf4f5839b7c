#include "../check.h"

#include "proto/model_name.h"

#include <string.h>

static void
names_that_ollama_holds_for_one_become_one(void **state)
{
	static const struct {
		const char *written, *canonical;
	} rows[] = {
	    {"llama3", "llama3:latest"},
	    {"llama3:latest", "llama3:latest"},
	    {"LLaMA3:8B-Q4_K_M", "llama3:8b-q4_k_m"},
	    {"library/llama3", "llama3:latest"},
	    {"Library/Llama3:8b", "llama3:8b"},
	    {"registry.ollama.ai/library/llama3", "llama3:latest"},
	    {"Registry.Ollama.AI/mike/llama3:x", "mike/llama3:x"},
	    {"https://registry.ollama.ai/library/llama3:8b", "llama3:8b"},
	    {"http://registry.ollama.ai/mike/llama3", "mike/llama3:latest"},
	    {"mike/llama3", "mike/llama3:latest"},
	    {"hf.co/bartowski/X-GGUF:Q8_0", "hf.co/bartowski/x-gguf:q8_0"},
	    {"localhost:5000/library/llama3", "localhost:5000/library/llama3:latest"},
	    {"host/library/llama3:x", "host/library/llama3:x"},
	    {"library/mike/llama3", "library/mike/llama3:latest"},
	    {"llama3:", "llama3:"},
	    {"registry.ollama.ai/llama3", "registry.ollama.ai/llama3:latest"},
	    {"https://llama3", "https://llama3:latest"},
	};
	char name[MODEL_NAME_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(model_name_canonical(str_of(rows[i].written), name));
		assert_string_equal(name, rows[i].canonical);
		assert_true(model_name_canonical(str_of(rows[i].canonical), name));
		assert_string_equal(name, rows[i].canonical);
	}
}

static void
what_is_no_name_is_refused(void **state)
{
	char name[MODEL_NAME_MAX], longest[MODEL_NAME_MAX];

	assert_false(model_name_canonical(str_of(""), name));
	assert_false(model_name_canonical(str_of("library/"), name));
	assert_false(model_name_canonical(str_of("a\nb"), name));
	assert_false(model_name_canonical(str_of("a\x7f"), name));
	assert_false(model_name_canonical((struct str){"a\0b", 3}, name));
	memset(longest, 'a', sizeof(longest));
	assert_true(model_name_canonical((struct str){longest, MODEL_NAME_MAX - 8}, name));
	assert_int_equal(strlen(name), MODEL_NAME_MAX - 1);
	assert_false(model_name_canonical((struct str){longest, MODEL_NAME_MAX - 7}, name));
}

static void
is_cloud(const char *written, bool want)
{
	char name[MODEL_NAME_MAX];

	assert_true(model_name_canonical(str_of(written), name));
	assert_int_equal(model_name_is_cloud(name), want);
}

static void
cloud_is_told_by_the_tag(void **state)
{
	is_cloud("glm-5:cloud", true);
	is_cloud("gpt-oss:120b-Cloud", true);
	is_cloud("mike/gpt-oss:120b-cloud", true);
	is_cloud("point-cloud", false);
	is_cloud("cloud", false);
	is_cloud("x:mycloud", false);
	is_cloud("x:cloud-8b", false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_that_ollama_holds_for_one_become_one),
	    cmocka_unit_test(what_is_no_name_is_refused),
	    cmocka_unit_test(cloud_is_told_by_the_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
