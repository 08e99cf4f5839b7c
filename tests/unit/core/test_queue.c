/* Lanes and the order among them, without a scheduler. */
#include "../check.h"
#include "fleet.h"
#include "queue.h"

enum { AGING_MS = 1000 };

static struct queue q;
static struct fleet fleet;
static struct variant *a, *b;
static struct job jobs[8];
static int used;

static int
set_up(void **state)
{
	queue_init(&q, AGING_MS);
	a = variant_retain(&fleet, "a");
	b = variant_retain(&fleet, "b");
	used = 0;
	return 0;
}

static int
tear_down(void **state)
{
	struct job *j;

	while ((j = queue_oldest(&q)) != NULL)
		queue_remove(&q, j);
	for (int i = 0; i < used; i++)
		fair_leave(&q.fair, &jobs[i]);
	queue_finish(&q);
	variant_release(&fleet, &a);
	variant_release(&fleet, &b);
	assert_int_equal(map_count(&fleet.variants), 0);
	return 0;
}

/* A job that came as number `used` at that time. */
static struct job *
new_job(struct variant *v, enum job_class class, int64_t now_ms)
{
	struct job *j = &jobs[used];

	job_init(j, class);
	j->variant = v;
	fair_join(&q.fair, j);
	j->sequence = (uint64_t)used++;
	j->queued_at_ms = now_ms;
	return j;
}

static struct job *
add(struct variant *v, enum job_class class, int64_t now_ms)
{
	struct job *j = new_job(v, class, now_ms);

	queue_add(&q, j);
	return j;
}

static int
count_lanes(void)
{
	int n = 0;

	for (const struct list *at = q.lanes.next; at != &q.lanes; at = at->next)
		n++;
	return n;
}

static void
jobs_that_need_the_same_share_a_lane(void **state)
{
	struct job *high = add(a, CLASS_HIGH, 0);
	struct job *low = add(a, CLASS_LOW, 0);
	struct job *other = add(b, CLASS_LOW, 0);

	assert_ptr_equal(high->lane, low->lane);
	assert_ptr_not_equal(high->lane, other->lane);
	assert_int_equal(count_lanes(), 2);
}

static void
what_differs_in_nodes_waits_apart(void **state)
{
	/* Only their addresses count here. */
	struct backend *one = (struct backend *)(void *)&jobs[6];
	struct backend *two = (struct backend *)(void *)&jobs[7];
	struct job *j;

	add(a, CLASS_HIGH, 0);
	j = new_job(a, CLASS_HIGH, 0);
	j->only = one;
	queue_add(&q, j);
	j = new_job(a, CLASS_HIGH, 0);
	j->only = two;
	queue_add(&q, j);
	j = new_job(a, CLASS_HIGH, 0);
	j->avoid = one;
	queue_add(&q, j);
	j = new_job(a, CLASS_HIGH, 0);
	j->slotless = true;
	queue_add(&q, j);
	assert_int_equal(count_lanes(), 5);
}

static void
a_lane_goes_with_its_last_job(void **state)
{
	struct job *first = add(a, CLASS_HIGH, 0);
	struct job *second = add(a, CLASS_LOW, 0);

	queue_remove(&q, first);
	assert_null(first->lane);
	assert_int_equal(count_lanes(), 1);
	queue_remove(&q, second);
	assert_int_equal(count_lanes(), 0);
	assert_true(list_empty(&a->lanes));
}

static void
the_first_of_a_lane_is_by_class_until_somebody_aged(void **state)
{
	struct job *low = add(a, CLASS_LOW, 0);
	struct job *normal = add(a, CLASS_NORMAL, 500);
	struct job *high = add(a, CLASS_HIGH, 600);
	struct lane *l = low->lane;

	assert_ptr_equal(lane_oldest(l), low);
	assert_ptr_equal(lane_first(&q, l, AGING_MS - 1), high);
	assert_ptr_equal(lane_first(&q, l, AGING_MS), low);
	queue_remove(&q, low);
	assert_ptr_equal(lane_first(&q, l, AGING_MS), high);
	assert_ptr_equal(lane_first(&q, l, 500 + AGING_MS), normal);
}

