#include "../check.h"

#include "url.h"

#include <string.h>

struct good_url {
	const char *text;
	bool tls;
	const char *hostport;
	const char *path;
};

static void
urls_are_taken_apart(void **state)
{
	static const struct good_url cases[] = {
	    {"http://a", false, "a:80", ""},
	    {"https://a", true, "a:443", ""},
	    {"HTTP://A.example:8080/", false, "A.example:8080", "/"},
	    {"http://10.0.0.1:11434", false, "10.0.0.1:11434", ""},
	    {"http://[::1]:65535/x/y", false, "[::1]:65535", "/x/y"},
	    {"https://[fe80::1]", true, "[fe80::1]:443", ""},
	    {"http://node_1.rack-2:1", false, "node_1.rack-2:1", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf hostport = {0}, why = {0};
		struct url u;

		assert_true(url_parse(str_of(cases[i].text), &u, &why));
		url_add_hostport(&u, &hostport);
		assert_int_equal(u.tls, cases[i].tls);
		assert_string_equal(buf_text(&hostport), cases[i].hostport);
		assert_true(str_eq(u.path, cases[i].path));
		assert_int_equal(why.len, 0);
		buf_finish(&hostport);
	}
}

static void
what_is_no_url_is_refused_with_a_reason(void **state)
{
	static const char *const cases[][2] = {
	    {"", "is no URL; give http://host:port or https://host"},
	    {"a:11434", "is no URL; give http://host:port or https://host"},
	    {"ftp://a", "is no URL; give http://host:port or https://host"},
	    {"http:/a", "is no URL; give http://host:port or https://host"},
	    {"http://", "has no valid host; give http://host:port or https://host"},
	    {"http://:80", "has no valid host; give http://host:port or https://host"},
	    {"http:///x", "has no valid host; give http://host:port or https://host"},
	    {"http://a b", "has no valid host; give http://host:port or https://host"},
	    {"http://[::g]", "has no valid host; give http://host:port or https://host"},
	    {"http://[::1", "has no valid host; give http://host:port or https://host"},
	    {"http://::1", "has no valid host; give http://host:port or https://host"},
	    {"http://10.0.0.256", "has no valid host; give http://host:port or https://host"},
	    {"http://a:", "has no valid port; give 1 to 65535"},
	    {"http://a:0", "has no valid port; give 1 to 65535"},
	    {"http://a:65536", "has no valid port; give 1 to 65535"},
	    {"http://a:8o", "has no valid port; give 1 to 65535"},
	    {"http://[::1]x", "has no valid port; give 1 to 65535"},
	    {"http://u:p@a", "has a user in it; a node's key goes into api_key"},
	    {"http://a?x", "has a query or a character in its path that no prefix can have"},
	    {"http://a/x#y", "has a query or a character in its path that no prefix can have"},
	    {"http://a/x y", "has a query or a character in its path that no prefix can have"},
	    {"http://a/\r\nX: 1", "has a query or a character in its path that no prefix can have"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf why = {0};
		struct url u;

		assert_false(url_parse(str_of(cases[i][0]), &u, &why));
		assert_string_equal(buf_text(&why), cases[i][1]);
		buf_finish(&why);
	}
}

/* As envconfig.Host of Ollama reads it, then turned into a target. */
static void
ollamas_host_is_read_as_ollama_reads_it(void **state)
{
	static const char *const cases[][2] = {
	    {"", "http://127.0.0.1:11434"},
	    {"1.2.3.4", "http://1.2.3.4:11434"},
	    {":1234", "http://127.0.0.1:1234"},
	    {"1.2.3.4:", "http://1.2.3.4:11434"},
	    {"example.com", "http://example.com:11434"},
	    {"example.com:1234", "http://example.com:1234"},
	    {"http://example.com", "http://example.com:80"},
	    {"https://example.com", "https://example.com:443"},
	    {"https://example.com:1234", "https://example.com:1234"},
	    {"example.com/", "http://example.com:11434"},
	    {"example.com:1234/path", "http://example.com:1234/path"},
	    {"https://example.com/a/b/", "https://example.com:443/a/b"},
	    {"[::1]", "http://[::1]:11434"},
	    {"[::1]:1337", "http://[::1]:1337"},
	    {"::1", "http://[::1]:11434"},
	    {"0.0.0.0", "http://127.0.0.1:11434"},
	    {"0.0.0.0:1", "http://127.0.0.1:1"},
	    {"http://0.0.0.0:1", "http://127.0.0.1:1"},
	    {"[::]:1", "http://[::1]:1"},
	    {"::", "http://[::1]:11434"},
	    {"ollama.com", "https://ollama.com:443"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf url = {0}, why = {0};
		struct url parsed;

		assert_true(url_add_ollama(str_of(cases[i][0]), &url, &why));
		assert_string_equal(buf_text(&url), cases[i][1]);
		assert_true(url_parse(str_of(buf_text(&url)), &parsed, &why));
		buf_finish(&url);
	}
}

static void
ollamas_host_may_be_nonsense(void **state)
{
	static const char *const cases[] = {"a b",        "a:b",     "a:99999", "[::1",
	                                    "ftp://a:21", "[::1]x1", "a/b?c",   "a:0"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf url = {0}, why = {0};

		assert_false(url_add_ollama(str_of(cases[i]), &url, &why));
		assert_string_equal(buf_text(&why),
		                    "is no address; give host, host:port or http://host:port");
		buf_finish(&url);
		buf_finish(&why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_are_taken_apart),
	    cmocka_unit_test(what_is_no_url_is_refused_with_a_reason),
	    cmocka_unit_test(ollamas_host_is_read_as_ollama_reads_it),
	    cmocka_unit_test(ollamas_host_may_be_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
