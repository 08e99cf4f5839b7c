/* Where a request comes from, as a table: who is trusted, who is at the other end, what it tells.
 */
#include "../check.h"

#include "app/client_address.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 4 };

struct row {
	const char *trusted[NAMES_MAX]; /* up to the first NULL */
	const char *peer;
	const char *lines[NAMES_MAX]; /* "Name: value" */
	const char *client;           /* "socket": of a unix socket */
	bool is_local;
};

#define XFF(text) "X-Forwarded-For: " text

static const struct row rows[] = {
    /* Nobody is trusted: what is told does not count, but that it is told does. */
    {{NULL}, "203.0.113.9:5000", {NULL}, "203.0.113.9", false},
    {{NULL}, "203.0.113.9:5000", {XFF("127.0.0.1")}, "203.0.113.9", false},
    {{NULL}, "127.0.0.1:5000", {NULL}, "127.0.0.1", true},
    {{NULL}, "127.8.9.1:5000", {NULL}, "127.8.9.1", true},
    {{NULL}, "[::1]:5000", {NULL}, "::1", true},
    {{NULL}, "[::ffff:127.0.0.1]:5000", {NULL}, "127.0.0.1", true},
    {{NULL}, "[2001:db8::1]:5000", {NULL}, "2001:db8::1", false},
    {{NULL}, "unix:", {NULL}, "socket", true},
    {{NULL}, "127.0.0.1:5000", {XFF("127.0.0.1")}, "127.0.0.1", false},
    {{NULL}, "127.0.0.1:5000", {"Forwarded: for=127.0.0.1"}, "127.0.0.1", false},
    {{NULL}, "127.0.0.1:5000", {"X-Real-IP: 127.0.0.1"}, "127.0.0.1", false},
    {{NULL}, "127.0.0.1:5000", {"x-forwarded-host: a"}, "127.0.0.1", false},
    {{NULL}, "127.0.0.1:5000", {"Via: 1.1 proxy"}, "127.0.0.1", false},
    {{NULL}, "unix:", {XFF("203.0.113.1")}, "socket", false},
    {{"10.0.0.0/8"}, "127.0.0.1:5000", {XFF("203.0.113.1")}, "127.0.0.1", false},

    /* A trusted proxy tells: the last address that is no trusted one's own. */
    {{"127.0.0.1"}, "127.0.0.1:5000", {NULL}, "127.0.0.1", true},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1")}, "203.0.113.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("127.0.0.1")}, "127.0.0.1", true},
    {{"10.0.0.5"}, "10.0.0.5:5000", {XFF("127.0.0.1")}, "127.0.0.1", true},
    {{"10.0.0.5"}, "10.0.0.6:5000", {XFF("127.0.0.1")}, "10.0.0.6", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("198.51.100.1, 203.0.113.1")}, "203.0.113.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("127.0.0.1, 203.0.113.1")}, "203.0.113.1", false},
    {{"127.0.0.1", "10.0.0.0/8"},
     "127.0.0.1:5000",
     {XFF("198.51.100.1, 203.0.113.1 ,10.1.2.3,10.0.0.7")},
     "203.0.113.1",
     false},
    {{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:5000", {XFF("10.1.2.3, 10.0.0.7")}, "10.1.2.3", false},
    {{"127.0.0.1", "10.0.0.0/8"},
     "127.0.0.1:5000",
     {XFF("198.51.100.1"), "Accept: a", "x-forwarded-for: 203.0.113.1, 10.0.0.7"},
     "203.0.113.1",
     false},
    {{"127.0.0.1", "10.0.0.0/8"},
     "127.0.0.1:5000",
     {XFF("198.51.100.1"), XFF("10.0.0.7")},
     "198.51.100.1",
     false},

    /* Version 6, and 4 in its writing. */
    {{"fd00::/8"}, "[fd00::1]:5000", {XFF("2001:db8::7")}, "2001:db8::7", false},
    {{"fd00::/8"}, "[fd00::1]:5000", {XFF("[2001:DB8:0::7]")}, "2001:db8::7", false},
    {{"fd00::/8"}, "[fd00::1]:5000", {XFF("2001:db8::7, fd12::3")}, "2001:db8::7", false},
    {{"127.0.0.1"}, "[::ffff:127.0.0.1]:5000", {XFF("203.0.113.1")}, "203.0.113.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("::ffff:203.0.113.1")}, "203.0.113.1", false},
    {{"::1"}, "127.0.0.1:5000", {XFF("203.0.113.1")}, "127.0.0.1", false},
    {{"10.0.0.0/8"}, "10.0.0.5:5000", {XFF("203.0.113.1, ::ffff:10.0.0.9")}, "203.0.113.1", false},

    /* With ports. */
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1:4711")}, "203.0.113.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("[2001:db8::7]:4711")}, "2001:db8::7", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("2001:db8::7:4711")}, "2001:db8::7:4711", false},
    {{"127.0.0.1", "10.0.0.7"},
     "127.0.0.1:5000",
     {XFF("203.0.113.1, 10.0.0.7:80")},
     "203.0.113.1",
     false},

    /* What is no address ends the way back: who told it is the client then. */
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("unknown")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1,")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1, ,")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("localhost")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1:")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1:x")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.001")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("203.0.113.1/32")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("fe80::1%eth0")}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {XFF("[203.0.113.1")}, "127.0.0.1", false},
    {{"127.0.0.1", "10.0.0.0/8"},
     "127.0.0.1:5000",
     {XFF("203.0.113.1, garbage, 10.0.0.7")},
     "10.0.0.7",
     false},
    {{"127.0.0.1", "10.0.0.0/8"},
     "127.0.0.1:5000",
     {XFF("203.0.113.1"), XFF("garbage"), XFF("10.0.0.7")},
     "10.0.0.7",
     false},

    /* A trusted proxy that tells in other ways tells nothing, but that it is one. */
    {{"127.0.0.1"}, "127.0.0.1:5000", {"Forwarded: for=203.0.113.1"}, "127.0.0.1", false},
    {{"127.0.0.1"}, "127.0.0.1:5000", {"X-Real-IP: 203.0.113.1"}, "127.0.0.1", false},

    /* Sockets. */
    {{"unix:"}, "unix:", {XFF("203.0.113.1")}, "203.0.113.1", false},
    {{"unix:"}, "unix:", {XFF("127.0.0.1")}, "127.0.0.1", true},
    {{"unix:"}, "unix:", {NULL}, "socket", true},
    {{"unix:"}, "127.0.0.1:5000", {XFF("203.0.113.1")}, "127.0.0.1", false},
    {{"0.0.0.0/0", "::/0"}, "unix:", {XFF("203.0.113.1")}, "socket", false},
};

