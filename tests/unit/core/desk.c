/* The desk that the tests of the scheduler work at. */
#include "desk.h"

struct sched_conf
desk_conf(void)
{
	return (struct sched_conf){
	    .queue_size = 512,
	    .max_wait_ms = 600000,
	    .aging_ms = 300000,
	    .health =
	        {
	            .down_after = 3,
	            .up_after = 2,
	            .breaker_failures = 5,
	            .breaker_window_ms = 30000,
	            .breaker_open_ms = 10000,
	            .breaker_max_open_ms = 300000,
	        },
	    .retry_attempts = 3,
	    .retry_budget_percent = 10,
	};
}

struct backend_conf
node_conf(const char *name)
{
	return (struct backend_conf){
	    .name = name, .weight = 1, .parallel = 1, .max_loaded = 1, .slots = 1};
}

struct backend *
desk_add_unknown(struct desk *d, struct backend_conf conf)
{
	return sched_add_backend(d->sched, &conf);
}

void
list_models(struct backend *b, const char *first, const char *second, const char *third)
{
	const char *names[] = {first, second, third};
	size_t count = first == NULL ? 0 : second == NULL ? 1 : third == NULL ? 2 : 3;

	backend_set_models(b, names, count);
}

void
load_models(struct backend *b, const char *first, const char *second, const char *third)
{
	const char *names[] = {first, second, third};
	size_t count = first == NULL ? 0 : second == NULL ? 1 : third == NULL ? 2 : 3;

	backend_set_loaded(b, names, count);
}

struct backend *
desk_add(struct desk *d, struct backend_conf conf)
{
	struct backend *b = desk_add_unknown(d, conf);

	backend_saw_probe(b, true, d->now);
	list_models(b, "a", "b", "c");
	return b;
}

void
desk_open(struct desk *d, const struct sched_conf *conf)
{
	*d = (struct desk){.sched = sched_create(conf), .now = 1000};
}

struct job *
desk_new(struct desk *d, enum job_class class)
{
	struct job *j = &d->jobs[d->used++];

	assert_true(d->used <= DESK_JOBS);
	job_init(j, class);
	return j;
}

enum sched_answer
desk_submit(struct desk *d, struct job *j, const char *model)
{
	return sched_submit(d->sched, j, model, d->now);
}

struct job *
desk_queue(struct desk *d, const char *model, enum job_class class)
{
	struct job *j = desk_new(d, class);

	assert_int_equal(desk_submit(d, j, model), SCHED_QUEUED);
	return j;
}

struct job *
desk_pick(struct desk *d)
{
	return sched_pick(d->sched, d->now, &d->was_loaded);
}

void
desk_make_fast(struct desk *d)
{
	/* The first one loads, the second one tells the rate. */
	for (int i = 0; i < 2; i++) {
		struct job *j = desk_queue(d, "a", CLASS_NORMAL);

		assert_ptr_equal(desk_pick(d), j);
		d->now++;
		sched_saw_tokens(d->sched, j, 100000000, 1);
		desk_end(d, j);
	}
}

int
desk_pick_all(struct desk *d)
{
	int n = 0;

	while (desk_pick(d) != NULL)
		n++;
	return n;
}

void
desk_end(struct desk *d, struct job *j)
{
	sched_end(d->sched, j, JOB_DONE, d->now);
}

void
desk_close(struct desk *d)
{
	for (int i = 0; i < d->used; i++)
		if (d->jobs[i].state != JOB_ENDED)
			desk_end(d, &d->jobs[i]);
	for (size_t i = 0; i < sched_backend_count(d->sched); i++)
		assert_int_equal(backend_busy(sched_backend(d->sched, i)), 0);
	assert_int_equal(sched_waiting(d->sched), 0);
	assert_int_equal(sched_running(d->sched), 0);
	sched_destroy(&d->sched);
	assert_null(d->sched);
}
