/* Turns among classes and keys, as the scheduler's callers see them. */
#include "desk.h"
#include "fair.h"

#include <stdio.h>
#include <string.h>

static struct desk d;
static struct sched_conf conf;

static int
set_up(void **state)
{
	conf = desk_conf();
	return 0;
}

static void
open_one_slot(void)
{
	desk_open(&d, &conf);
	desk_add(&d, node_conf("n1"));
}

static struct job *
queue_for(const char *key, enum job_class class)
{
	struct job *j = desk_new(&d, class);

	j->key = key;
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	return j;
}

/* The one that runs ends, the next one starts. */
static struct job *
next_after(struct job *j)
{
	desk_end(&d, j);
	return desk_pick(&d);
}

static void
a_light_key_waits_for_one_request_of_a_noisy_one(void **state)
{
	struct job *running, *light;

	open_one_slot();
	for (int i = 0; i < 200; i++)
		queue_for("noisy", CLASS_NORMAL);
	running = desk_pick(&d);
	light = queue_for("light", CLASS_NORMAL);
	assert_int_equal(sched_position(d.sched, light), 0);
	/* Though the running one was cheaper than was thought. */
	sched_saw_tokens(d.sched, running, 1, 1);
	assert_ptr_equal(next_after(running), light);
	desk_close(&d);
}

static void
keys_share_by_tokens_not_by_requests(void **state)
{
	int large = 0, small = 0;

	open_one_slot();
	for (int i = 0; i < 100; i++) {
		queue_for("large", CLASS_NORMAL);
		queue_for("small", CLASS_NORMAL);
	}
	for (int i = 0; i < 80; i++) {
		struct job *j = desk_pick(&d);

		if (strcmp(j->key, "large") == 0) {
			sched_saw_tokens(d.sched, j, 0, 300);
			large++;
		} else {
			sched_saw_tokens(d.sched, j, 0, 100);
			small++;
		}
		desk_end(&d, j);
	}
	assert_in_range(small, 58, 62);
	assert_in_range(large, 18, 22);
	desk_close(&d);
}

static void
keys_share_by_their_weights(void **state)
{
	int heavy = 0;

	open_one_slot();
	for (int i = 0; i < 100; i++) {
		queue_for("heavy", CLASS_NORMAL)->weight = 3;
		queue_for("light", CLASS_NORMAL);
	}
	for (int i = 0; i < 80; i++) {
		struct job *j = desk_pick(&d);

		heavy += strcmp(j->key, "heavy") == 0;
		sched_saw_tokens(d.sched, j, 0, 100);
		desk_end(&d, j);
	}
	assert_in_range(heavy, 58, 62);
	desk_close(&d);
}

static void
nobody_saves_up_by_being_away(void **state)
{
	struct job *j;

	open_one_slot();
	queue_for("away", CLASS_NORMAL);
	desk_end(&d, desk_pick(&d));
	for (int i = 0; i < 50; i++) {
		queue_for("here", CLASS_NORMAL);
		desk_end(&d, desk_pick(&d));
	}
	for (int i = 0; i < 10; i++) {
		queue_for("here", CLASS_NORMAL);
		queue_for("away", CLASS_NORMAL);
	}
	/* By turns from the first moment on. */
	j = desk_pick(&d);
	for (int i = 0; i < 9; i++) {
		struct job *next = next_after(j);

		assert_string_not_equal(next->key, j->key);
		j = next;
	}
	desk_close(&d);
}

static void
what_a_key_owes_is_not_forgotten_while_it_is_away(void **state)
{
	struct job *held, *j;

	open_one_slot();
	held = queue_for("steady", CLASS_NORMAL);
	desk_pick(&d);
	for (int i = 0; i < 5; i++)
		queue_for("steady", CLASS_NORMAL);
	queue_for("greedy", CLASS_NORMAL);
	j = next_after(held);
	assert_string_equal(j->key, "greedy");
	sched_saw_tokens(d.sched, j, 4000, 0);
	assert_string_equal(next_after(j)->key, "steady");
	j = queue_for("greedy", CLASS_NORMAL);
	assert_int_equal(sched_position(d.sched, j), 4);
	desk_close(&d);
}

static void
classes_share_eight_to_four_to_one(void **state)
{
	int served[CLASSES] = {0};

	open_one_slot();
	for (int i = 0; i < 80; i++)
		for (int c = 0; c < CLASSES; c++)
			queue_for(NULL, (enum job_class)c);
	for (int i = 0; i < 104; i++) {
		struct job *j = desk_pick(&d);

		served[j->class]++;
		desk_end(&d, j);
	}
	assert_in_range(served[CLASS_HIGH], 63, 66);
	assert_in_range(served[CLASS_NORMAL], 31, 33);
	assert_in_range(served[CLASS_LOW], 7, 9);
	desk_close(&d);
}

static void
a_job_counts_by_no_more_than_it_asked_for(void **state)
{
	struct job *j;

	open_one_slot();
	j = desk_new(&d, CLASS_NORMAL);
	j->prompt_tokens = 10;
	j->most_output_tokens = 5;
	desk_submit(&d, j, "a");
	desk_pick(&d);
	assert_int_equal(j->charged, 10 + 4 * 5);
	sched_saw_tokens(d.sched, j, 11, 2);
	assert_int_equal(j->charged, 11 + 4 * 2);
	desk_close(&d);
}

