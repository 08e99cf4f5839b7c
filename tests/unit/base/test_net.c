/* Addresses and networks. */
#include "../check.h"
#include "base/net.h"

static struct net
address(const char *text)
{
	struct net n;

	assert_true(net_parse_address(str_of(text), &n));
	return n;
}

static bool
has(const char *network, const char *text)
{
	struct net n, a = address(text);

	assert_true(net_parse(str_of(network), &n));
	return net_has(&n, &a);
}

static void
a_network_has_its_addresses_and_no_others(void **state)
{
	assert_true(has("10.0.0.0/8", "10.255.1.2"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("192.168.4.0/22", "192.168.7.255"));
	assert_false(has("192.168.4.0/22", "192.168.8.0"));
	assert_true(has("fd00::/8", "fdff::1"));
	assert_false(has("fd00::/8", "fe00::1"));
	assert_true(has("0.0.0.0/0", "1.2.3.4"));
	assert_false(has("0.0.0.0/0", "::1"));
	assert_true(has("::/0", "1.2.3.4"));
}

static void
an_address_alone_is_a_network_of_one(void **state)
{
	assert_true(has("127.0.0.1", "127.0.0.1"));
	assert_false(has("127.0.0.1", "127.0.0.2"));
	assert_true(has("::1", "0:0:0:0:0:0:0:1"));
	assert_true(has("::1", "[::1]"));
	assert_true(has("127.0.0.1", "::ffff:127.0.0.1"));
}

static void
what_is_no_network_is_refused(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "10",
	    "10.0.0",
	    "10.0.0.0/",
	    "10.0.0.0/33",
	    "10.0.0.1/8",
	    "::/129",
	    "fd00::1/8",
	    "10.0.0.0/8/8",
	    "a.example",
	    "10.0.0.0/-1",
	    "10.0.0.0/ 8",
	    "010.0.0.256",
	    "[::1",
	    "1.2.3.4:80",
	};
	struct net n;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (net_parse(str_of(wrong[i]), &n))
			fail_msg("%s", wrong[i]);
	assert_false(net_parse_address(str_of("10.0.0.0/8"), &n));
}

static void
a_client_of_version_6_is_its_first_half(void **state)
{
	static const char *const cases[][2] = {
	    {"10.1.2.3", "10.1.2.3"},
	    {"::ffff:10.1.2.3", "10.1.2.3"},
	    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
	    {"[2001:db8:1:2::7]", "2001:db8:1:2::"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct net n = address(cases[i][0]);
		struct buf text = {0};

		net_add_client(&n, &text);
		assert_string_equal(buf_text(&text), cases[i][1]);
		buf_finish(&text);
	}
}

static void
loopback_is_known_in_both_versions(void **state)
{
	static const char *const loopback[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
	static const char *const other[] = {"128.0.0.1", "10.0.0.127", "::", "::2", "fe80::1", "1::1"};
	struct net net;

	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
		assert_true(net_parse_address(str_of(loopback[i]), &net) && net_is_loopback(&net));
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_true(net_parse_address(str_of(other[i]), &net) && !net_is_loopback(&net));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_network_has_its_addresses_and_no_others),
	    cmocka_unit_test(an_address_alone_is_a_network_of_one),
	    cmocka_unit_test(what_is_no_network_is_refused),
	    cmocka_unit_test(a_client_of_version_6_is_its_first_half),
	    cmocka_unit_test(loopback_is_known_in_both_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
