/* A node that is reached in another way from now on, while requests are under way. */
#include "../check.h"

#include "client.h"

#include <string.h>

static struct upstream_conf
conf_of(const struct client *c, const char *api_key, int idle_max, struct buf *url)
{
	buf_clear(url);
	buf_addf(url, "http://127.0.0.1:%d", c->peer->port);
	return (struct upstream_conf){
	    .url = buf_text(url), .api_key = api_key, .connect_ms = 5000, .idle_max = idle_max};
}

static void
use(struct client *c, const char *api_key, int idle_max)
{
	struct buf url = {0};
	struct upstream_conf conf = conf_of(c, api_key, idle_max, &url);

	client_use(c, &conf);
	buf_finish(&url);
}

static void
take_over(struct client *c, const char *api_key, int idle_max)
{
	struct buf url = {0}, why = {0};
	struct upstream_conf conf = conf_of(c, api_key, idle_max, &url);
	struct upstream *from = upstream_create(c->loop, &conf, &why);

	assert_non_null(from);
	upstream_take_over(c->upstream, &from);
	assert_null(from);
	assert_true(upstream_is_made_of(c->upstream, &conf));
	buf_finish(&url);
}

/* Says which key it was sent. */
static void
tells_key(struct peer_conn *p, void *arg)
{
	const char *text = buf_text(&p->in);

	peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
	peer_say(p, strstr(text, "Bearer one\r\n") != NULL   ? "one"
	            : strstr(text, "Bearer two\r\n") != NULL ? "two"
	                                                     : "non");
}

static void
the_next_request_has_the_new_key_on_the_same_connection(void **state)
{
	struct client *c = *state;

	c->peer->on_request = tells_key;
	use(c, "one", 4);
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "one");
	take_over(c, "two", 4);
	assert_int_equal(upstream_idle(c->upstream), 1);
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "two");
	take_over(c, NULL, 4);
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "non");
	assert_int_equal(c->peer->accepted, 1);
}

static struct peer_conn *asked;

static void
waits(struct peer_conn *p, void *arg)
{
	asked = p;
	loop_stop(p->peer->loop);
}

static void
what_is_under_way_goes_on_and_its_connection_is_kept_as_now_told(void **state)
{
	struct client *c = *state;

	c->peer->on_request = waits;
	use(c, "one", 4);
	client_start(c);
	client_run(c);
	take_over(c, "two", 0);
	peer_say(asked, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "ok");
	assert_int_equal(upstream_idle(c->upstream), 0);
}

static void
what_rests_keeps_no_connection_but_ends_what_runs(void **state)
{
	struct client *c = *state;

	c->peer->on_request = tells_key;
	use(c, "one", 4);
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(upstream_idle(c->upstream), 1);
	c->peer->on_request = waits;
	client_start(c);
	client_run(c);
	upstream_rest(c->upstream);
	peer_say(asked, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(upstream_idle(c->upstream), 0);
}

static void
it_knows_what_it_is_made_of(void **state)
{
	struct client *c = *state;
	struct buf url = {0};
	struct upstream_conf same, other_key, other_count, other_time;

	use(c, "one", 4);
	same = conf_of(c, "one", 4, &url);
	other_key = same;
	other_key.api_key = NULL;
	other_count = same;
	other_count.idle_max = 5;
	other_time = same;
	other_time.connect_ms = 1;
	assert_true(upstream_is_made_of(c->upstream, &same));
	assert_false(upstream_is_made_of(c->upstream, &other_key));
	assert_false(upstream_is_made_of(c->upstream, &other_count));
	assert_false(upstream_is_made_of(c->upstream, &other_time));
	buf_finish(&url);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_next_request_has_the_new_key_on_the_same_connection),
	    TEST(what_is_under_way_goes_on_and_its_connection_is_kept_as_now_told),
	    TEST(what_rests_keeps_no_connection_but_ends_what_runs),
	    TEST(it_knows_what_it_is_made_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
