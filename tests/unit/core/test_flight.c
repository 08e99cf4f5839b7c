#include "../check.h"

#include "core/flight.h"
#include "core/recording.h"

#include <string.h>

/* A request that is under way. */
struct passenger {
	struct flight_member member;
	struct recording_reader reader;
	struct flights *flights;
	int led, began;
	bool refuses; /* leaves when it is to lead, or when the answer begins */
};

static void
on_more(struct recording_reader *r)
{
}

static struct passenger *
passenger_of(struct flight_member *m)
{
	return LIST_ENTRY(m, struct passenger, member);
}

static void
on_lead(struct flight_member *m)
{
	struct passenger *p = passenger_of(m);

	p->led++;
	if (p->refuses)
		flight_leave(p->flights, m);
}

static void
on_begin(struct flight_member *m, struct recording *r)
{
	struct passenger *p = passenger_of(m);

	p->began++;
	if (p->refuses)
		flight_leave(p->flights, m);
	else
		recording_attach(r, &p->reader, on_more);
}

static enum flight_role
enter(struct flights *f, struct passenger *p, int key)
{
	struct sha256 k = {{(unsigned char)key}};

	p->flights = f;
	p->member.on_lead = on_lead;
	p->member.on_begin = on_begin;
	return flight_enter(f, &k, &p->member);
}

static void
leave(struct passenger *p)
{
	flight_leave(p->flights, &p->member);
	recording_detach(&p->reader);
}

static void
the_first_leads_and_equal_ones_follow(void **state)
{
	struct flights *f = flights_create();
	struct passenger a = {0}, b = {0}, c = {0};

	assert_false(flight_is_open(f, &(struct sha256){{1}}));
	assert_int_equal(enter(f, &a, 1), FLIGHT_LEADS);
	assert_true(flight_is_open(f, &(struct sha256){{1}}));
	assert_int_equal(enter(f, &b, 1), FLIGHT_FOLLOWS);
	assert_int_equal(enter(f, &c, 2), FLIGHT_LEADS);
	assert_int_equal(flight_followers(&a.member), 1);
	assert_int_equal(flight_followers(&b.member), 0);
	assert_int_equal(flights_count(f), 2);
	leave(&b);
	assert_int_equal(flight_followers(&a.member), 0);
	leave(&a);
	leave(&c);
	leave(&c);
	assert_int_equal(flights_count(f), 0);
	flights_destroy(&f);
}

static void
before_the_answer_the_lead_passes_to_who_came_first(void **state)
{
	struct flights *f = flights_create();
	struct passenger a = {0}, b = {0}, c = {0}, d = {0};

	enter(f, &a, 1);
	enter(f, &b, 1);
	enter(f, &c, 1);
	b.refuses = true;
	leave(&a);
	assert_int_equal(b.led, 1);
	assert_int_equal(c.led, 1);
	assert_int_equal(c.member.role, FLIGHT_LEADS);
	assert_int_equal(b.member.role, FLIGHT_NONE);
	assert_int_equal(enter(f, &d, 1), FLIGHT_FOLLOWS);
	leave(&c);
	assert_int_equal(d.led, 1);
	leave(&d);
	flights_destroy(&f);
}

static void
all_learn_of_the_beginning_also_who_comes_later(void **state)
{
	struct flights *f = flights_create();
	struct passenger a = {0}, b = {0}, gone = {.refuses = true}, late = {0};
	struct recording *r = recording_create(100000);

	enter(f, &a, 1);
	enter(f, &gone, 1);
	enter(f, &b, 1);
	flight_begin(f, &a.member, r);
	recording_append(r, str_of("x"));
	assert_int_equal(enter(f, &late, 1), FLIGHT_FOLLOWS);
	assert_int_equal(b.began + gone.began + late.began, 3);
	assert_int_equal(a.began, 0);
	assert_int_equal(flight_followers(&a.member), 2);
	assert_true(str_eq(recording_peek(&late.reader), "x"));
	/* The answer is over: nobody leads on. */
	leave(&a);
	assert_int_equal(b.led + late.led, 0);
	assert_int_equal(b.member.role, FLIGHT_NONE);
	recording_release(&r);
	leave(&b);
	leave(&late);
	flights_destroy(&f);
}

static void
an_answer_whose_beginning_is_lost_is_not_joined(void **state)
{
	struct flights *f = flights_create();
	struct passenger a = {0}, b = {0}, c = {0};
	struct recording *r = recording_create(1000);

	enter(f, &a, 1);
	flight_begin(f, &a.member, r);
	for (int i = 0; i < 1000; i++)
		recording_append(r, str_of("0123456789"));
	assert_false(flight_is_open(f, &(struct sha256){{1}}));
	assert_int_equal(enter(f, &b, 1), FLIGHT_LEADS);
	assert_int_equal(flights_count(f), 2);
	leave(&a);
	assert_int_equal(enter(f, &c, 1), FLIGHT_FOLLOWS);
	assert_int_equal(flight_followers(&b.member), 1);
	leave(&c);
	leave(&b);
	recording_release(&r);
	flights_destroy(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_leads_and_equal_ones_follow),
	    cmocka_unit_test(before_the_answer_the_lead_passes_to_who_came_first),
	    cmocka_unit_test(all_learn_of_the_beginning_also_who_comes_later),
	    cmocka_unit_test(an_answer_whose_beginning_is_lost_is_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
