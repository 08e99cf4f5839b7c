#include "../check.h"

#include "base64.h"

#include <string.h>

static void
encodes_and_decodes_every_length(void **state)
{
	unsigned char bytes[40];
	struct buf text = {0}, back = {0};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 5);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		buf_clear(&text);
		buf_clear(&back);
		base64_encode(&text, bytes, len);
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		assert_true(base64_decode((struct str){buf_text(&text), text.len}, &back));
		assert_int_equal(back.len, len);
		if (len > 0)
			assert_memory_equal(back.data, bytes, len);
	}
	buf_finish(&text);
	buf_finish(&back);
}

static void
refuses_what_is_no_base64(void **state)
{
	static const char *const bad[] = {"a", "ab", "abc", "a===", "ab=c", "ab==x", "a-bc", "a bc"};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(str_of(bad[i]), &out));
	buf_clear(&out);
	assert_true(base64_decode(str_of("aGVs\r\nbG8=\n"), &out));
	assert_string_equal(buf_text(&out), "hello");
	buf_finish(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodes_and_decodes_every_length),
	    cmocka_unit_test(refuses_what_is_no_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
