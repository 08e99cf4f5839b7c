#include "../check.h"

#include "base/buf.h"
#include "proto/zstd_body.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static bool
collect(struct str piece, void *arg)
{
	buf_add(arg, piece.ptr, piece.len);
	return true;
}

static bool
refuse(struct str piece, void *arg)
{
	return false;
}

static size_t
pack(const char *text, size_t len, char **out)
{
	size_t most = ZSTD_compressBound(len), n;

	*out = malloc(most);
	n = ZSTD_compress(*out, most, text, len, 3);
	assert_false(ZSTD_isError(n));
	return n;
}

static void
decodes_however_it_is_cut(void **state)
{
	const char *text = "{\"model\":\"llama3\",\"messages\":[]}";
	char *packed;
	size_t n = pack(text, strlen(text), &packed);

	for (size_t step = 1; step <= n; step++) {
		struct buf got = {0};
		struct zstd_body *z = zstd_body_create(1000, collect, &got);

		for (size_t at = 0; at < n; at += step) {
			assert_int_equal(
			    zstd_body_feed(z, (struct str){packed + at, n - at < step ? n - at : step}),
			    ZSTD_FED);
			assert_int_equal(zstd_body_is_whole(z), at + step >= n);
		}
		assert_string_equal(buf_text(&got), text);
		zstd_body_destroy(&z);
		buf_finish(&got);
	}
	free(packed);
}

static void
a_bomb_is_stopped_at_the_bound(void **state)
{
	size_t len = 64 * 1024 * 1024;
	char *zeros = calloc(1, len), *packed;
	size_t n = pack(zeros, len, &packed);
	struct buf got = {0};
	struct zstd_body *z = zstd_body_create(1000000, collect, &got);

	assert_int_equal(zstd_body_feed(z, (struct str){packed, n}), ZSTD_TOO_LARGE);
	assert_true(got.len <= 1000000);
	zstd_body_destroy(&z);
	buf_finish(&got);
	free(zeros);
	free(packed);
}

static void
what_is_no_zstd_is_refused(void **state)
{
	struct buf got = {0};
	struct zstd_body *z = zstd_body_create(1000, collect, &got);

	assert_int_equal(zstd_body_feed(z, str_of("{\"model\":1}")), ZSTD_BROKEN);
	zstd_body_destroy(&z);
	buf_finish(&got);
}

static void
the_sink_can_stop_it(void **state)
{
	char *packed;
	size_t n = pack("abc", 3, &packed);
	struct zstd_body *z = zstd_body_create(1000, refuse, NULL);

	assert_int_equal(zstd_body_feed(z, (struct str){packed, n}), ZSTD_STOPPED);
	zstd_body_destroy(&z);
	free(packed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decodes_however_it_is_cut),
	    cmocka_unit_test(a_bomb_is_stopped_at_the_bound),
	    cmocka_unit_test(what_is_no_zstd_is_refused),
	    cmocka_unit_test(the_sink_can_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
