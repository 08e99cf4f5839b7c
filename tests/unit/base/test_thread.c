#include "../check.h"

#include "base/thread.h"

#include <signal.h>

static void *
look_at_mask(void *arg)
{
	pthread_sigmask(SIG_BLOCK, NULL, arg);
	return arg;
}

static void
a_thread_has_every_signal_blocked(void **state)
{
	sigset_t mask;
	pthread_t thread;
	void *result;

	assert_true(thread_start(&thread, look_at_mask, &mask));
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 1);
	assert_int_equal(sigismember(&mask, SIGHUP), 1);
	assert_int_equal(sigismember(&mask, SIGCHLD), 1);
}

static void
who_starts_it_keeps_its_own_mask(void **state)
{
	sigset_t one, now;
	pthread_t thread;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &one, NULL);
	assert_true(thread_start(&thread, look_at_mask, &now));
	pthread_join(thread, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	assert_int_equal(sigismember(&now, SIGUSR1), 1);
	assert_int_equal(sigismember(&now, SIGTERM), 0);
	sigemptyset(&one);
	pthread_sigmask(SIG_SETMASK, &one, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_thread_has_every_signal_blocked),
	    cmocka_unit_test(who_starts_it_keeps_its_own_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