static void
turns_go_by_age_then_class_then_arrival(void **state)
{
	struct job *low = add(a, CLASS_LOW, 0);
	struct job *high = add(b, CLASS_HIGH, 10);
	struct job *later = add(a, CLASS_HIGH, 10);
	int64_t now = AGING_MS - 1;

	assert_true(turn_is_before(turn_of(&q, high, now), turn_of(&q, low, now)));
	assert_true(turn_is_before(turn_of(&q, high, now), turn_of(&q, later, now)));
	assert_false(turn_is_before(turn_of(&q, later, now), turn_of(&q, high, now)));
	assert_false(turn_is_before(turn_of(&q, high, now), turn_of(&q, high, now)));
	now = AGING_MS;
	assert_true(turn_is_before(turn_of(&q, low, now), turn_of(&q, high, now)));
	assert_true(queue_has_aged(&q, now));
	assert_false(queue_has_aged(&q, now - 1));
}

static void
who_aged_shares_by_key_still_and_who_starves_goes_first(void **state)
{
	struct job *noisy = add(a, CLASS_LOW, 0);
	struct job *light = new_job(a, CLASS_HIGH, 10);
	struct lane *l = noisy->lane;

	fair_leave(&q.fair, light);
	light->key = "light";
	fair_join(&q.fair, light);
	queue_add(&q, light);
	noisy->account->time = 5000;
	light->account->time = 6000;
	assert_ptr_equal(lane_first(&q, l, AGING_MS - 1), light);
	assert_ptr_equal(lane_first(&q, l, AGING_MS), noisy);
	noisy->account->time = 7000;
	assert_ptr_equal(lane_first(&q, l, STARVING_TIMES * AGING_MS - 1), light);
	assert_ptr_equal(lane_first(&q, l, STARVING_TIMES * AGING_MS), noisy);
}

static void
one_that_comes_back_takes_its_old_place(void **state)
{
	struct job *j[4];

	for (int i = 0; i < 4; i++)
		j[i] = add(a, CLASS_NORMAL, i);
	for (int i = 0; i < 4; i++) {
		queue_remove(&q, j[i]);
		queue_add(&q, j[i]);
	}
	for (int i = 0; i < 4; i++) {
		assert_ptr_equal(queue_oldest(&q), j[i]);
		assert_ptr_equal(lane_first(&q, j[i]->lane, 0), j[i]);
		queue_remove(&q, j[i]);
	}
}

static void
counts_by_class(void **state)
{
	add(a, CLASS_LOW, 0);
	add(b, CLASS_LOW, 0);
	queue_remove(&q, add(a, CLASS_HIGH, 0));
	assert_int_equal(q.waiting, 2);
	assert_int_equal(q.waiting_in[CLASS_LOW], 2);
	assert_int_equal(q.waiting_in[CLASS_HIGH], 0);
}

static void
knows_the_next_deadline_and_who_missed_it(void **state)
{
	struct job *late = new_job(a, CLASS_LOW, 0);
	struct job *soon = new_job(b, CLASS_LOW, 0);

	add(a, CLASS_LOW, 0);
	late->deadline_ms = 200;
	soon->deadline_ms = 100;
	queue_add(&q, late);
	queue_add(&q, soon);
	assert_int_equal(q.next_deadline_ms, 100);
	assert_null(queue_find_overdue(&q, 99));
	assert_ptr_equal(queue_find_overdue(&q, 100), soon);
	queue_remove(&q, soon);
	assert_null(queue_find_overdue(&q, 100));
	assert_int_equal(q.next_deadline_ms, 200);
	assert_ptr_equal(queue_find_overdue(&q, 200), late);
	queue_remove(&q, late);
	assert_null(queue_find_overdue(&q, 200));
	assert_int_equal(q.next_deadline_ms, INT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(jobs_that_need_the_same_share_a_lane),
	    TEST(what_differs_in_nodes_waits_apart),
	    TEST(a_lane_goes_with_its_last_job),
	    TEST(the_first_of_a_lane_is_by_class_until_somebody_aged),
	    TEST(turns_go_by_age_then_class_then_arrival),
	    TEST(who_aged_shares_by_key_still_and_who_starves_goes_first),
	    TEST(one_that_comes_back_takes_its_old_place),
	    TEST(counts_by_class),
	    TEST(knows_the_next_deadline_and_who_missed_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
