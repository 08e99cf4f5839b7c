/*
 * Exchanges with a peer that does anything at any time, and a holder that pauses
 * and cancels wherever it may. Each must end exactly once, no connection may be
 * left over, and the sanitizers see the rest. A seed makes runs alike; what the
 * kernel delivers when is its own affair.
 */
#include "../check.h"

#include "base/mem.h"
#include "client.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8, PIECE_BYTES = 30000 };

static uint64_t seed;

static int
any(int n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)n);
}

struct one {
	struct chaos *chaos;
	struct exchange *exchange; /* NULL: free to be started */
	struct timer timer;
	bool paused;
	bool streamed;
	int pieces_left;
};

struct chaos {
	struct client *client;
	struct one all[AT_ONCE];
	int left; /* to be started */
	int started;
	int ended;
	int cancelled;
	int done;
};

static char bytes[PIECE_BYTES];

static void start(struct one *o);

static void
over(struct one *o)
{
	struct chaos *all = o->chaos;

	o->exchange = NULL;
	timer_stop(&o->timer);
	if (all->left > 0)
		start(o);
	else if (all->ended + all->cancelled == all->started)
		loop_stop(all->client->loop);
}

/* Whether it cancelled. */
static bool
meddle(struct one *o)
{
	switch (any(30)) {
	case 0:
		exchange_cancel(&o->exchange);
		o->chaos->cancelled++;
		over(o);
		return true;
	case 1:
		o->paused = !o->paused;
		exchange_pause(o->exchange, o->paused);
		timer_start(&o->timer, any(5));
		break;
	}
	return false;
}

static void
send_pieces(struct one *o)
{
	bool more = true;

	while (more && o->pieces_left > 0) {
		o->pieces_left--;
		more = exchange_send(o->exchange, (struct str){bytes, (size_t)any(PIECE_BYTES)});
	}
	if (o->pieces_left == 0 && o->streamed) {
		o->streamed = false;
		exchange_send_end(o->exchange);
	}
}

/* What a holder does at any time: it goes on. */
static void
on_timer(void *arg)
{
	struct one *o = arg;

	o->paused = false;
	exchange_pause(o->exchange, false);
	if (!meddle(o) && o->streamed)
		send_pieces(o);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	meddle(arg);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	assert_true(piece.len > 0);
	meddle(arg);
}

static void
on_flush(struct exchange *x, void *arg)
{
	meddle(arg);
}

static void
on_drained(struct exchange *x, void *arg)
{
	struct one *o = arg;

	if (!meddle(o) && o->streamed)
		send_pieces(o);
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct one *o = arg;

	assert_ptr_equal(x, o->exchange);
	o->chaos->ended++;
	o->chaos->done += end == EXCHANGE_DONE;
	over(o);
}

static const struct exchange_ops ops = {.on_head = on_head,
                                        .on_body = on_body,
                                        .on_flush = on_flush,
                                        .on_drained = on_drained,
                                        .on_end = on_end};

static void
start(struct one *o)
{
	struct exchange_request req = {.method = any(5) == 0 ? HTTP_HEAD : HTTP_POST,
	                               .target = str_of("/"),
	                               .streamed_length = -1,
	                               .first_byte_ms = 30,
	                               .idle_ms = 30};

	o->paused = false;
	o->streamed = req.streamed = any(3) == 0;
	if (!o->streamed)
		req.body = (struct str){bytes, (size_t)any(PIECE_BYTES)};
	o->chaos->left--;
	o->chaos->started++;
	o->exchange = exchange_start(o->chaos->client->upstream, &req, &ops, o);
	o->pieces_left = o->streamed ? any(20) : 0;
	if (o->streamed && any(2) == 0)
		send_pieces(o);
	else
		timer_start(&o->timer, any(5));
}

static const char *const answers[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx",
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n",
};

static void
do_anything(struct peer_conn *p, void *arg)
{
	int which = any(16);

	/* Mostly answers that keep the connection, so that it is used again. */
	peer_say(p, answers[which < 7 ? which % 3 : which - 7]);
	switch (any(8)) {
	case 0: peer_close(p); break;
	case 1: peer_reset(p); break;
	}
}

static void
maybe_do_anything(struct peer_conn *p, void *arg)
{
	if (any(10) == 0)
		do_anything(p, arg);
}

static void
run_chaos(struct client *c, uint64_t from, bool listening)
{
	struct chaos all = {.client = c, .left = 400};

	seed = from;
	c->peer->on_request = do_anything;
	c->peer->on_data = maybe_do_anything;
	if (!listening)
		peer_stop_listening(c->peer);
	for (int i = 0; i < AT_ONCE; i++) {
		all.all[i].chaos = &all;
		timer_init(&all.all[i].timer, c->loop, on_timer, &all.all[i]);
	}
	for (int i = 0; i < AT_ONCE; i++)
		start(&all.all[i]);
	client_run(c);
	assert_int_equal(all.left, 0);
	assert_int_equal(all.started, 400);
	assert_int_equal(all.ended + all.cancelled, all.started);
	assert_int_equal(all.done > 0, listening);
	for (int i = 0; i < AT_ONCE; i++)
		timer_finish(&all.all[i].timer);
}

static void
seed_1(void **state)
{
	run_chaos(*state, 1, true);
}

static void
seed_2(void **state)
{
	run_chaos(*state, 2, true);
}

static void
seed_3_with_no_node(void **state)
{
	run_chaos(*state, 3, false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(seed_1),
	    TEST(seed_2),
	    TEST(seed_3_with_no_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
