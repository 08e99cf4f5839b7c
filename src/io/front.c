/*
 * The front end as a whole, and what a handler may ask of a request.
 *
 * libevhtp accepts connections, makes their bufferevents and keeps their life;
 * it is shown no byte that a client sent. Its reading of heads, bodies and chunks
 * loses bytes and can be led astray (a head cut inside the target, pipelining, two
 * lengths, chunk sizes that wrap), so all of that is read here, strictly.
 */
#include "front_req.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct front *
front_create(struct loop *l, const struct front_limits *limits, const struct front_ops *ops,
             void *arg)
{
	struct front *f = NEW(struct front);

	evhtp_set_mem_functions(mem_alloc, mem_realloc, free);
	f->loop = l;
	f->limits = *limits;
	f->ops = ops;
	f->arg = arg;
	f->date_s = -1;
	list_init(&f->listeners);
	list_init(&f->conns);
	list_init(&f->due);
	list_init(&f->shaking);
	timer_init(&f->accept_pause, l, front_on_accept_pause, f);
	waker_init(&f->accept_turn, l, front_on_accept_turn, f);
	waker_init(&f->due_turn, l, front_on_due_turn, f);
	waker_init(&f->shake_turn, l, front_on_shake_turn, f);
	f->evhtp = evhtp_new(loop_base(l), f);
	assert(f->evhtp != NULL);
	evhtp_set_post_accept_cb(f->evhtp, front_conn_accept, f);
	return f;
}

void
front_set_limits(struct front *f, const struct front_limits *limits)
{
	f->limits = *limits;
	front_accept_update(f);
}

void
front_stop_accepting(struct front *f)
{
	struct front_conn *c;

	f->stopping = true;
	front_listeners_free(f);
	LIST_FOR_EACH (c, &f->conns, struct front_conn, link)
		front_conn_stop(c);
}

void
front_retire(struct front *f)
{
	f->retired = true;
	front_listeners_free(f);
}

int
front_connections(const struct front *f)
{
	return f->conn_count;
}

static void
front_free(void *arg)
{
	struct front *f = arg;

	evhtp_free(f->evhtp);
	timer_finish(&f->accept_pause);
	waker_finish(&f->accept_turn);
	waker_finish(&f->due_turn);
	waker_finish(&f->shake_turn);
	SSL_CTX_free(f->tls);
	buf_finish(&f->spare);
	free(f);
}

/* The connections are buried before the front, which they need until then. */
void
front_destroy(struct front **fp)
{
	struct front *f = *fp;
	struct front_conn *c;

	*fp = NULL;
	if (f == NULL)
		return;
	f->stopping = true;
	front_listeners_free(f);
	while ((c = LIST_FIRST(&f->conns, struct front_conn, link)) != NULL)
		front_conn_gone(c, FRONT_SHUT_DOWN);
	loop_bury(f->loop, f, front_free);
}

/* The text changes once a second. The names are English: nothing here sets a locale. */
const char *
front_date(struct front *f)
{
	time_t now_s = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (now_s != f->date_s) {
		gmtime_r(&now_s, &tm);
		strftime(f->date, sizeof(f->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		f->date_s = now_s;
	}
	return f->date;
}

const struct http_head *
front_req_head(const struct front_req *r)
{
	return r->head;
}

const char *
front_req_peer(const struct front_req *r)
{
	return r->conn->peer;
}

bool
front_req_peer_is_loopback(const struct front_req *r)
{
	return r->conn->loopback;
}

bool
front_req_is_tls(const struct front_req *r)
{
	return r->conn->tls.ssl != NULL;
}

void
front_req_set_data(struct front_req *r, void *data)
{
	r->data = data;
}

void *
front_req_data(const struct front_req *r)
{
	return r->data;
}

uint64_t
front_req_bytes_out(const struct front_req *r)
{
	return r->flushed_bytes + r->staged.len;
}
