#include "../check.h"

#include "view.h"

#include <stdio.h>

enum { MANY = 30 };

struct shown {
	struct view view;
	struct picture *picture;
	struct sheet sheet;
};

/* A node with two models, and so many requests: r0, r1, ... */
static struct shown
show(int rows, int columns, int requests)
{
	struct shown s = {.picture = picture_create()};
	struct buf json = {0};

	buf_addc(&json, '[');
	for (int i = 0; i < requests; i++)
		buf_addf(&json, "%s{\"id\":\"r%d\",\"state\":\"queued\",\"position\":%d}", i > 0 ? "," : "",
		         i, i);
	buf_addc(&json, ']');
	assert_true(picture_take_requests(s.picture, buf_text(&json)));
	assert_true(picture_take_status(
	    s.picture, "{\"version\":\"1\",\"queue\":{},\"backends\":[{\"name\":\"one\",\"models\":["
	               "{\"name\":\"m:1\"},{\"name\":\"m:2\",\"state\":\"loading\",\"loading_ms\":5000,"
	               "\"load_expected_ms\":20000}]},{\"name\":\"two\",\"models\":[]}]}"));
	buf_finish(&json);
	view_init(&s.view, "http://x");
	s.view.rows = rows;
	s.view.columns = columns;
	view_draw(&s.view, s.picture, &s.sheet);
	return s;
}

static void
drop(struct shown *s)
{
	view_finish(&s->view);
	sheet_finish(&s->sheet);
	picture_destroy(&s->picture);
}

static void
press(struct shown *s, enum view_key key)
{
	view_press(&s->view, s->picture, key);
	view_draw(&s->view, s->picture, &s->sheet);
}

static void
expect_picked(const struct shown *s, const char *id)
{
	assert_string_equal(view_request(&s->view, s->picture)->id, id);
}

static void
it_is_as_high_and_wide_as_it_was_told(void **state)
{
	for (int rows = 8; rows < 60; rows++)
		for (int columns = 1; columns < 200; columns += 7) {
			struct shown s = show(rows, columns, MANY);

			assert_int_equal(s.sheet.lines, rows);
			drop(&s);
		}
}

static void
a_page_has_one_row_of_the_page_before(void **state)
{
	struct shown s = show(20, 80, MANY); /* 20 less 8 for all else, and 4 of nodes: 8 rows */

	expect_picked(&s, "r0");
	press(&s, VIEW_PAGE_DOWN);
	expect_picked(&s, "r7");
	press(&s, VIEW_LAST);
	expect_picked(&s, "r29");
	press(&s, VIEW_DOWN);
	press(&s, VIEW_PAGE_DOWN);
	expect_picked(&s, "r29");
	press(&s, VIEW_PAGE_UP);
	expect_picked(&s, "r22");
	press(&s, VIEW_FIRST);
	press(&s, VIEW_UP);
	press(&s, VIEW_PAGE_UP);
	expect_picked(&s, "r0");
	drop(&s);
}

static void
keys_do_nothing_where_there_is_nothing(void **state)
{
	struct shown s = show(20, 80, 0);

	for (int key = VIEW_UP; key <= VIEW_LAST; key++) {
		press(&s, (enum view_key)key);
		assert_null(view_request(&s.view, s.picture));
	}
	assert_null(view_node(&s.view, s.picture));
	drop(&s);
}

static void
a_model_stands_for_its_node(void **state)
{
	static const char *const wanted[] = {"one", "one", "one", "two"};
	struct shown s = show(30, 80, 0);

	press(&s, VIEW_OTHER_PANE);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(view_node(&s.view, s.picture)->name, wanted[i]);
		press(&s, VIEW_DOWN);
	}
	drop(&s);
}

static void
a_load_is_shown_against_what_it_is_expected_to_take(void **state)
{
	struct shown s = show(0, 0, 1);
	struct buf plain = {0};

	sheet_add_plain(&s.sheet, &plain);
	assert_non_null(strstr(buf_text(&plain), "  m:2        loading   [|||||    5.0s of 20s]"));
	assert_null(strstr(buf_text(&plain), " \n"));
	buf_finish(&plain);
	drop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_as_high_and_wide_as_it_was_told),
	    cmocka_unit_test(a_page_has_one_row_of_the_page_before),
	    cmocka_unit_test(keys_do_nothing_where_there_is_nothing),
	    cmocka_unit_test(a_model_stands_for_its_node),
	    cmocka_unit_test(a_load_is_shown_against_what_it_is_expected_to_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
