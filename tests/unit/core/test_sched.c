/* The scheduler as its callers see it: admission, order, expiry, ends. */
#include "desk.h"

static struct desk d;

static void
open_with(int queue_size)
{
	struct sched_conf conf = desk_conf();

	conf.queue_size = queue_size;
	desk_open(&d, &conf);
}

static void
open_one_slot(void)
{
	open_with(512);
	desk_add(&d, node_conf("n1"));
}

static struct backend_conf
four_slots(const char *name)
{
	struct backend_conf conf = node_conf(name);

	conf.parallel = 4;
	conf.slots = 4;
	return conf;
}

/* Of `count` jobs, how many were accepted before the first refusal; all after it must be
 * refused too. */
static int
submit_many(int count, bool pump_each)
{
	int accepted = 0;
	bool refused = false;

	for (int i = 0; i < count; i++) {
		switch (desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a")) {
		case SCHED_QUEUED:
			assert_false(refused);
			accepted++;
			break;
		case SCHED_FULL: refused = true; break;
		case SCHED_TOO_LATE:
		case SCHED_UNKNOWN_MODEL:
		case SCHED_NO_BACKEND:
		case SCHED_LOAD_FAILED: fail();
		}
		assert_true(sched_waiting(d.sched) <= 16);
		if (pump_each)
			desk_pick_all(&d);
	}
	return accepted;
}

static void
accepts_slots_plus_queue_when_pumped_after_each(void **state)
{
	open_with(16);
	desk_add(&d, four_slots("n1"));
	desk_add(&d, four_slots("n2"));
	assert_int_equal(submit_many(40, true), 24);
	assert_int_equal(sched_running(d.sched), 8);
	assert_int_equal(sched_waiting(d.sched), 16);
	desk_close(&d);
}

static void
accepts_slots_plus_queue_when_pumped_once(void **state)
{
	open_with(16);
	desk_add(&d, four_slots("n1"));
	desk_add(&d, four_slots("n2"));
	assert_int_equal(submit_many(40, false), 24);
	assert_int_equal(desk_pick_all(&d), 8);
	assert_int_equal(sched_waiting(d.sched), 16);
	desk_close(&d);
}

static void
without_a_queue_takes_what_starts_at_once(void **state)
{
	struct job *first;

	open_with(0);
	desk_add(&d, node_conf("n1"));
	first = desk_queue(&d, "a", CLASS_NORMAL);
	assert_int_equal(first->state, JOB_RUNNING);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_HIGH), "a"), SCHED_FULL);
	assert_ptr_equal(desk_pick(&d), first);
	assert_null(desk_pick(&d));
	desk_end(&d, first);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_LOW), "b"), SCHED_QUEUED);
	desk_close(&d);
}

static void
a_full_queue_does_not_hold_up_who_need_not_wait(void **state)
{
	struct job *other;

	open_with(1);
	desk_add(&d, node_conf("n1"));
	list_models(sched_backend(d.sched, 0), "a", NULL, NULL);
	desk_add(&d, node_conf("n2"));
	list_models(sched_backend(d.sched, 1), "b", NULL, NULL);
	desk_queue(&d, "a", CLASS_NORMAL);
	desk_queue(&d, "a", CLASS_NORMAL);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a"), SCHED_FULL);
	other = desk_queue(&d, "b", CLASS_NORMAL);
	assert_int_equal(other->state, JOB_RUNNING);
	assert_int_equal(sched_waiting(d.sched), 1);
	desk_close(&d);
}

static void
a_refused_job_stays_new(void **state)
{
	struct job *j;

	open_with(0);
	desk_add(&d, node_conf("n1"));
	desk_queue(&d, "a", CLASS_NORMAL);
	j = desk_new(&d, CLASS_NORMAL);
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_FULL);
	assert_int_equal(j->state, JOB_NEW);
	assert_null(j->variant);
	assert_int_equal(desk_submit(&d, j, "nobody-has-it"), SCHED_UNKNOWN_MODEL);
	assert_int_equal(j->state, JOB_NEW);
	desk_close(&d);
}

