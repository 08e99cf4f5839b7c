#include "../check.h"

#include "io/errand.h"
#include "io/loop.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct trace {
	struct loop *loop;
	struct waker waker;
	sem_t go;
	pthread_t worker, teller;
	struct errand *errand;
	int done;
};

/* It ends only once the loop has turned meanwhile. */
static void
wait_for_the_loop(void *arg)
{
	struct trace *t = arg;

	while (sem_wait(&t->go) != 0)
		continue;
	t->worker = pthread_self();
}

static void
let_go(void *arg)
{
	sem_post(&((struct trace *)arg)->go);
}

static void
end(void *arg)
{
	struct trace *t = arg;

	t->teller = pthread_self();
	t->done++;
	loop_stop(t->loop);
}

static void
work_again(void *arg)
{
	struct trace *t = arg;

	if (++t->done == 3) {
		loop_stop(t->loop);
		return;
	}
	sem_post(&t->go);
	assert_non_null(errand_start(t->loop, wait_for_the_loop, work_again, t));
}

static int
start(void **state)
{
	struct trace *t = calloc(1, sizeof(*t));

	t->loop = loop_create();
	waker_init(&t->waker, t->loop, let_go, t);
	sem_init(&t->go, 0, 0);
	*state = t;
	return 0;
}

static int
finish(void **state)
{
	struct trace *t = *state;

	waker_finish(&t->waker);
	loop_destroy(&t->loop);
	sem_destroy(&t->go);
	free(t);
	return 0;
}

static void
the_loop_goes_on_while_it_works(void **state)
{
	struct trace *t = *state;

	assert_non_null(errand_start(t->loop, wait_for_the_loop, end, t));
	waker_wake(&t->waker);
	loop_run(t->loop);
	assert_int_equal(t->done, 1);
	assert_false(pthread_equal(t->worker, pthread_self()));
	assert_true(pthread_equal(t->teller, pthread_self()));
}

static void
who_is_told_may_start_the_next(void **state)
{
	struct trace *t = *state;

	sem_post(&t->go);
	assert_non_null(errand_start(t->loop, wait_for_the_loop, work_again, t));
	loop_run(t->loop);
	assert_int_equal(t->done, 3);
}

static void
who_abandons_it_is_not_told(void **state)
{
	struct trace *t = *state;

	t->errand = errand_start(t->loop, wait_for_the_loop, end, t);
	sem_post(&t->go);
	errand_abandon(&t->errand);
	assert_null(t->errand);
	assert_false(pthread_equal(t->worker, pthread_self()));
	errand_abandon(&t->errand);
	t->errand = errand_start(t->loop, wait_for_the_loop, end, t);
	waker_wake(&t->waker);
	loop_run(t->loop);
	assert_int_equal(t->done, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_loop_goes_on_while_it_works, start, finish),
	    cmocka_unit_test_setup_teardown(who_is_told_may_start_the_next, start, finish),
	    cmocka_unit_test_setup_teardown(who_abandons_it_is_not_told, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
