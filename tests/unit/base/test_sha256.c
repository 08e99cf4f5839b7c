#include "../check.h"

#include "base/sha256.h"

/* FIPS 180-4, the examples of SHA-256. */
static const unsigned char of_abc[] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

static void
hashes_as_the_standard_does(void **state)
{
	struct sha256_hasher *h = sha256_hasher_create();
	struct sha256 d = sha256_of(h, str_of("abc"));
	char hex[SHA256_HEX_SIZE];

	assert_memory_equal(d.bytes, of_abc, SHA256_BYTES);
	sha256_write_hex(&d, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_hasher_destroy(&h);
	assert_null(h);
}

static void
pieces_are_as_good_as_the_whole_and_what_was_before_is_forgotten(void **state)
{
	struct sha256_hasher *h = sha256_hasher_create();
	struct sha256 d;

	sha256_begin(h);
	sha256_add(h, str_of("what was before"));
	sha256_begin(h);
	sha256_add(h, str_of("a"));
	sha256_add(h, str_of(""));
	sha256_add(h, str_of("bc"));
	d = sha256_end(h);
	assert_memory_equal(d.bytes, of_abc, SHA256_BYTES);
	sha256_hasher_destroy(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_as_the_standard_does),
	    cmocka_unit_test(pieces_are_as_good_as_the_whole_and_what_was_before_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