static void
starts_by_class_then_by_arrival(void **state)
{
	struct job *low, *first, *second, *high;

	open_one_slot();
	low = desk_queue(&d, "a", CLASS_LOW);
	first = desk_queue(&d, "a", CLASS_NORMAL);
	second = desk_queue(&d, "a", CLASS_NORMAL);
	high = desk_queue(&d, "a", CLASS_HIGH);
	assert_ptr_equal(desk_pick(&d), high);
	assert_null(desk_pick(&d));
	desk_end(&d, high);
	assert_ptr_equal(desk_pick(&d), first);
	desk_end(&d, first);
	assert_ptr_equal(desk_pick(&d), second);
	desk_end(&d, second);
	assert_ptr_equal(desk_pick(&d), low);
	desk_close(&d);
}

static void
who_waited_past_the_aging_bound_goes_first(void **state)
{
	struct job *low, *high;

	open_one_slot();
	low = desk_queue(&d, "a", CLASS_LOW);
	d.now += 299999;
	high = desk_queue(&d, "a", CLASS_HIGH);
	assert_int_equal(sched_position(d.sched, low), 1);
	d.now += 1;
	assert_ptr_equal(desk_pick(&d), low);
	assert_int_equal(sched_position(d.sched, high), 0);
	desk_close(&d);
}

static void
aging_of_zero_means_none(void **state)
{
	struct sched_conf conf = desk_conf();
	struct job *high;

	conf.aging_ms = 0;
	conf.max_wait_ms = 0;
	desk_open(&d, &conf);
	desk_add(&d, node_conf("n1"));
	desk_queue(&d, "a", CLASS_LOW);
	d.now += 1000000000;
	high = desk_queue(&d, "a", CLASS_HIGH);
	assert_null(sched_take_expired(d.sched, d.now));
	assert_ptr_equal(desk_pick(&d), high);
	desk_close(&d);
}

static void
position_counts_who_goes_before(void **state)
{
	struct job *low, *normal, *high;

	open_one_slot();
	low = desk_queue(&d, "a", CLASS_LOW);
	normal = desk_queue(&d, "b", CLASS_NORMAL);
	high = desk_queue(&d, "c", CLASS_HIGH);
	assert_int_equal(sched_position(d.sched, high), 0);
	assert_int_equal(sched_position(d.sched, normal), 1);
	assert_int_equal(sched_position(d.sched, low), 2);
	assert_int_equal(sched_waiting_in(d.sched, CLASS_HIGH), 1);
	assert_int_equal(sched_waiting_in(d.sched, CLASS_NORMAL), 1);
	assert_int_equal(sched_waiting_in(d.sched, CLASS_LOW), 1);
	desk_close(&d);
}

static void
a_job_leaves_the_queue_wherever_it_stands(void **state)
{
	struct job *j[3];

	open_one_slot();
	for (int i = 0; i < 3; i++)
		j[i] = desk_queue(&d, "a", CLASS_NORMAL);
	sched_end(d.sched, j[1], JOB_CLIENT_GONE, d.now);
	assert_int_equal(j[1]->end, JOB_CLIENT_GONE);
	assert_int_equal(sched_waiting(d.sched), 2);
	assert_ptr_equal(desk_pick(&d), j[0]);
	desk_end(&d, j[0]);
	assert_ptr_equal(desk_pick(&d), j[2]);
	desk_close(&d);
}

static void
a_job_started_early_can_leave_before_it_is_picked(void **state)
{
	struct job *first, *second;

	open_with(0);
	desk_add(&d, node_conf("n1"));
	first = desk_queue(&d, "a", CLASS_NORMAL);
	assert_int_equal(sched_next_ms(d.sched, d.now), d.now);
	sched_end(d.sched, first, JOB_CLIENT_GONE, d.now);
	assert_null(desk_pick(&d));
	second = desk_queue(&d, "a", CLASS_NORMAL);
	assert_ptr_equal(desk_pick(&d), second);
	desk_close(&d);
}

