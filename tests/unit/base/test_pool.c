#include "../check.h"

#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 2, PIECES = 4 };

struct piece {
	char bytes[100];
};

static void
pieces_are_apart(void **state)
{
	struct pool pool = POOL_OF(struct piece, MOST);
	struct piece *pieces[PIECES];

	for (int i = 0; i < PIECES; i++) {
		pieces[i] = pool_take(&pool);
		memset(pieces[i], i, sizeof(struct piece));
	}
	for (int i = 0; i < PIECES; i++) {
		for (size_t at = 0; at < sizeof(struct piece); at++)
			assert_int_equal(pieces[i]->bytes[at], i);
		free(pieces[i]);
	}
}

static void
no_more_are_kept_than_the_bound(void **state)
{
	struct pool pool = POOL_OF(struct piece, MOST);
	struct piece *pieces[PIECES];

	for (int i = 0; i < PIECES; i++)
		pieces[i] = pool_take(&pool);
	for (int i = 0; i < PIECES; i++)
		pool_give(&pool, pieces[i]);
	assert_true(pool.count <= MOST);
	/* Whatever was kept is given out again, one after the other. */
	for (int i = 0; i < PIECES; i++) {
		pieces[i] = pool_take(&pool);
		for (int other = 0; other < i; other++)
			assert_ptr_not_equal(pieces[i], pieces[other]);
	}
	assert_int_equal(pool.count, 0);
	for (int i = 0; i < PIECES; i++)
		free(pieces[i]);
}

static void
nothing_is_taken_back(void **state)
{
	struct pool pool = POOL_OF(struct piece, MOST);

	pool_give(&pool, NULL);
	assert_int_equal(pool.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_apart),
	    cmocka_unit_test(no_more_are_kept_than_the_bound),
	    cmocka_unit_test(nothing_is_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
