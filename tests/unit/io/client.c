/* The holder of exchanges in a test. */
#include "client.h"

#include "../check.h"

#include "base/mem.h"

#include <stdlib.h>

enum { GUARD_MS = 20000 };

static void
on_guard(void *arg)
{
	fail_msg("nothing happened any more");
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct client *c = arg;

	assert_true(c->running > 0);
	c->heads++;
	c->status = head->status;
	c->chunked = head->framing == HTTP_CHUNKED;
	for (size_t i = 0; i < head->header_count; i++)
		buf_addf(&c->headers, "%.*s: %.*s\n", STR_ARG(head->headers[i].name),
		         STR_ARG(head->headers[i].value));
	if (c->in_head != NULL)
		c->in_head(c);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct client *c = arg;

	assert_true(c->heads > 0 && c->running > 0);
	buf_add(&c->body, piece.ptr, piece.len);
	if (c->in_body != NULL)
		c->in_body(c);
}

static void
on_flush(struct exchange *x, void *arg)
{
	struct client *c = arg;

	assert_true(c->running > 0);
	c->flushes++;
	if (c->in_flush != NULL)
		c->in_flush(c);
}

static void
on_drained(struct exchange *x, void *arg)
{
	struct client *c = arg;

	assert_true(c->running > 0);
	c->drained++;
	if (c->in_drained != NULL)
		c->in_drained(c);
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct client *c = arg;

	assert_true(c->running > 0);
	assert_true((end == EXCHANGE_DONE) == (why == NULL));
	if (x == c->exchange)
		c->exchange = NULL;
	c->running--;
	c->end = (int)end;
	c->why = why;
	c->ends++;
	if (c->in_end != NULL)
		c->in_end(c);
	else if (c->running == 0)
		loop_stop(c->loop);
}

static const struct exchange_ops ops = {.on_head = on_head,
                                        .on_body = on_body,
                                        .on_flush = on_flush,
                                        .on_drained = on_drained,
                                        .on_end = on_end};

int
client_setup(void **state)
{
	struct client *c = NEW(struct client);
	struct buf url = {0};

	c->loop = loop_create();
	timer_init(&c->guard, c->loop, on_guard, c);
	c->peer = peer_create(c->loop, "127.0.0.1", 0);
	assert_non_null(c->peer);
	c->peer->arg = c;
	buf_addf(&url, "http://127.0.0.1:%d", c->peer->port);
	client_use(c,
	           &(struct upstream_conf){
	               .url = buf_text(&url), .connect_ms = 5000, .idle_max = 4, .tls_verify = true});
	buf_finish(&url);
	c->request = (struct exchange_request){.method = HTTP_GET,
	                                       .target = str_of("/api/tags"),
	                                       .first_byte_ms = 10000,
	                                       .idle_ms = 10000};
	*state = c;
	return 0;
}

int
client_teardown(void **state)
{
	struct client *c = *state;

	client_cancel(c);
	upstream_destroy(&c->upstream);
	peer_destroy(c->peer);
	client_wait_ms(c, 0);
	timer_finish(&c->guard);
	loop_destroy(&c->loop);
	buf_finish(&c->body);
	buf_finish(&c->headers);
	free(c);
	return 0;
}

void
client_use(struct client *c, const struct upstream_conf *conf)
{
	struct buf why = {0};

	upstream_destroy(&c->upstream);
	c->upstream = upstream_create(c->loop, conf, &why);
	if (c->upstream == NULL)
		fail_msg("%s", buf_text(&why));
	buf_finish(&why);
}

void
client_start(struct client *c)
{
	c->heads = c->status = c->flushes = c->drained = c->ends = 0;
	c->end = NO_END;
	buf_clear(&c->body);
	buf_clear(&c->headers);
	c->running++;
	c->exchange = exchange_start(c->upstream, &c->request, &ops, c);
	assert_int_equal(c->ends, 0);
}

void
client_cancel(struct client *c)
{
	if (c->exchange == NULL)
		return;
	exchange_cancel(&c->exchange);
	assert_null(c->exchange);
	c->running--;
}

void
client_run(struct client *c)
{
	timer_start(&c->guard, GUARD_MS);
	loop_run(c->loop);
	timer_stop(&c->guard);
}

void
client_expect(struct client *c, enum exchange_end end)
{
	client_start(c);
	client_run(c);
	assert_int_equal(c->end, end);
}

static void
on_waited(void *arg)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

void
client_wait_ms(struct client *c, int64_t ms)
{
	struct timer t;

	timer_init(&t, c->loop, on_waited, c);
	timer_start(&t, ms);
	client_run(c);
	timer_finish(&t);
}