static void
expires_at_max_wait_or_at_its_deadline(void **state)
{
	struct job *waits, *urgent, *urgent_too;

	open_one_slot();
	desk_make_fast(&d);
	desk_queue(&d, "a", CLASS_NORMAL);
	desk_pick_all(&d);
	waits = desk_queue(&d, "a", CLASS_NORMAL);
	urgent = desk_new(&d, CLASS_NORMAL);
	urgent->deadline_ms = d.now + 500;
	desk_submit(&d, urgent, "a");
	urgent_too = desk_new(&d, CLASS_NORMAL);
	urgent_too->deadline_ms = d.now + 200;
	desk_submit(&d, urgent_too, "a");

	assert_int_equal(sched_next_ms(d.sched, d.now), d.now + 200);
	assert_null(sched_take_expired(d.sched, d.now + 199));
	d.now += 200;
	assert_ptr_equal(sched_take_expired(d.sched, d.now), urgent_too);
	assert_int_equal(urgent_too->end, JOB_DEADLINE);
	assert_null(sched_take_expired(d.sched, d.now));
	assert_int_equal(sched_next_ms(d.sched, d.now), d.now + 300);
	d.now += 300;
	assert_ptr_equal(sched_take_expired(d.sched, d.now), urgent);
	assert_null(sched_take_expired(d.sched, d.now));

	assert_int_equal(sched_next_ms(d.sched, d.now), waits->queued_at_ms + 600000);
	d.now = waits->queued_at_ms + 599999;
	assert_null(sched_take_expired(d.sched, d.now));
	d.now++;
	assert_ptr_equal(sched_take_expired(d.sched, d.now), waits);
	assert_int_equal(sched_next_ms(d.sched, d.now), INT64_MAX);
	desk_close(&d);
}

static void
a_deadline_that_left_is_no_reason_to_wake_twice(void **state)
{
	struct job *j;

	open_one_slot();
	desk_make_fast(&d);
	desk_queue(&d, "a", CLASS_NORMAL);
	j = desk_new(&d, CLASS_NORMAL);
	j->deadline_ms = d.now + 10;
	desk_submit(&d, j, "a");
	desk_queue(&d, "a", CLASS_NORMAL);
	sched_end(d.sched, j, JOB_CLIENT_GONE, d.now);
	d.now += 10;
	assert_null(sched_take_expired(d.sched, d.now));
	assert_true(sched_next_ms(d.sched, d.now) > d.now);
	desk_close(&d);
}

static void
retry_after_follows_the_drain_rate(void **state)
{
	open_one_slot();
	assert_int_equal(sched_retry_after_ms(d.sched, d.now), 1000);
	for (int i = 0; i < 40; i++)
		desk_queue(&d, "a", CLASS_NORMAL);
	for (int i = 0; i < 20; i++) {
		struct job *j = desk_pick(&d);

		d.now += 3000;
		desk_end(&d, j);
	}
	assert_int_equal(sched_waiting(d.sched), 20);
	assert_int_equal(sched_retry_after_ms(d.sched, d.now), 21 * 3000);
	desk_pick(&d);
	/* It hangs: the estimate grows before the slot comes back, up to its bound. */
	d.now += 30000;
	assert_int_equal(sched_retry_after_ms(d.sched, d.now), 20 * 30000);
	d.now += 100000000;
	assert_int_equal(sched_retry_after_ms(d.sched, d.now), 3600000);
	desk_close(&d);
}

static void
without_a_queue_retry_after_follows_the_slots(void **state)
{
	struct job *j;

	open_with(0);
	desk_add(&d, node_conf("n1"));
	j = desk_queue(&d, "a", CLASS_NORMAL);
	desk_pick(&d);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a"), SCHED_FULL);
	d.now += 7000;
	desk_end(&d, j);
	assert_int_equal(sched_retry_after_ms(d.sched, d.now), 7000);
	desk_close(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepts_slots_plus_queue_when_pumped_after_each),
	    cmocka_unit_test(accepts_slots_plus_queue_when_pumped_once),
	    cmocka_unit_test(without_a_queue_takes_what_starts_at_once),
	    cmocka_unit_test(a_full_queue_does_not_hold_up_who_need_not_wait),
	    cmocka_unit_test(a_refused_job_stays_new),
	    cmocka_unit_test(starts_by_class_then_by_arrival),
	    cmocka_unit_test(who_waited_past_the_aging_bound_goes_first),
	    cmocka_unit_test(aging_of_zero_means_none),
	    cmocka_unit_test(position_counts_who_goes_before),
	    cmocka_unit_test(a_job_leaves_the_queue_wherever_it_stands),
	    cmocka_unit_test(a_job_started_early_can_leave_before_it_is_picked),
	    cmocka_unit_test(expires_at_max_wait_or_at_its_deadline),
	    cmocka_unit_test(a_deadline_that_left_is_no_reason_to_wake_twice),
	    cmocka_unit_test(retry_after_follows_the_drain_rate),
	    cmocka_unit_test(without_a_queue_retry_after_follows_the_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
