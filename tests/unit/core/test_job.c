/* The table of a request's life, every move of it. */
#include "../check.h"
#include "core/job.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATES = JOB_ENDED + 1 };

static const bool allowed[STATES][STATES] = {
    [JOB_NEW] = {[JOB_QUEUED] = true, [JOB_ENDED] = true},
    [JOB_QUEUED] = {[JOB_RUNNING] = true, [JOB_ENDED] = true},
    [JOB_RUNNING] = {[JOB_QUEUED] = true, [JOB_ENDED] = true},
};

/* Whether it returns instead of aborting, tried in a child. */
static bool
survives(void (*act)(struct job *, int), struct job *j, int arg)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		act(j, arg);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return false;
}

static void
move(struct job *j, int to)
{
	job_move(j, (enum job_state)to);
}

static void
finish(struct job *j, int end)
{
	job_finish(j, (enum job_end)end);
}

static void
allows_what_the_table_allows_and_aborts_on_the_rest(void **state)
{
	for (int from = 0; from < STATES; from++)
		for (int to = 0; to < STATES; to++) {
			struct job j;

			job_init(&j, CLASS_NORMAL);
			j.state = (enum job_state)from;
			if (survives(move, &j, to) != allowed[from][to])
				fail_msg("%s -> %s", job_state_name((enum job_state)from),
				         job_state_name((enum job_state)to));
		}
}

static void
a_new_job_is_open_and_in_no_list(void **state)
{
	struct job j;

	job_init(&j, CLASS_LOW);
	assert_int_equal(j.state, JOB_NEW);
	assert_int_equal(j.end, JOB_OPEN);
	assert_int_equal(j.class, CLASS_LOW);
	assert_false(list_linked(&j.queue_link));
	assert_false(list_linked(&j.age_link));
}

static void
ends_once_with_a_reason(void **state)
{
	struct job j;

	job_init(&j, CLASS_NORMAL);
	assert_false(survives(finish, &j, JOB_OPEN));
	job_finish(&j, JOB_CLIENT_GONE);
	assert_int_equal(j.state, JOB_ENDED);
	assert_int_equal(j.end, JOB_CLIENT_GONE);
	assert_false(survives(finish, &j, JOB_DONE));
}

static void
every_state_end_and_class_has_a_name(void **state)
{
	for (int s = 0; s < STATES; s++)
		assert_non_null(job_state_name((enum job_state)s));
	for (int e = JOB_OPEN; e <= JOB_DEADLINE; e++)
		assert_non_null(job_end_name((enum job_end)e));
	assert_string_equal(job_class_name(CLASS_HIGH), "high");
	assert_string_equal(job_class_name(CLASS_NORMAL), "normal");
	assert_string_equal(job_class_name(CLASS_LOW), "low");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(allows_what_the_table_allows_and_aborts_on_the_rest),
	    cmocka_unit_test(a_new_job_is_open_and_in_no_list),
	    cmocka_unit_test(ends_once_with_a_reason),
	    cmocka_unit_test(every_state_end_and_class_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
