#include "../check.h"

#include "faults.h"

static bool
add(struct list *faults, const char *text)
{
	struct buf why = {0};
	cJSON *body = gojson_parse(str_of(text), &why);
	bool ok = faults_add(faults, body, &why);

	assert_int_equal(ok, why.len == 0);
	cJSON_Delete(body);
	buf_finish(&why);
	return ok;
}

static void
hits_so_many_requests_of_its_route(void **state)
{
	struct list faults;
	struct fault f;

	list_init(&faults);
	assert_true(
	    add(&faults, "{\"kind\":\"status\",\"status\":418,\"count\":2,\"route\":\"/api/t*\"}"));
	assert_false(faults_take(&faults, "/api/generate", true, &f));
	assert_true(faults_take(&faults, "/api/tags", false, &f));
	assert_int_equal(f.status, 418);
	assert_true(faults_take(&faults, "/api/tags", false, &f));
	assert_false(faults_take(&faults, "/api/tags", false, &f));
	assert_true(list_empty(&faults));
}

static void
without_a_route_it_hits_what_runs_a_model(void **state)
{
	struct list faults;
	struct fault f;

	list_init(&faults);
	assert_true(add(&faults, "{\"kind\":\"cut\"}") == false);
	assert_true(add(&faults, "{\"kind\":\"close\",\"after_tokens\":3,\"count\":-1}"));
	for (int i = 0; i < 100; i++)
		assert_true(faults_take(&faults, "/v1/messages", true, &f));
	assert_false(faults_take(&faults, "/api/version", false, &f));
	assert_int_equal(f.after_tokens, 3);
	faults_clear(&faults);
	assert_true(list_empty(&faults));
}

static void
each_kind_knows_whether_it_needs_a_stream(void **state)
{
	struct list faults;
	struct fault f;

	list_init(&faults);
	assert_true(add(&faults, "{\"kind\":\"hang\"}"));
	assert_true(faults_take(&faults, "/", true, &f));
	assert_int_equal(f.after_tokens, -1);
	assert_true(add(&faults, "{\"kind\":\"error\",\"message\":\"boom\"}"));
	assert_true(faults_take(&faults, "/", true, &f));
	assert_int_equal(f.after_tokens, 1);
	assert_string_equal(f.message, "boom");
}

static void
refuses_what_makes_no_sense(void **state)
{
	struct list faults;

	list_init(&faults);
	assert_false(add(&faults, "{}"));
	assert_false(add(&faults, "{\"kind\":\"explode\"}"));
	assert_false(add(&faults, "{\"kind\":\"close\",\"count\":0}"));
	assert_false(add(&faults, "{\"kind\":\"status\",\"status\":42}"));
	assert_true(list_empty(&faults));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hits_so_many_requests_of_its_route),
	    cmocka_unit_test(without_a_route_it_hits_what_runs_a_model),
	    cmocka_unit_test(each_kind_knows_whether_it_needs_a_stream),
	    cmocka_unit_test(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
