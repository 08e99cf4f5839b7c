#include "../check.h"

#include "app/heartbeat.h"

static void
the_first_comes_after_a_minute_or_four_heartbeats(void **state)
{
	assert_int_equal(heartbeat_first_ms(15000), 60000);
	assert_int_equal(heartbeat_first_ms(30000), 60000);
	assert_int_equal(heartbeat_first_ms(3600000), 60000);
	assert_int_equal(heartbeat_first_ms(5000), 20000);
	assert_int_equal(heartbeat_first_ms(1), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_comes_after_a_minute_or_four_heartbeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
