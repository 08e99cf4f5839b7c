#include "../check.h"

#include "base/clock.h"
#include "io/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trace {
	struct loop *loop;
	struct timer timer;
	struct timer guard;
	struct waker waker;
	char text[32];
	int left;
};

static void
note(struct trace *t, char c)
{
	size_t len = strlen(t->text);

	assert_true(len + 1 < sizeof(t->text));
	t->text[len] = c;
}

static void
stop(void *arg)
{
	struct trace *t = arg;

	note(t, 's');
	loop_stop(t->loop);
}

static void
must_not_come(void *arg)
{
	fail_msg("a stopped timer fired");
}

static int
start(void **state)
{
	struct trace *t = calloc(1, sizeof(*t));

	t->loop = loop_create();
	*state = t;
	return 0;
}

static int
end(void **state)
{
	struct trace *t = *state;

	loop_destroy(&t->loop);
	assert_null(t->loop);
	free(t);
	return 0;
}

static void
a_stop_before_the_run_is_not_lost(void **state)
{
	struct trace *t = *state;

	loop_stop(t->loop);
	loop_run(t->loop);
}

static void
a_timer_fires_when_it_is_due_and_not_before(void **state)
{
	struct trace *t = *state;
	int64_t began_ms = clock_now_ms();

	timer_init(&t->timer, t->loop, stop, t);
	timer_start(&t->timer, 30);
	loop_run(t->loop);
	assert_string_equal(t->text, "s");
	assert_true(clock_now_ms() - began_ms >= 30);
	timer_finish(&t->timer);
}

static void
moving_a_timer_forward_touches_no_event(void **state)
{
	struct trace *t = *state;
	int64_t began_ms = clock_coarse_ms(); /* by which timers go */
	int64_t armed_ms;

	timer_init(&t->timer, t->loop, stop, t);
	timer_start(&t->timer, 10);
	armed_ms = t->timer.armed_ms;
	timer_start(&t->timer, 50);
	assert_int_equal(t->timer.armed_ms, armed_ms);
	loop_run(t->loop);
	assert_true(clock_coarse_ms() - began_ms >= 50);
	timer_finish(&t->timer);
}

static void
a_timer_can_be_moved_nearer(void **state)
{
	struct trace *t = *state;
	int64_t began_ms = clock_now_ms();

	timer_init(&t->timer, t->loop, stop, t);
	timer_start(&t->timer, 60000);
	timer_start(&t->timer, 5);
	loop_run(t->loop);
	assert_true(clock_now_ms() - began_ms < 30000);
	timer_finish(&t->timer);
}

static void
a_stopped_timer_stays_silent(void **state)
{
	struct trace *t = *state;

	timer_init(&t->timer, t->loop, must_not_come, t);
	timer_init(&t->guard, t->loop, stop, t);
	timer_start(&t->timer, 5);
	timer_start(&t->guard, 30);
	timer_stop(&t->timer);
	loop_run(t->loop);
	assert_string_equal(t->text, "s");
	timer_finish(&t->timer);
	timer_finish(&t->guard);
}

static void
pump(void *arg)
{
	struct trace *t = arg;

	note(t, 'p');
	timer_start(&t->guard, 5);
}

static void
wake_thrice(void *arg)
{
	struct trace *t = arg;

	note(t, 'w');
	waker_wake(&t->waker);
	waker_wake(&t->waker);
	waker_wake(&t->waker);
}

static void
a_waker_woken_thrice_runs_once(void **state)
{
	struct trace *t = *state;

	waker_init(&t->waker, t->loop, pump, t);
	timer_init(&t->timer, t->loop, wake_thrice, t);
	timer_init(&t->guard, t->loop, stop, t);
	timer_start(&t->timer, 0);
	loop_run(t->loop);
	assert_string_equal(t->text, "wps");
	waker_finish(&t->waker);
	timer_finish(&t->timer);
	timer_finish(&t->guard);
}

static void
wake_myself(void *arg)
{
	struct trace *t = arg;

	if (t->left-- == 1000)
		timer_start(&t->guard, 0);
	if (t->left > 0)
		waker_wake(&t->waker);
}

static void
a_waker_that_wakes_itself_starves_nobody(void **state)
{
	struct trace *t = *state;

	t->left = 1000;
	waker_init(&t->waker, t->loop, wake_myself, t);
	timer_init(&t->guard, t->loop, stop, t);
	waker_wake(&t->waker);
	loop_run(t->loop);
	assert_true(t->left > 0);
	waker_finish(&t->waker);
	timer_finish(&t->guard);
}

static void
bury_last(void *arg)
{
	note(arg, 'z');
}

static void
bury_more(void *arg)
{
	struct trace *t = arg;

	note(t, 'b');
	for (int i = 0; i < 20; i++)
		loop_bury(t->loop, t, i == 19 ? bury_last : stop);
}

static void
bury_in_a_turn(void *arg)
{
	struct trace *t = arg;

	loop_bury(t->loop, t, bury_more);
	note(t, 't');
}

static void
what_is_buried_goes_after_the_turn_and_may_bury_more(void **state)
{
	struct trace *t = *state;

	timer_init(&t->timer, t->loop, bury_in_a_turn, t);
	timer_start(&t->timer, 0);
	loop_run(t->loop);
	assert_string_equal(t->text, "tbsssssssssssssssssssz");
	timer_finish(&t->timer);
}

static void
what_is_still_buried_goes_with_the_loop(void **state)
{
	struct trace t = {.loop = loop_create()};

	loop_bury(t.loop, &t, bury_last);
	loop_destroy(&t.loop);
	assert_string_equal(t.text, "z");
}

static void
on_usr1(int signal_number, void *arg)
{
	assert_int_equal(signal_number, SIGUSR1);
	stop(arg);
}

static void
raise_usr1(void *arg)
{
	kill(getpid(), SIGUSR1);
}

static void
a_signal_comes_as_an_event(void **state)
{
	struct trace *t = *state;
	struct event *watch = loop_on_signal(t->loop, SIGUSR1, on_usr1, t);

	timer_init(&t->timer, t->loop, raise_usr1, t);
	timer_start(&t->timer, 0);
	loop_run(t->loop);
	assert_string_equal(t->text, "s");
	timer_finish(&t->timer);
	loop_off_signal(&watch);
	assert_null(watch);
}

static void
the_resolver_is_made_once(void **state)
{
	struct trace *t = *state;

	assert_non_null(loop_dns(t->loop));
	assert_ptr_equal(loop_dns(t->loop), loop_dns(t->loop));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_stop_before_the_run_is_not_lost, start, end),
	    cmocka_unit_test_setup_teardown(a_timer_fires_when_it_is_due_and_not_before, start, end),
	    cmocka_unit_test_setup_teardown(moving_a_timer_forward_touches_no_event, start, end),
	    cmocka_unit_test_setup_teardown(a_timer_can_be_moved_nearer, start, end),
	    cmocka_unit_test_setup_teardown(a_stopped_timer_stays_silent, start, end),
	    cmocka_unit_test_setup_teardown(a_waker_woken_thrice_runs_once, start, end),
	    cmocka_unit_test_setup_teardown(a_waker_that_wakes_itself_starves_nobody, start, end),
	    cmocka_unit_test_setup_teardown(what_is_buried_goes_after_the_turn_and_may_bury_more, start,
	                                    end),
	    cmocka_unit_test(what_is_still_buried_goes_with_the_loop),
	    cmocka_unit_test_setup_teardown(a_signal_comes_as_an_event, start, end),
	    cmocka_unit_test_setup_teardown(the_resolver_is_made_once, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
