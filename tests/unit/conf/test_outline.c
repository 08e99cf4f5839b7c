#include "../check.h"

#include "outline.h"

#include <string.h>

static bool
parse(struct outline *o, const char *text, struct buf *why)
{
	struct report report = {0};
	bool fine = outline_parse(o, str_of(text), "f", &report);

	report_write(&report, why);
	report_finish(&report);
	return fine;
}

static void
expect_place(const struct place *p, enum place_kind kind, int key_line, int key_column, int line,
             int column)
{
	assert_non_null(p);
	assert_int_equal(p->kind, kind);
	assert_int_equal(p->key_at.line, key_line);
	assert_int_equal(p->key_at.column, key_column);
	assert_int_equal(p->at.line, line);
	assert_int_equal(p->at.column, column);
}

static void
every_key_and_value_has_its_place(void **state)
{
	struct outline o;
	struct buf why = {0};

	assert_true(parse(&o,
	                  "# first\n"
	                  "a: 1\n"
	                  "b:\n"
	                  "  c: [x, y]\n"
	                  "  \xc3\xa4:   'text'\n"
	                  "d: {e: ~}\n",
	                  &why));
	expect_place(o.root, PLACE_MAPPING, 2, 1, 2, 1);
	expect_place(outline_find(o.root, "a"), PLACE_TEXT, 2, 1, 2, 4);
	expect_place(outline_find(o.root, "b"), PLACE_MAPPING, 3, 1, 4, 3);
	expect_place(outline_find(o.root, "b.c"), PLACE_LIST, 4, 3, 4, 6);
	expect_place(outline_find(o.root, "b.\xc3\xa4"), PLACE_TEXT, 5, 3, 5, 8);
	expect_place(outline_find(o.root, "d.e"), PLACE_NOTHING, 6, 5, 6, 8);
	assert_null(outline_find(o.root, "b.d"));
	assert_null(outline_find(o.root, "a.b"));
	assert_null(outline_find(o.root, ""));
	outline_finish(&o);
}

static void
entries_of_a_list_keep_their_order(void **state)
{
	const struct place *p, *list;
	struct outline o;
	struct buf why = {0};
	int column = 5;

	assert_true(parse(&o, "a: [x, y, z]", &why));
	list = outline_find(o.root, "a");
	LIST_FOR_EACH (p, &list->children, struct place, link) {
		expect_place(p, PLACE_TEXT, 1, column, 1, column);
		column += 3;
	}
	assert_int_equal(column, 14);
	outline_finish(&o);
}

static void
a_key_that_is_there_twice_is_marked(void **state)
{
	const struct place *p;
	struct outline o;
	struct buf why = {0};
	int repeated = 0;

	assert_true(parse(&o, "{a: 1, b: 2, a: [3], c: {a: 4}}", &why));
	LIST_FOR_EACH (p, &o.root->children, struct place, link)
		repeated += p->is_repeated;
	assert_int_equal(repeated, 1);
	expect_place(outline_find(o.root, "a"), PLACE_TEXT, 1, 2, 1, 5);
	outline_finish(&o);
}

static void
quotes_make_a_text_of_nothing(void **state)
{
	struct outline o;
	struct buf why = {0};

	assert_true(parse(&o, "{a: '', b: 'null', c: null, d: , e: NULL, f: nulls}", &why));
	assert_int_equal(outline_find(o.root, "a")->kind, PLACE_TEXT);
	assert_int_equal(outline_find(o.root, "b")->kind, PLACE_TEXT);
	assert_int_equal(outline_find(o.root, "c")->kind, PLACE_NOTHING);
	assert_int_equal(outline_find(o.root, "d")->kind, PLACE_NOTHING);
	assert_int_equal(outline_find(o.root, "e")->kind, PLACE_NOTHING);
	assert_int_equal(outline_find(o.root, "f")->kind, PLACE_TEXT);
	outline_finish(&o);
}

static void
a_text_without_values_has_no_root(void **state)
{
	struct outline o;
	struct buf why = {0};

	assert_true(parse(&o, "# nothing\n", &why));
	assert_null(o.root);
	outline_finish(&o);
}

static void
what_cannot_be_read_on_has_a_place(void **state)
{
	struct outline o;
	struct buf why = {0};

	assert_false(parse(&o, "a: 1\nb: &x 2\nc: *x", &why));
	assert_string_equal(buf_text(&why),
	                    "f:2:4: anchors and aliases are not used here; write the value out\n");
	outline_finish(&o);
	buf_finish(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_and_value_has_its_place),
	    cmocka_unit_test(entries_of_a_list_keep_their_order),
	    cmocka_unit_test(a_key_that_is_there_twice_is_marked),
	    cmocka_unit_test(quotes_make_a_text_of_nothing),
	    cmocka_unit_test(a_text_without_values_has_no_root),
	    cmocka_unit_test(what_cannot_be_read_on_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
