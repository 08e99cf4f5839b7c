/* A whole small answer, collected within a bound. */
#include "io/fetch.h"

#include "base/mem.h"

#include <stdlib.h>

struct fetch {
	struct exchange *exchange; /* owned until its end */
	fetch_callback cb;
	void *arg;
	size_t max_bytes;
	char *request_body; /* owned */
	int status;
	struct buf content_type;
	struct buf body;
};

static void
fetch_free(struct fetch *f)
{
	free(f->request_body);
	buf_finish(&f->content_type);
	buf_finish(&f->body);
	free(f);
}

static struct str
content_of(const struct buf *b)
{
	return (struct str){buf_text(b), b->len};
}

static void
end(struct fetch *f, enum exchange_end how)
{
	if (how == EXCHANGE_DONE)
		f->cb(f, how, f->status, content_of(&f->content_type), content_of(&f->body), f->arg);
	else
		f->cb(f, how, 0, (struct str){"", 0}, (struct str){"", 0}, f->arg);
	fetch_free(f);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct fetch *f = arg;
	struct str type = http_find_header(head, "Content-Type");

	f->status = head->status;
	buf_add(&f->content_type, type.ptr, type.len);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct fetch *f = arg;

	if (piece.len > f->max_bytes - f->body.len) {
		exchange_cancel(&f->exchange);
		end(f, EXCHANGE_BAD_ANSWER);
		return;
	}
	buf_add(&f->body, piece.ptr, piece.len);
}

static void
on_flush(struct exchange *x, void *arg)
{
}

static void
on_end(struct exchange *x, enum exchange_end how, const char *why, void *arg)
{
	struct fetch *f = arg;

	f->exchange = NULL;
	end(f, how);
}

static const struct exchange_ops ops = {
    .on_head = on_head, .on_body = on_body, .on_flush = on_flush, .on_end = on_end};

struct fetch *
fetch_start(struct upstream *u, const struct exchange_request *req, size_t max_bytes,
            fetch_callback cb, void *arg)
{
	struct exchange_request own = *req;
	struct fetch *f = NEW(struct fetch);

	f->cb = cb;
	f->arg = arg;
	f->max_bytes = max_bytes;
	if (req->body.len > 0) {
		f->request_body = mem_strndup(req->body.ptr, req->body.len);
		own.body.ptr = f->request_body;
	}
	f->exchange = exchange_start(u, &own, &ops, f);
	return f;
}

void
fetch_cancel(struct fetch **fp)
{
	struct fetch *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	exchange_cancel(&f->exchange);
	fetch_free(f);
}