static void
parse(const struct row *row, struct buf *text, struct http_head *head)
{
	const char *why;

	buf_adds(text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (size_t i = 0; i < NAMES_MAX && row->lines[i] != NULL; i++)
		buf_addf(text, "%s\r\n", row->lines[i]);
	buf_adds(text, "\r\n");
	assert_int_equal(http_parse_request_head((struct str){text->data, text->len}, head, &why), 200);
}

static struct client_address
ask(const struct row *row, const struct http_head *head)
{
	char *names[NAMES_MAX];
	struct text_list proxies = {names, 0};
	struct client_address found;
	struct trust t;

	while (proxies.count < NAMES_MAX && row->trusted[proxies.count] != NULL) {
		names[proxies.count] = strdup(row->trusted[proxies.count]);
		proxies.count++;
	}
	trust_init(&t, &proxies);
	found = client_address_of(&t, row->peer, head);
	trust_finish(&t);
	while (proxies.count > 0)
		free(names[--proxies.count]);
	return found;
}

static void
each_client_is_found_where_it_is(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = {0}, client = {0};
		struct http_head head;
		struct client_address found;

		parse(&rows[i], &text, &head);
		found = ask(&rows[i], &head);
		if (found.is_socket)
			buf_adds(&client, "socket");
		else
			net_add(&found.net, &client);
		if (strcmp(buf_text(&client), rows[i].client) != 0 || found.is_local != rows[i].is_local)
			fail_msg("row %zu: %s%s, not %s%s", i, buf_text(&client),
			         found.is_local ? ", local" : "", rows[i].client,
			         rows[i].is_local ? ", local" : "");
		buf_finish(&client);
		buf_finish(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_client_is_found_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
