#include "../check.h"

#include "syntax.h"
#include "table.h"

#include <string.h>

/* Texts that pass, NULL, texts that do not, NULL. */
static void
check_texts(text_check check, const char *const *texts)
{
	struct buf why = {0};

	for (; *texts != NULL; texts++)
		if (!check(str_of(*texts), &why))
			fail_msg("\"%s\" %s", *texts, buf_text(&why));
	for (texts++; *texts != NULL; texts++) {
		buf_clear(&why);
		if (check(str_of(*texts), &why))
			fail_msg("\"%s\" passed", *texts);
		/* It stands after the text, and says what would be right. */
		assert_true(strncmp(buf_text(&why), "is ", 3) == 0 ||
		            strncmp(buf_text(&why), "has ", 4) == 0);
	}
	buf_finish(&why);
}

#define CHECK(check, ...) check_texts(check, (const char *[]){__VA_ARGS__, NULL})

static void
names_can_stand_in_headers_and_paths(void **state)
{
	CHECK(syntax_name, "big", "10.0.0.1:11434", "[::1]:1", "a_b-c", NULL, "", "a b", "a/b", "a\"b",
	      "a,b", "\xc3\xa4", "a\nb");
}

static void
addresses_to_listen_on_have_a_port_or_a_path(void **state)
{
	CHECK(syntax_listen, "127.0.0.1:8080", ":8080", "localhost:0", "[::1]:8080", "[::]:65535",
	      "unix:/run/drover.sock", NULL, "", "8080", "127.0.0.1", "127.0.0.1:", "a:65536", "a:-1",
	      "::1:80", "[::1]", "[x]:80", "a b:80", "unix:", "unix:run/x", "http://a:80");
}

static void
the_admin_api_has_an_address_or_none(void **state)
{
	CHECK(syntax_admin, "127.0.0.1:8081", ":8081", "unix:/run/drover/admin.sock", "off", NULL, "",
	      "on", "127.0.0.1", "unix:x");
}

static void
addresses_of_this_machine_alone_are_known(void **state)
{
	const char *const good[] = {"127.0.0.1:8081", "127.8.9.1:0", "localhost:1",
	                            "LocalHost:1",    "[::1]:8081",  "unix:/run/admin.sock"};
	const char *const bad[] = {":8081",
	                           "0.0.0.0:8081",
	                           "10.0.0.1:8081",
	                           "[::]:8081",
	                           "[2001:db8::1]:80",
	                           "localhost.example.org:80",
	                           "127.0.0.1.example.org:80"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(syntax_is_on_loopback(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(syntax_is_on_loopback(bad[i]));
}

/* sun_path has room for 107 and the NUL. */
static void
the_path_of_a_socket_fits_into_its_address(void **state)
{
	char text[] = "unix:/23456789012345678901234567890123456789012345678901234567890123456789"
	              "01234567890123456789012345678901234567x";
	struct buf why = {0};

	assert_int_equal(strlen(text), 5 + 108);
	assert_true(syntax_listen((struct str){text, 5 + 107}, &why));
	assert_false(syntax_listen((struct str){text, 5 + 108}, &why));
	buf_finish(&why);
}

static void
hosts_are_names_without_a_port(void **state)
{
	CHECK(syntax_host, "localhost", "a.example", "*.a.example", "10.0.0.*", "::1", "*", NULL, "",
	      "a:80", "[::1]", "http://a", "a b", "a/b");
}

static void
origins_have_a_scheme_or_a_star(void **state)
{
	CHECK(syntax_origin, "https://a.example", "http://10.0.0.*:*", "app://*", "*", NULL, "",
	      "a.example", "https://a b", "https://a,https://b");
}

static void
model_globs_are_plain(void **state)
{
	CHECK(syntax_glob, "qwen2.5:7b", "qwen*", "hf.co/a/b:Q4_K_M", "?", NULL, "", "a b", "\xc3\xa4");
}

static void
keys_can_stand_in_a_header(void **state)
{
	CHECK(syntax_key, "sk-123", "a\"b", NULL, "", "a b", "a\r\nb", "\xc3\xa4");
}

static void
the_access_log_goes_to_a_known_place(void **state)
{
	CHECK(syntax_access, "stdout", "off", "/var/log/x", "./x", NULL, "", "stderr", "x");
}

static void
a_path_is_not_empty(void **state)
{
	CHECK(syntax_path, "x", "/a b/c", NULL, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_can_stand_in_headers_and_paths),
	    cmocka_unit_test(addresses_to_listen_on_have_a_port_or_a_path),
	    cmocka_unit_test(the_admin_api_has_an_address_or_none),
	    cmocka_unit_test(addresses_of_this_machine_alone_are_known),
	    cmocka_unit_test(the_path_of_a_socket_fits_into_its_address),
	    cmocka_unit_test(hosts_are_names_without_a_port),
	    cmocka_unit_test(origins_have_a_scheme_or_a_star),
	    cmocka_unit_test(model_globs_are_plain),
	    cmocka_unit_test(keys_can_stand_in_a_header),
	    cmocka_unit_test(the_access_log_goes_to_a_known_place),
	    cmocka_unit_test(a_path_is_not_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
