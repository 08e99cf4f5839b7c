#include "../check.h"

#include "io/admin_client.h"
#include "io/loop.h"

#include <stdlib.h>
#include <string.h>

struct bed {
	struct loop *loop;
	struct admin_client client;
	struct buf text;
};

static int
start(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->loop = loop_create();
	*state = b;
	return !admin_client_init(&b->client, b->loop, "http://127.0.0.1:8081", "secret", &b->text);
}

static int
end(void **state)
{
	struct bed *b = *state;

	admin_client_finish(&b->client);
	loop_destroy(&b->loop);
	buf_finish(&b->text);
	free(b);
	return 0;
}

static const char *
explained(struct bed *b, enum exchange_end how, int status, const char *body)
{
	buf_clear(&b->text);
	admin_client_explain(&b->client, how, status, str_of(body), &b->text);
	return buf_text(&b->text);
}

static void
a_request_has_the_key_and_its_bounds(void **state)
{
	struct bed *b = *state;
	struct exchange_request r =
	    admin_client_request(&b->client, HTTP_DELETE, str_of("/admin/v1/requests/x"), 70);

	assert_int_equal(r.method, HTTP_DELETE);
	assert_true(str_eq(r.target, "/admin/v1/requests/x"));
	assert_true(str_eq(r.headers, "User-Agent: drover\r\nAuthorization: Bearer secret\r\n"));
	assert_int_equal(r.first_byte_ms, 70);
	assert_int_equal(r.idle_ms, 70);
	assert_int_equal(r.body.len, 0);
}

static void
what_is_no_address_is_said(void **state)
{
	struct bed *b = *state;
	struct admin_client other;
	struct buf why = {0};

	assert_false(admin_client_init(&other, b->loop, "ftp://x", NULL, &why));
	assert_non_null(strstr(buf_text(&why), "ftp"));
	admin_client_finish(&other);
	buf_finish(&why);
}

static void
where_nobody_listens_that_is_said_with_the_address(void **state)
{
	const char *text = explained(*state, EXCHANGE_CONNECT_FAILED, 0, "");

	assert_memory_equal(text, "no admin API at http://127.0.0.1:8081: ", 39);
	assert_null(strstr(text, "--admin"));
	assert_memory_equal(explained(*state, EXCHANGE_IDLE_TIMEOUT, 200, ""),
	                    "http://127.0.0.1:8081: ", 23);
}

static void
a_refusal_is_its_message(void **state)
{
	assert_string_equal(explained(*state, EXCHANGE_DONE, 404, "{\"error\":\"no such backend\"}"),
	                    "no such backend");
	assert_string_equal(explained(*state, EXCHANGE_DONE, 500, "oops"),
	                    "http://127.0.0.1:8081 answered 500");
	assert_string_equal(explained(*state, EXCHANGE_DONE, 401, "{\"error\":\"a key\"}"),
	                    "a key; set DROVER_ADMIN_KEY");
}

static void
where_clients_come_in_is_told_apart(void **state)
{
	static const char hint[] = "; is that drover's admin API, and not where clients come in?";
	static const char *const bodies[] = {"404 page not found",
	                                     "{\"error\":\"404 page not found\"}"};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_non_null(strstr(explained(*state, EXCHANGE_DONE, 404, bodies[i]), hint));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_request_has_the_key_and_its_bounds, start, end),
	    cmocka_unit_test_setup_teardown(what_is_no_address_is_said, start, end),
	    cmocka_unit_test_setup_teardown(where_nobody_listens_that_is_said_with_the_address, start,
	                                    end),
	    cmocka_unit_test_setup_teardown(a_refusal_is_its_message, start, end),
	    cmocka_unit_test_setup_teardown(where_clients_come_in_is_told_apart, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
