/* A whole small answer, collected within a bound. */
#include "io/fetch.h"

#include "base/mem.h"

#include <stdlib.h>

/* The second is made on a new connection. */
enum { STALE_TRIES = 2 };

struct fetch {
	struct upstream *upstream;   /* borrowed */
	struct exchange *exchange;   /* owned until its end */
	struct exchange_request req; /* its texts are in `texts` */
	char *texts;                 /* owned */
	int tries;
	fetch_callback cb;
	void *arg;
	size_t max_bytes;
	int status;
	const char *why; /* it failed, in detail; or NULL */
	struct buf content_type;
	struct buf body;
};

static void
fetch_free(struct fetch *f)
{
	free(f->texts);
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
		f->why = "the answer is too large";
		end(f, EXCHANGE_BAD_ANSWER);
		return;
	}
	buf_add(&f->body, piece.ptr, piece.len);
}

static void
on_flush(struct exchange *x, void *arg)
{
}

static void try(struct fetch *f);

/* What only reads may be asked twice, wherever the first time ended. */
static bool
may_try_again(const struct fetch *f, enum exchange_end how)
{
	return f->tries < STALE_TRIES &&
	       (how == EXCHANGE_STALE || (how == EXCHANGE_CLOSED && f->req.method == HTTP_GET));
}

static void
on_end(struct exchange *x, enum exchange_end how, const char *why, void *arg)
{
	struct fetch *f = arg;

	f->exchange = NULL;
	f->why = exchange_end_detail(how, why);
	if (may_try_again(f, how))
		try(f);
	else
		end(f, how);
}

static const struct exchange_ops ops = {
    .on_head = on_head, .on_body = on_body, .on_flush = on_flush, .on_end = on_end};

static void
try(struct fetch *f)
{
	f->req.fresh = f->tries > 0;
	f->tries++;
	f->exchange = exchange_start(f->upstream, &f->req, &ops, f);
}

/* One block for the three texts. */
static void
keep_texts(struct fetch *f)
{
	struct str *const texts[] = {&f->req.target, &f->req.headers, &f->req.body};
	struct buf all = {0};
	size_t at = 0;

	for (int i = 0; i < 3; i++)
		buf_add(&all, texts[i]->ptr, texts[i]->len);
	f->texts = buf_take(&all);
	for (int i = 0; i < 3; i++) {
		texts[i]->ptr = f->texts + at;
		at += texts[i]->len;
	}
}

struct fetch *
fetch_start(struct upstream *u, const struct exchange_request *req, size_t max_bytes,
            fetch_callback cb, void *arg)
{
	struct fetch *f = NEW(struct fetch);

	f->upstream = u;
	f->req = *req;
	f->cb = cb;
	f->arg = arg;
	f->max_bytes = max_bytes;
	keep_texts(f);
	try(f);
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

const char *
fetch_why(const struct fetch *f)
{
	return f->why;
}
