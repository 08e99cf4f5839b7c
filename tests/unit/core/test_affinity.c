/* The last node of a conversation, in a table of fixed size. */
#include "../check.h"
#include "affinity.h"
#include "core/backend.h"

static struct affinity table;
static char nodes[8];

/* Only their addresses count here. */
static struct backend *
node(int i)
{
	return (struct backend *)(void *)&nodes[i];
}

static int
set_up(void **state)
{
	table = (struct affinity){0};
	return 0;
}

static void
the_last_node_is_remembered(void **state)
{
	assert_null(affinity_find(&table, 7));
	affinity_saw(&table, 7, node(1));
	assert_ptr_equal(affinity_find(&table, 7), node(1));
	affinity_saw(&table, 7, node(2));
	assert_ptr_equal(affinity_find(&table, 7), node(2));
}

static void
no_conversation_is_not_remembered(void **state)
{
	affinity_saw(&table, 0, node(1));
	assert_null(affinity_find(&table, 0));
}

static void
the_one_used_longest_ago_is_forgotten(void **state)
{
	for (int i = 0; i < AFFINITY_WAYS; i++)
		affinity_saw(&table, 5 + (uint64_t)i * AFFINITY_SETS, node(i));
	affinity_saw(&table, 5, node(5));
	affinity_saw(&table, 5 + (uint64_t)AFFINITY_WAYS * AFFINITY_SETS, node(6));
	assert_ptr_equal(affinity_find(&table, 5), node(5));
	assert_null(affinity_find(&table, 5 + AFFINITY_SETS));
	assert_ptr_equal(affinity_find(&table, 5 + 2 * AFFINITY_SETS), node(2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_last_node_is_remembered, set_up),
	    cmocka_unit_test_setup(no_conversation_is_not_remembered, set_up),
	    cmocka_unit_test_setup(the_one_used_longest_ago_is_forgotten, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
