#include "../check.h"

#include "base/mem.h"
#include "core/recording.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20 };

/* Reads all there is whenever it is told. */
struct listener {
	struct recording_reader reader;
	struct buf got;
	int told;
	bool leaves; /* when it is told */
};

static void
read_all(struct listener *l)
{
	for (struct str s; (s = recording_peek(&l->reader)).len > 0;) {
		buf_add(&l->got, s.ptr, s.len);
		recording_skip(&l->reader, s.len);
	}
}

static void
on_more(struct recording_reader *r)
{
	struct listener *l = LIST_ENTRY(r, struct listener, reader);

	l->told++;
	if (l->leaves)
		recording_detach(r);
	else
		read_all(l);
}

static void
on_more_sleeps(struct recording_reader *r)
{
	LIST_ENTRY(r, struct listener, reader)->told++;
}

static void
finish(struct listener *l)
{
	recording_detach(&l->reader);
	buf_finish(&l->got);
}

static void
each_reader_gets_all_of_it(void **state)
{
	struct recording *r = recording_create(ROOM);
	struct listener early = {0}, late = {0}, after = {0};

	recording_attach(r, &early.reader, on_more);
	assert_int_equal(recording_peek(&early.reader).len, 0);
	recording_append(r, str_of("one "));
	recording_attach(r, &late.reader, on_more);
	recording_append(r, str_of("two "));
	assert_false(recording_is_over(&early.reader));
	recording_append(r, str_of("three"));
	recording_end(r, true);
	recording_attach(r, &after.reader, on_more);
	read_all(&after);
	assert_string_equal(buf_text(&early.got), "one two three");
	assert_string_equal(buf_text(&late.got), "one two three");
	assert_string_equal(buf_text(&after.got), "one two three");
	assert_true(recording_is_over(&early.reader) && recording_is_over(&after.reader));
	assert_int_equal(recording_state(r), RECORDING_WHOLE);
	assert_int_equal(early.told, 4);
	assert_int_equal(after.told, 0);
	recording_release(&r);
	assert_null(r);
	finish(&early);
	finish(&late);
	finish(&after);
}

static void
readers_outlive_the_writer_and_learn_of_the_cut(void **state)
{
	struct recording *r = recording_create(ROOM);
	struct listener l = {0};

	recording_attach(r, &l.reader, on_more_sleeps);
	recording_append(r, str_of("half"));
	recording_release(&r);
	assert_int_equal(l.told, 2);
	assert_int_equal(recording_state(l.reader.recording), RECORDING_CUT);
	assert_false(recording_is_over(&l.reader));
	read_all(&l);
	assert_true(recording_is_over(&l.reader));
	assert_string_equal(buf_text(&l.got), "half");
	finish(&l);
	recording_detach(&l.reader);
}

static void
who_leaves_when_told_harms_nobody(void **state)
{
	struct recording *r = recording_create(ROOM);
	struct listener a = {.leaves = true}, b = {0}, c = {.leaves = true};

	recording_attach(r, &a.reader, on_more);
	recording_attach(r, &b.reader, on_more);
	recording_attach(r, &c.reader, on_more);
	recording_append(r, str_of("x"));
	recording_append(r, str_of("y"));
	assert_int_equal(a.told + c.told, 2);
	assert_string_equal(buf_text(&b.got), "xy");
	assert_null(a.reader.recording);
	b.leaves = true;
	recording_append(r, str_of("z"));
	assert_false(recording_has_readers(r));
	recording_release(&r);
	finish(&b);
}

static void
what_is_kept_can_be_copied(void **state)
{
	struct recording *r = recording_create(ROOM);
	struct buf all = {0};

	for (int i = 0; i < 20000; i++)
		recording_append(r, str_of("0123456789"));
	assert_true(recording_is_kept(r));
	recording_copy(r, &all);
	assert_int_equal(all.len, 200000);
	assert_memory_equal(all.data + 65530, "0123456789", 10);
	buf_finish(&all);
	recording_release(&r);
}

static void
a_slow_reader_is_lost_and_memory_stays_bounded(void **state)
{
	struct recording *r = recording_create(256 * 1024);
	struct listener fast = {0}, slow = {0};
	char block[1000];

	memset(block, 'x', sizeof(block));
	recording_attach(r, &fast.reader, on_more);
	recording_attach(r, &slow.reader, on_more_sleeps);
	for (int i = 0; i < 5000; i++) {
		recording_append(r, (struct str){block, sizeof(block)});
		assert_true(recording_held_bytes(r) <= 257 * 1024 + 1000);
	}
	assert_false(recording_is_kept(r));
	assert_int_equal(fast.got.len, 5000000);
	assert_true(slow.reader.lost && recording_is_over(&slow.reader));
	assert_int_equal(recording_peek(&slow.reader).len, 0);
	assert_false(fast.reader.lost);
	recording_release(&r);
	finish(&fast);
	finish(&slow);
}

