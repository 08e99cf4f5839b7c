/* Addresses: what is listened on, and what is refused. */
#include "../check.h"

#include "base/buf.h"
#include "io/front.h"
#include "io/loop.h"
#include "io/sockets.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct front_limits limits = {
    .connections = 10, .head_ms = 1000, .body_ms = 1000, .idle_ms = 1000, .write_ms = 1000};
static const struct front_ops no_ops;

struct world {
	struct loop *loop;
	struct front *front;
	struct buf why;
	struct buf addresses;
	char dir[32];
	char socket[64];
	char moved[64];
	char unix_address[80];
};

static int
start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->loop = loop_create();
	w->front = front_create(w->loop, &limits, &no_ops, NULL);
	strcpy(w->dir, "/tmp/test-front-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->socket, sizeof(w->socket), "%s/s", w->dir);
	snprintf(w->moved, sizeof(w->moved), "%s/moved", w->dir);
	snprintf(w->unix_address, sizeof(w->unix_address), "unix:%s", w->socket);
	*state = w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	front_destroy(&w->front);
	loop_destroy(&w->loop);
	buf_finish(&w->why);
	buf_finish(&w->addresses);
	unlink(w->socket);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static const char *
listen_on(struct world *w, const char *address)
{
	if (!front_listen(w->front, address, &w->why))
		fail_msg("%s", buf_text(&w->why));
	buf_clear(&w->addresses);
	front_addresses(w->front, &w->addresses);
	return buf_text(&w->addresses);
}

static void
check_refused_by(struct world *w, struct front *f, const char *address, const char *why)
{
	buf_clear(&w->why);
	assert_false(front_listen(f, address, &w->why));
	if (strstr(buf_text(&w->why), address) == NULL || strstr(buf_text(&w->why), why) == NULL)
		fail_msg("%s: %s", address, buf_text(&w->why));
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(un.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
check_refused(struct world *w, const char *address, const char *why)
{
	check_refused_by(w, w->front, address, why);
}

/* The machine that tests run on may lack IPv6. */
static bool
has_ipv6(void)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
port_0_takes_a_free_one(void **state)
{
	const char *url = listen_on(*state, "127.0.0.1:0");

	assert_memory_equal(url, "http://127.0.0.1:", 17);
	assert_true(strtol(url + 17, NULL, 10) > 0);
}

static void
ipv6_stands_in_brackets(void **state)
{
	if (!has_ipv6())
		skip();
	assert_memory_equal(listen_on(*state, "[::1]:0"), "http://[::1]:", 13);
}

/* The last port of a list of URLs must be that of the first. */
static void
check_one_port(const char *urls)
{
	const char *gap = strchr(urls, ' ');
	const char *port = strrchr(urls, ':');

	if (gap != NULL)
		assert_memory_equal(gap - strlen(port), port, strlen(port));
}

static void
a_name_is_bound_at_each_of_its_addresses_on_one_port(void **state)
{
	const char *urls = listen_on(*state, "localhost:0");

	assert_non_null(strstr(urls, "127.0.0.1"));
	check_one_port(urls);
}

static void
no_host_means_every_address(void **state)
{
	const char *urls = listen_on(*state, ":0");

	assert_non_null(strstr(urls, "http://0.0.0.0:"));
	if (has_ipv6())
		assert_non_null(strstr(urls, " http://[::]:"));
	check_one_port(urls);
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {"",       "127.0.0.1", "127.0.0.1:",      "::1:8080",
	                                  "a:b",    ":-1",       "127.0.0.1:65536", "[::1]",
	                                  ":8080x", "[::1:80",   "http://127.0.0.1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_refused(*state, bad[i], "not an address");
	check_refused(*state, "no.such.host.invalid:80", "cannot listen on");
	check_refused(*state, "192.0.2.1:0", "Cannot assign requested address");
}

static void
a_port_in_use_is_refused(void **state)
{
	const char *url = listen_on(*state, "127.0.0.1:0");

	check_refused(*state, url + strlen("http://"), "Address already in use");
}

static void
a_unix_socket_is_open_to_all_and_gone_afterwards(void **state)
{
	struct world *w = *state;
	struct stat st;
	int fd;

	assert_string_equal(listen_on(w, w->unix_address), w->unix_address);
	assert_int_equal(stat(w->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	fd = connect_unix(w->socket);
	assert_true(fd >= 0);
	close(fd);
	front_destroy(&w->front);
	assert_int_not_equal(stat(w->socket, &st), 0);
}

static void
a_stale_unix_socket_is_replaced(void **state)
{
	struct world *w = *state;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(un.sun_path, w->socket, strlen(w->socket));
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	listen_on(w, w->unix_address);
	fd = connect_unix(w->socket);
	assert_true(fd >= 0);
	close(fd);
}

static void
a_unix_socket_in_use_is_left_alone(void **state)
{
	struct world *w = *state;
	struct front *second = front_create(w->loop, &limits, &no_ops, NULL);
	int fd;

	listen_on(w, w->unix_address);
	buf_clear(&w->why);
	assert_false(front_listen(second, w->unix_address, &w->why));
	assert_non_null(strstr(buf_text(&w->why), "Address already in use"));
	front_destroy(&second);
	fd = connect_unix(w->socket);
	assert_true(fd >= 0);
	close(fd);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct world *w = *state;
	FILE *file = fopen(w->socket, "w");
	struct stat st;

	fclose(file);
	check_refused(w, w->unix_address, "Address already in use");
	assert_int_equal(stat(w->socket, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

/* As an upgrade does, where the new program has bound the path by then. */
static void
a_unix_socket_that_was_replaced_is_left_alone(void **state)
{
	struct world *w = *state;
	struct stat st;

	listen_on(w, w->unix_address);
	assert_int_equal(rename(w->socket, w->moved), 0);
	fclose(fopen(w->socket, "w"));
	front_destroy(&w->front);
	assert_int_equal(stat(w->socket, &st), 0);
	unlink(w->moved);
}

struct taken {
	char address[80];
	int fd;
};

static void
copy_socket(const char *address, int fd, void *arg)
{
	struct taken *t = arg;

	snprintf(t->address, sizeof(t->address), "%s", address);
	t->fd = dup(fd);
}

/* What another front needs to listen where this one does. */
static struct taken
take_socket(struct front *f)
{
	struct taken t = {.fd = -1};

	front_for_each_socket(f, copy_socket, &t);
	assert_true(t.fd >= 0);
	return t;
}

static void
a_socket_that_was_given_away_outlives_its_front(void **state)
{
	struct world *w = *state;
	struct front *second = front_create(w->loop, &limits, &no_ops, NULL);
	const char *url = listen_on(w, "127.0.0.1:0");
	struct taken t = take_socket(w->front);
	struct buf addresses = {0};

	assert_string_equal(t.address, "127.0.0.1:0");
	assert_true(front_adopt(second, t.fd, t.address, true, &w->why));
	front_addresses(second, &addresses);
	assert_string_equal(buf_text(&addresses), url);
	front_retire(w->front);
	check_refused_by(w, second, url + strlen("http://"), "Address already in use");
	front_destroy(&second);
	assert_true(front_listen(w->front, url + strlen("http://"), &w->why));
	buf_finish(&addresses);
}

static void
who_retires_leaves_the_file_of_a_unix_socket_to_its_heir(void **state)
{
	struct world *w = *state;
	struct front *second = front_create(w->loop, &limits, &no_ops, NULL);
	struct taken t;
	struct stat st;

	listen_on(w, w->unix_address);
	t = take_socket(w->front);
	assert_true(front_adopt(second, t.fd, t.address, true, &w->why));
	front_retire(w->front);
	front_destroy(&w->front);
	assert_int_equal(stat(w->socket, &st), 0);
	front_destroy(&second);
	assert_int_not_equal(stat(w->socket, &st), 0);
}

static void
the_file_of_a_socket_that_others_made_is_left(void **state)
{
	struct world *w = *state;
	struct front *second = front_create(w->loop, &limits, &no_ops, NULL);
	struct taken t;
	struct stat st;

	listen_on(w, w->unix_address);
	t = take_socket(w->front);
	assert_true(front_adopt(second, t.fd, t.address, false, &w->why));
	front_destroy(&second);
	assert_int_equal(stat(w->socket, &st), 0);
}

static void
what_does_not_listen_is_not_adopted(void **state)
{
	struct world *w = *state;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_false(front_adopt(w->front, fd, "127.0.0.1:8080", true, &w->why));
	assert_non_null(strstr(buf_text(&w->why), "127.0.0.1:8080"));
}

static void
sockets_are_taken_by_what_they_are_for(void **state)
{
	struct sockets *s = sockets_create();
	const struct sockets_item front = {SOCKETS_FRONT, false, "localhost:80"},
	                          admin = {SOCKETS_ADMIN, true, "localhost:80"};
	int ends[2], more;

	assert_int_equal(pipe(ends), 0);
	more = dup(ends[0]);
	sockets_add(s, &front, ends[0]);
	sockets_add(s, &admin, ends[1]);
	sockets_add(s, &front, more);
	assert_int_equal(sockets_take(s, SOCKETS_FRONT, "localhost:81"), -1);
	assert_int_equal(sockets_take(s, SOCKETS_FRONT, "localhost:80"), ends[0]);
	assert_int_equal(sockets_take(s, SOCKETS_FRONT, "localhost:80"), more);
	assert_int_equal(sockets_take(s, SOCKETS_FRONT, "localhost:80"), -1);
	assert_true(sockets_are_chosen(s, SOCKETS_ADMIN));
	assert_false(sockets_are_chosen(s, SOCKETS_FRONT));
	sockets_destroy(&s);
	assert_int_equal(close(ends[1]), -1); /* nobody took it */
	close(ends[0]);
	close(more);
}

static void
a_unix_path_that_is_too_long_is_refused(void **state)
{
	char address[200];

	memset(address, 'a', sizeof(address));
	memcpy(address, "unix:/", 6);
	address[sizeof(address) - 1] = '\0';
	check_refused(*state, address, "File name too long");
}

static void
after_a_stop_nobody_listens(void **state)
{
	struct world *w = *state;

	listen_on(w, w->unix_address);
	front_stop_accepting(w->front);
	assert_int_equal(connect_unix(w->socket), -1);
	buf_clear(&w->addresses);
	front_addresses(w->front, &w->addresses);
	assert_int_equal(w->addresses.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(port_0_takes_a_free_one),
	    TEST(ipv6_stands_in_brackets),
	    TEST(a_name_is_bound_at_each_of_its_addresses_on_one_port),
	    TEST(no_host_means_every_address),
	    TEST(what_is_no_address_is_refused),
	    TEST(a_port_in_use_is_refused),
	    TEST(a_unix_socket_is_open_to_all_and_gone_afterwards),
	    TEST(a_stale_unix_socket_is_replaced),
	    TEST(a_unix_socket_in_use_is_left_alone),
	    TEST(a_file_that_is_no_socket_is_left_alone),
	    TEST(a_unix_socket_that_was_replaced_is_left_alone),
	    TEST(a_socket_that_was_given_away_outlives_its_front),
	    TEST(who_retires_leaves_the_file_of_a_unix_socket_to_its_heir),
	    TEST(the_file_of_a_socket_that_others_made_is_left),
	    TEST(what_does_not_listen_is_not_adopted),
	    TEST(sockets_are_taken_by_what_they_are_for),
	    TEST(a_unix_path_that_is_too_long_is_refused),
	    TEST(after_a_stop_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
