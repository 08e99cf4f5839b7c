#include "../check.h"

#include "base/map.h"

#include <stdio.h>

static void
finds_what_was_put_and_forgets_what_was_taken(void **state)
{
	struct map m = {0};
	int a = 1, b = 2;

	assert_null(map_find(&m, "a"));
	map_put(&m, "a", &a);
	map_put(&m, "b", &b);
	map_put(&m, "a", &b);
	assert_ptr_equal(map_find(&m, "a"), &b);
	assert_int_equal(map_count(&m), 2);
	assert_ptr_equal(map_take(&m, "a"), &b);
	assert_null(map_take(&m, "a"));
	assert_int_equal(map_count(&m), 1);
	map_finish(&m);
	assert_int_equal(map_count(&m), 0);
}

static void
walks_in_order_and_may_take_the_current_key(void **state)
{
	struct map m = {0};
	char key[8];
	int n = 0;

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		map_put(&m, key, &n);
	}
	MAP_FOR_EACH (it, &m) {
		snprintf(key, sizeof(key), "%d", n++);
		assert_string_equal(it.key, key);
		map_take(&m, it.key);
	}
	assert_int_equal(n, 100);
	assert_int_equal(map_count(&m), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_was_put_and_forgets_what_was_taken),
	    cmocka_unit_test(walks_in_order_and_may_take_the_current_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
