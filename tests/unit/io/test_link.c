/* Messages between two programs, here two ends in one. */
#include "../check.h"

#include "io/link.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct world {
	struct loop *loop;
	struct link *link;
	int other; /* end; -1: closed */
	struct buf heard;
	bool ended;
};

static void
on_message(struct str message, void *arg)
{
	struct world *w = arg;

	buf_addf(&w->heard, "[%.*s]", STR_ARG(message));
	if (str_eq(message, "last"))
		loop_stop(w->loop);
}

static void
on_end(void *arg)
{
	struct world *w = arg;

	w->ended = true;
	loop_stop(w->loop);
}

static const struct link_ops ops = {.on_message = on_message, .on_end = on_end};

static int
start(void **state)
{
	static struct world world;
	int ends[2];

	memset(&world, 0, sizeof(world));
	world.loop = loop_create();
	assert_true(link_open_ends(ends));
	world.link = link_create(world.loop, ends[0], &ops, &world);
	world.other = ends[1];
	*state = &world;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	link_destroy(&w->link);
	if (w->other >= 0)
		close(w->other);
	loop_destroy(&w->loop);
	buf_finish(&w->heard);
	return 0;
}

static void
messages_stay_apart(void **state)
{
	struct world *w = *state;

	assert_int_equal(write(w->other, "one", 3), 3);
	assert_int_equal(write(w->other, "two", 3), 3);
	assert_int_equal(write(w->other, "last", 4), 4);
	loop_run(w->loop);
	assert_string_equal(buf_text(&w->heard), "[one][two][last]");
}

static void
the_end_comes_after_the_last_message(void **state)
{
	struct world *w = *state;

	assert_int_equal(write(w->other, "one", 3), 3);
	close(w->other);
	w->other = -1;
	loop_run(w->loop);
	assert_string_equal(buf_text(&w->heard), "[one]");
	assert_true(w->ended);
}

static void
a_descriptor_comes_with_its_message(void **state)
{
	struct world *w = *state;
	struct buf message = {0};
	int pipe_ends[2], passed;
	char byte = 0;

	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_true(link_send(w->link, str_of("plain"), -1));
	assert_true(link_send(w->link, str_of("reader"), pipe_ends[0]));
	close(pipe_ends[0]);
	assert_int_equal(link_receive(w->other, 0, &message, &passed), LINK_MESSAGE);
	assert_string_equal(buf_text(&message), "plain");
	assert_int_equal(passed, -1);
	assert_int_equal(link_receive(w->other, 0, &message, &passed), LINK_MESSAGE);
	assert_string_equal(buf_text(&message), "reader");
	assert_true((fcntl(passed, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	assert_int_equal(read(passed, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(passed);
	close(pipe_ends[1]);
	buf_finish(&message);
}

static void
nothing_and_the_end_are_told_apart(void **state)
{
	struct world *w = *state;
	struct buf message = {0};
	int passed;

	assert_int_equal(link_receive(w->other, 0, &message, &passed), LINK_NOTHING);
	link_destroy(&w->link);
	assert_int_equal(link_receive(w->other, 0, &message, &passed), LINK_ENDED);
	buf_finish(&message);
}

static void
who_does_not_read_is_not_waited_for(void **state)
{
	static char large[LINK_MESSAGE_MAX];
	struct world *w = *state;
	int sent = 0;

	memset(large, 'x', sizeof(large));
	while (link_send(w->link, (struct str){large, sizeof(large)}, -1))
		sent++;
	assert_true(sent > 0);
	close(w->other);
	w->other = -1;
	assert_false(link_send(w->link, str_of("more"), -1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(messages_stay_apart, start, end),
	    cmocka_unit_test_setup_teardown(the_end_comes_after_the_last_message, start, end),
	    cmocka_unit_test_setup_teardown(a_descriptor_comes_with_its_message, start, end),
	    cmocka_unit_test_setup_teardown(nothing_and_the_end_are_told_apart, start, end),
	    cmocka_unit_test_setup_teardown(who_does_not_read_is_not_waited_for, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