static void
one_that_is_tried_again_is_charged_once(void **state)
{
	struct job *j;
	int64_t charged;

	open_one_slot();
	j = queue_for("k", CLASS_NORMAL);
	desk_pick(&d);
	charged = j->account->time;
	assert_true(charged > 0);
	assert_true(sched_retry(d.sched, j, d.now));
	desk_pick(&d);
	assert_int_equal(j->account->time, charged);
	desk_close(&d);
}

static void
a_key_has_its_share_once_the_queue_is_half_full(void **state)
{
	struct job *j;

	conf.queue_size = 8;
	conf.per_key = 2;
	open_one_slot();
	queue_for("other", CLASS_NORMAL);
	desk_pick(&d);
	for (int i = 0; i < 4; i++)
		queue_for("k", CLASS_NORMAL);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a"), SCHED_QUEUED);
	j = desk_new(&d, CLASS_HIGH);
	j->key = "k";
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_FULL);
	assert_null(j->account);
	queue_for("other", CLASS_NORMAL);
	desk_close(&d);
}

/* A slot taken by "other", and a full queue: six of "noisy", two of "quiet". */
static struct job *
fill_queue(void)
{
	struct job *last = NULL;

	conf.queue_size = 8;
	open_one_slot();
	queue_for("other", CLASS_NORMAL);
	desk_pick(&d);
	queue_for("quiet", CLASS_NORMAL);
	for (int i = 0; i < 6; i++)
		last = queue_for("noisy", CLASS_NORMAL);
	queue_for("quiet", CLASS_NORMAL);
	assert_null(sched_take_displaced(d.sched));
	return last;
}

static void
the_newest_of_the_largest_key_gives_way(void **state)
{
	struct job *newest = fill_queue();

	queue_for("light", CLASS_NORMAL);
	assert_int_equal(sched_waiting(d.sched), 8);
	assert_int_equal(sched_next_ms(d.sched, d.now), d.now);
	assert_ptr_equal(sched_take_displaced(d.sched), newest);
	assert_int_equal(newest->end, JOB_REFUSED);
	assert_null(sched_take_displaced(d.sched));
	desk_close(&d);
}

static void
nobody_gives_way_to_a_key_that_holds_as_much(void **state)
{
	struct job *j;

	fill_queue();
	j = desk_new(&d, CLASS_NORMAL);
	j->key = "noisy";
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_FULL);
	j->class = CLASS_LOW;
	j->key = "light";
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_FULL);
	desk_close(&d);
}

static void
a_lower_class_gives_way_first(void **state)
{
	struct job *low;

	conf.queue_size = 3;
	open_one_slot();
	queue_for("a", CLASS_NORMAL);
	desk_pick(&d);
	low = queue_for("b", CLASS_LOW);
	queue_for("a", CLASS_NORMAL);
	queue_for("a", CLASS_NORMAL);
	queue_for("a", CLASS_HIGH);
	assert_ptr_equal(sched_take_displaced(d.sched), low);
	desk_close(&d);
}

static void
who_gave_way_can_be_ended_before_it_is_taken(void **state)
{
	struct job *newest = fill_queue();

	queue_for("light", CLASS_NORMAL);
	assert_int_equal(sched_position(d.sched, newest), 0);
	sched_end(d.sched, newest, JOB_CLIENT_GONE, d.now);
	assert_null(sched_take_displaced(d.sched));
	desk_close(&d);
}

static void
idle_keys_are_remembered_up_to_a_bound(void **state)
{
	struct fair f;
	char name[16];

	fair_init(&f);
	for (int i = 0; i < 2 * IDLE_ACCOUNTS; i++) {
		struct job j;

		job_init(&j, CLASS_NORMAL);
		snprintf(name, sizeof(name), "key%d", i);
		j.key = name;
		fair_join(&f, &j);
		fair_leave(&f, &j);
	}
	assert_int_equal(map_count(&f.accounts), IDLE_ACCOUNTS);
	assert_null(map_find(&f.accounts, "key0"));
	assert_non_null(map_find(&f.accounts, name));
	fair_finish(&f);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_light_key_waits_for_one_request_of_a_noisy_one),
	    TEST(keys_share_by_tokens_not_by_requests),
	    TEST(keys_share_by_their_weights),
	    TEST(nobody_saves_up_by_being_away),
	    TEST(what_a_key_owes_is_not_forgotten_while_it_is_away),
	    TEST(classes_share_eight_to_four_to_one),
	    TEST(a_job_counts_by_no_more_than_it_asked_for),
	    TEST(one_that_is_tried_again_is_charged_once),
	    TEST(a_key_has_its_share_once_the_queue_is_half_full),
	    TEST(the_newest_of_the_largest_key_gives_way),
	    TEST(nobody_gives_way_to_a_key_that_holds_as_much),
	    TEST(a_lower_class_gives_way_first),
	    TEST(who_gave_way_can_be_ended_before_it_is_taken),
	    TEST(idle_keys_are_remembered_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
