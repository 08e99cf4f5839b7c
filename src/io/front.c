/*
 * The front end as a whole, and what a handler may ask of a request.
 *
 * libevhtp accepts connections and keeps their life; it is shown no byte that a
 * client sent. It decodes bodies, chunks and split heads wrongly, so all of that
 * is read here, strictly, and libevhtp is told of a request by a fixed head of
 * our own (front_conn.c).
 */
#include "front_req.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* libevhtp answers 404 unless there is a callback. The request is taken up by front_conn.c, when
 * libevhtp has returned. */
static void
on_evhtp_request(evhtp_request_t *r, void *arg)
{
}

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
	timer_init(&f->accept_pause, l, front_on_accept_pause, f);
	waker_init(&f->accept_turn, l, front_on_accept_turn, f);
	f->evhtp = evhtp_new(loop_base(l), f);
	f->decoy = bufferevent_socket_new(loop_base(l), -1, 0);
	assert(f->evhtp != NULL && f->decoy != NULL);
	f->evhtp->flags &= ~EVHTP_FLAG_ENABLE_100_CONT;
	evhtp_set_gencb(f->evhtp, on_evhtp_request, NULL);
	evhtp_set_post_accept_cb(f->evhtp, front_conn_accept, f);
	return f;
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

int
front_connections(const struct front *f)
{
	return f->conn_count;
}

static void
front_free(void *arg)
{
	struct front *f = arg;

	bufferevent_free(f->decoy);
	evhtp_free(f->evhtp);
	timer_finish(&f->accept_pause);
	waker_finish(&f->accept_turn);
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
