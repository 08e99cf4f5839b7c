#include "../check.h"

#include "base/buf.h"
#include "proto/form.h"

#include <string.h>

static bool
write_down(enum form_event event, struct str text, uint64_t offset, void *arg)
{
	struct buf *out = arg;

	switch (event) {
	case FORM_FIELD_BEGIN:
		buf_addf(out, "%.*s@%llu=", STR_ARG(text), (unsigned long long)offset);
		break;
	case FORM_PIECE:
		assert_true(text.len > 0);
		buf_add(out, text.ptr, text.len);
		break;
	case FORM_FIELD_END: buf_addf(out, "@%llu;", (unsigned long long)offset); break;
	case FORM_FILE: buf_addf(out, "(%.*s);", STR_ARG(text)); break;
	}
	return true;
}

static bool
read_in(const char *type, struct str body, size_t step, struct buf *out)
{
	struct form_reader *f;
	bool ok = true;

	buf_clear(out);
	f = form_reader_create(str_of(type), write_down, out);
	for (size_t at = 0; at < body.len && ok; at += step) {
		size_t n = body.len - at < step ? body.len - at : step;
		char *piece = test_malloc(n);

		memcpy(piece, body.ptr + at, n);
		ok = form_reader_feed(f, (struct str){piece, n});
		test_free(piece);
	}
	ok = form_reader_end(f) && ok;
	if (!ok) {
		buf_clear(out);
		buf_adds(out, form_reader_why(f));
	}
	form_reader_destroy(&f);
	return ok;
}

/* What comes out, or why not, is the same however the body is cut. */
static void
reads(const char *body, const char *want)
{
	struct buf out = {0};

	for (size_t step = 1; step < 40; step++) {
		read_in("multipart/form-data; boundary=b-1", str_of(body), step, &out);
		assert_string_equal(buf_text(&out), want);
	}
	buf_finish(&out);
}

#define HEAD(params)       "Content-Disposition: form-data" params "\r\n"
#define FIELD(name, value) "--b-1\r\n" HEAD("; name=\"" name "\"") "\r\n" value "\r\n"
#define END                "--b-1--\r\n"

static void
fields_are_reported_and_files_passed_over(void **state)
{
	reads(FIELD("a", "1") "--b-1\r\n" HEAD("; name=f; filename=x") "\r\nbinary\r\n" FIELD("b", "")
	          END,
	      "a@51=1@52;(f);b@174=@174;");
	reads(FIELD("a", "1") "--b-1--", "a@51=1@52;");
	reads("--b-1--", "");
}

static void
values_may_look_like_the_boundary(void **state)
{
	reads(FIELD("a", "\r\n--b-\r\r\n-\r\n\r\n--b") END, "a@51=\r\n--b-\r\r\n-\r\n\r\n--b@68;");
	reads(FIELD("a", "--b-") END, "a@51=--b-@55;");
	reads(FIELD("a", "\n--b-1\n") END, "a@51=\n--b-1\n@58;");
}

static void
headers_are_read_as_they_are_written(void **state)
{
	reads("--b-1\r\ncontent-disposition:FORM-DATA ;NAME=a\r\nX-Y: \xc3\xa9\r\n\r\n1\r\n" END,
	      "a@57=1@58;");
	reads("--b-1\r\n" HEAD("; name=a; filename=\"a\\\"; name=\\\"b\"") "\r\n1\r\n" END, "(a);");
	reads("--b-1\r\n" HEAD("; name=a; filename*=utf-8''x") "\r\n1\r\n" END, "(a);");
	reads("--b-1\r\n" HEAD("; name=a") "Content-Transfer-Encoding: BINARY\r\n\r\n1\r\n" END,
	      "a@84=1@85;");
}

static void
is_refused(const char *body, const char *want)
{
	struct buf out = {0}, why = {0};

	for (size_t step = 1; step < 100; step += 7) {
		assert_false(read_in("multipart/form-data; boundary=b-1", str_of(body), step, &out));
		buf_clear(&why);
		buf_adds(&why, strstr(buf_text(&out), ": ") + 2);
		assert_string_equal(buf_text(&why), want);
	}
	buf_finish(&out);
	buf_finish(&why);
}