static void
what_all_have_read_is_forgotten_once_it_is_no_longer_kept(void **state)
{
	struct recording *r = recording_create(128 * 1024);
	struct listener l = {0};
	char block[5000] = {0};

	recording_attach(r, &l.reader, on_more);
	for (int i = 0; i < 100; i++)
		recording_append(r, (struct str){block, sizeof(block)});
	assert_false(recording_is_kept(r));
	assert_true(recording_held_bytes(r) <= 130 * 1024);
	assert_int_equal(l.got.len, 500000);
	recording_release(&r);
	finish(&l);
}

static void
knows_how_far_the_writer_is_ahead(void **state)
{
	struct recording *r = recording_create(ROOM);
	struct listener a = {0}, b = {0};

	recording_append(r, str_of("12345"));
	assert_int_equal(recording_ahead_bytes(r), 5);
	recording_attach(r, &a.reader, on_more_sleeps);
	recording_attach(r, &b.reader, on_more_sleeps);
	recording_skip(&b.reader, 3);
	assert_int_equal(recording_ahead_bytes(r), 2);
	recording_detach(&b.reader);
	assert_int_equal(recording_ahead_bytes(r), 5);
	recording_release(&r);
	finish(&a);
}

/* --- readers that come, read some, sleep and leave, at random --- */

enum { READERS = 12, TOTAL = 400000 };

static unsigned
draw(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*seed >> 33) % below);
}

static char
byte_at(uint64_t at)
{
	return (char)(at * 7 + at / 251);
}

static void
read_some(struct recording_reader *r, uint64_t *seed)
{
	for (unsigned n = draw(seed, 8); n > 0 && r->recording != NULL; n--) {
		struct str s = recording_peek(r);
		size_t take = s.len == 0 ? 0 : 1 + draw(seed, (unsigned)s.len);

		for (size_t i = 0; i < take; i++)
			assert_int_equal(s.ptr[i], byte_at(r->at + i));
		recording_skip(r, take);
	}
}

static void
any_readers_read_what_was_written(void **state)
{
	for (uint64_t run = 1; run <= 20; run++) {
		struct recording *r = recording_create(run % 2 == 0 ? ROOM : 90 * 1024);
		struct listener *all = mem_zalloc(READERS, sizeof(*all));
		uint64_t seed = run, at = 0;
		char block[4000];

		while (at < TOTAL) {
			struct listener *l = &all[draw(&seed, READERS)];
			size_t n = 1 + draw(&seed, sizeof(block));

			for (size_t i = 0; i < n; i++)
				block[i] = byte_at(at + i);
			recording_append(r, (struct str){block, n});
			at += n;
			if (l->reader.recording == NULL && recording_is_kept(r))
				recording_attach(r, &l->reader, on_more_sleeps);
			else if (draw(&seed, 10) == 0)
				recording_detach(&l->reader);
			for (int i = 0; i < READERS; i++)
				if (all[i].reader.recording != NULL)
					read_some(&all[i].reader, &seed);
		}
		recording_end(r, true);
		recording_release(&r);
		for (int i = 0; i < READERS; i++) {
			while (all[i].reader.recording != NULL && !recording_is_over(&all[i].reader))
				read_some(&all[i].reader, &seed);
			assert_true(all[i].reader.recording == NULL || all[i].reader.lost ||
			            all[i].reader.at == at);
			finish(&all[i]);
		}
		free(all);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_reader_gets_all_of_it),
	    cmocka_unit_test(readers_outlive_the_writer_and_learn_of_the_cut),
	    cmocka_unit_test(who_leaves_when_told_harms_nobody),
	    cmocka_unit_test(what_is_kept_can_be_copied),
	    cmocka_unit_test(a_slow_reader_is_lost_and_memory_stays_bounded),
	    cmocka_unit_test(what_all_have_read_is_forgotten_once_it_is_no_longer_kept),
	    cmocka_unit_test(knows_how_far_the_writer_is_ahead),
	    cmocka_unit_test(any_readers_read_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
