#include "../check.h"

#include "catalog.h"

#include <string.h>

static void
add(struct catalog *c, const char *text)
{
	struct buf why = {0};

	assert_true(catalog_add(c, str_of(text), 1000, &why));
	assert_string_equal(buf_text(&why), "");
	buf_finish(&why);
}

static void
finds_a_model_however_its_name_is_written(void **state)
{
	struct catalog c;

	catalog_init(&c);
	add(&c, "Llama3.1");
	add(&c, "qwen2.5:72b");
	assert_string_equal(catalog_find(&c, "llama3.1")->name, "Llama3.1:latest");
	assert_non_null(catalog_find(&c, "LLAMA3.1:LATEST"));
	assert_non_null(catalog_find(&c, "library/llama3.1"));
	assert_non_null(catalog_find(&c, "registry.ollama.ai/library/llama3.1:latest"));
	assert_null(catalog_find(&c, "llama3.1:8b"));
	assert_null(catalog_find(&c, ""));
	assert_null(catalog_find(&c, "../etc"));
	catalog_finish(&c);
}

static void
reads_how_a_model_is_described(void **state)
{
	struct catalog c;
	const struct model *m;

	catalog_init(&c);
	add(&c, "qwen2.5:72b,load=2s,unload=50ms,tps=12.5,prefill=300,share=0.25,thinking,vision");
	m = catalog_find(&c, "qwen2.5:72b");
	assert_int_equal(m->load_ms, 2000);
	assert_int_equal(m->unload_ms, 50);
	assert_true(m->tokens_per_s == 12.5 && m->prefill_per_s == 300);
	assert_true(m->share == 0.25);
	assert_true(m->thinks && m->sees && !m->embeds && !m->remote);
	assert_string_equal(m->family, "qwen2");
	assert_string_equal(m->parameters, "72B");
	assert_int_equal(m->size_bytes, 44640000000);
	add(&c, "nomic-embed-text,size=274MB");
	m = catalog_find(&c, "nomic-embed-text");
	assert_true(m->embeds);
	assert_int_equal(m->size_bytes, 274000000);
	add(&c, "gpt-oss:120b-cloud");
	assert_true(catalog_find(&c, "gpt-oss:120b-cloud")->remote);
	catalog_finish(&c);
}

static void
refuses_a_description_it_cannot_use(void **state)
{
	static const char *const bad[] = {"",         ":x",     "a b", "m,tps=-1",
	                                  "m,load=2", "m,fast", "m,",  "m,tps=x"};
	struct catalog c;
	struct buf why = {0};

	catalog_init(&c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&why);
		assert_false(catalog_add(&c, str_of(bad[i]), 1000, &why));
		assert_true(why.len > 0);
	}
	assert_true(list_empty(&c.models));
	buf_finish(&why);
	catalog_finish(&c);
}

static void
lists_the_newest_first_and_replaces_an_equal_name(void **state)
{
	struct catalog c;
	struct model *m;
	char names[64] = "";

	catalog_init(&c);
	add(&c, "a");
	add(&c, "b");
	add(&c, "A,tps=9");
	LIST_FOR_EACH (m, &c.models, struct model, link)
		strcat(names, m->name);
	assert_string_equal(names, "A:latestb:latest");
	catalog_finish(&c);
}

static void
a_copy_has_the_weights_of_its_source(void **state)
{
	struct catalog c;
	struct model *kept;

	catalog_init(&c);
	add(&c, "a");
	add(&c, "b");
	catalog_alias(&c, catalog_find(&c, "a"), "mine:v1", 2000);
	assert_string_equal(catalog_find(&c, "mine:v1")->weights, catalog_find(&c, "a")->weights);
	assert_string_not_equal(catalog_find(&c, "b")->weights, catalog_find(&c, "a")->weights);
	kept = model_keep(catalog_find(&c, "mine:v1"));
	assert_true(catalog_remove(&c, "mine:v1"));
	assert_false(catalog_remove(&c, "mine:v1"));
	assert_string_equal(kept->name, "mine:v1");
	model_release(&kept);
	assert_non_null(catalog_find(&c, "a"));
	catalog_finish(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_a_model_however_its_name_is_written),
	    cmocka_unit_test(reads_how_a_model_is_described),
	    cmocka_unit_test(refuses_a_description_it_cannot_use),
	    cmocka_unit_test(lists_the_newest_first_and_replaces_an_equal_name),
	    cmocka_unit_test(a_copy_has_the_weights_of_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
