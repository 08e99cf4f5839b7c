#include "../check.h"

#include "base/list.h"

struct item {
	int n;
	struct list link;
};

static void
keeps_order_and_survives_removal_while_walking(void **state)
{
	struct list head;
	struct item items[4], *it;
	int seen = 0;

	list_init(&head);
	for (int i = 0; i < 4; i++) {
		items[i].n = i;
		list_add_last(&head, &items[i].link);
	}
	LIST_FOR_EACH (it, &head, struct item, link) {
		assert_int_equal(it->n, seen++);
		list_remove(&it->link);
	}
	assert_int_equal(seen, 4);
	assert_true(list_empty(&head));
	assert_null(LIST_FIRST(&head, struct item, link));
}

static void
removing_twice_is_harmless(void **state)
{
	struct list head;
	struct item a;

	list_init(&head);
	list_add_first(&head, &a.link);
	assert_true(list_linked(&a.link));
	list_remove(&a.link);
	list_remove(&a.link);
	assert_false(list_linked(&a.link));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_order_and_survives_removal_while_walking),
	    cmocka_unit_test(removing_twice_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