static void
what_readers_disagree_on_is_refused(void **state)
{
	is_refused("x\r\n" END, "it does not begin with the boundary");
	is_refused("\r\n" END, "it does not begin with the boundary");
	is_refused("--b-1 \r\n", "a boundary with something after it");
	is_refused("--b-1\n\n", "a boundary with something after it");
	is_refused("--b-1-x", "a boundary with something after it");
	is_refused(FIELD("a", "1\r\n--b-1x"), "a boundary with something after it");
	is_refused(END "epilogue", "something after the last boundary");
	is_refused(END "\r\n", "something after the last boundary");
	is_refused("--b-1--\n", "something after the last boundary");
	is_refused("--b-1--\r", "it ends too early");
	is_refused(FIELD("a", "1"), "it ends too early");
	is_refused("--b-1\r\n" HEAD("; name=a") "\r\n--b-1--", "a part without a value");
	is_refused("--b-1\r\n\r\n1\r\n" END, "a part without Content-Disposition");
	is_refused("--b-1\r\nContent-Disposition: form-data; name=a\n\r\n", "a bare line feed");
	is_refused("--b-1\r\n\n", "a bare line feed");
	is_refused("--b-1\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n",
	           "a malformed Content-Disposition");
	is_refused("--b-1\r\n" HEAD("; name=a") " folded\r\n", "a malformed header of a part");
	is_refused("--b-1\r\n" HEAD("; name=a") HEAD("; name=b") "\r\n",
	           "a second Content-Disposition");
	is_refused("--b-1\r\nContent-Disposition : form-data\r\n", "a malformed header of a part");
	is_refused("--b-1\r\nContent-Disposition: attachment; name=a\r\n",
	           "a part that is no form-data");
	is_refused("--b-1\r\n" HEAD("") "\r\n", "a form field without a name");
	is_refused("--b-1\r\n" HEAD("; name=\"\"") "\r\n", "an empty or escaped name of a form field");
	is_refused("--b-1\r\n" HEAD("; name=\"a\\b\"") "\r\n",
	           "an empty or escaped name of a form field");
	is_refused("--b-1\r\n" HEAD("; name=a; name=b") "\r\n", "two names of a form field");
	is_refused("--b-1\r\n" HEAD("; name*=utf-8''a") "\r\n", "an encoded name of a form field");
	is_refused("--b-1\r\n" HEAD("; name*0=a") "\r\n", "an encoded name of a form field");
	is_refused("--b-1\r\n" HEAD("; name=\"a") "\r\n", "a malformed Content-Disposition");
	is_refused("--b-1\r\n" HEAD("; name = a") "\r\n", "a malformed Content-Disposition");
	is_refused("--b-1\r\n" HEAD("; name=a b") "\r\n", "a malformed Content-Disposition");
	is_refused("--b-1\r\n" HEAD("; name=a;") "\r\n", "a malformed Content-Disposition");
	is_refused("--b-1\r\n" HEAD("; name=a") "Content-Transfer-Encoding: quoted-printable\r\n",
	           "an encoded part");
	is_refused("--b-1\r\nX: a\x01\r\n", "a malformed header of a part");
}

static void
bounds_hold(void **state)
{
	struct buf body = {0};

	buf_adds(&body, "--b-1\r\nX: ");
	for (int i = 0; i < FORM_LINE_MAX; i++)
		buf_addc(&body, 'a');
	is_refused(buf_text(&body), "a header of a part is too long");
	buf_clear(&body);
	buf_adds(&body, "--b-1\r\n");
	for (int i = 0; i <= FORM_HEADERS_MAX; i++)
		buf_adds(&body, "X: a\r\n");
	is_refused(buf_text(&body), "a part with too many headers");
	buf_clear(&body);
	for (int i = 0; i <= FORM_PARTS_MAX; i++)
		buf_adds(&body, FIELD("a", ""));
	is_refused(buf_text(&body), "too many parts");
	buf_clear(&body);
	buf_adds(&body, "--b-1\r\nContent-Disposition: form-data; name=");
	for (int i = 0; i <= FORM_NAME_MAX; i++)
		buf_addc(&body, 'a');
	buf_adds(&body, "\r\n");
	is_refused(buf_text(&body), "the name of a field is too long");
	buf_finish(&body);
}

static void
type_gives(const char *type, const char *want)
{
	struct buf out = {0};

	read_in(type, str_of("--b-1--"), 100, &out);
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
the_boundary_comes_from_the_content_type(void **state)
{
	type_gives("multipart/form-data; boundary=b-1", "");
	type_gives("Multipart/Form-Data;charset=x; BOUNDARY=\"b-1\"", "");
	type_gives("application/json", "the body must be multipart/form-data");
	type_gives("", "the body must be multipart/form-data");
	type_gives("multipart/form-data", "the Content-Type has no boundary");
	type_gives("multipart/form-datax; boundary=b-1", "the Content-Type is malformed");
	type_gives("multipart/form-data; boundary", "the Content-Type is malformed");
	type_gives("multipart/form-data; boundary=b 1", "the Content-Type is malformed");
	type_gives("multipart/form-data; boundary=\"\"", "the boundary in Content-Type is malformed");
	type_gives("multipart/form-data; boundary=\"b 1\"",
	           "the boundary in Content-Type is malformed");
	type_gives("multipart/form-data; boundary*=b-1", "the boundary in Content-Type is malformed");
	type_gives("multipart/form-data; boundary=b-1; boundary=b-1",
	           "the boundary in Content-Type is malformed");
	type_gives("multipart/form-data; boundary="
	           "0123456789012345678901234567890123456789012345678901234567890123456789x",
	           "the boundary in Content-Type is malformed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_reported_and_files_passed_over),
	    cmocka_unit_test(values_may_look_like_the_boundary),
	    cmocka_unit_test(headers_are_read_as_they_are_written),
	    cmocka_unit_test(what_readers_disagree_on_is_refused),
	    cmocka_unit_test(bounds_hold),
	    cmocka_unit_test(the_boundary_comes_from_the_content_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
