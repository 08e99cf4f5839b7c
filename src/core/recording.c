/*
 * A chain of chunks, each twice as large as the one before up to a bound, so that
 * a short answer takes little and a long one few allocations.
 *
 * Invariants: a reader's chunk is in the chain, or NULL where the chain was empty
 * when it came. `holders` counts the writer and the readers. `kept` is true while
 * no chunk was forgotten.
 */
#include "core/recording.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_LEAST = 1024, CHUNK_MOST = 64 * 1024 };

struct recording_chunk {
	struct recording_chunk *next;
	uint64_t at; /* of its first byte in the whole */
	size_t len, cap;
	char bytes[];
};

struct recording {
	struct recording_chunk *first, *last; /* owned */
	struct list readers;                  /* of struct recording_reader, by link */
	size_t window_bytes;
	size_t held_bytes; /* of all chunks, their heads too */
	uint64_t bytes;
	int holders;
	enum recording_state state;
	bool kept;
	bool waking; /* readers are being called */
};

struct recording *
recording_create(size_t window_bytes)
{
	struct recording *r = NEW(struct recording);

	list_init(&r->readers);
	r->window_bytes = window_bytes;
	r->holders = 1;
	r->kept = true;
	return r;
}

static void
drop_first(struct recording *r)
{
	struct recording_chunk *c = r->first;

	r->first = c->next;
	if (r->first == NULL)
		r->last = NULL;
	r->held_bytes -= sizeof(*c) + c->cap;
	free(c);
}

static void
let_go(struct recording *r)
{
	if (--r->holders > 0)
		return;
	while (r->first != NULL)
		drop_first(r);
	free(r);
}

/* --- readers --- */

/* Each at most once, whoever comes or goes meanwhile: those that were called go to the end. */
static void
wake(struct recording *r)
{
	struct list woken;
	struct recording_reader *reader;

	if (r->waking)
		abort(); /* a reader wrote */
	r->waking = true;
	list_init(&woken);
	r->holders++; /* the last reader may leave */
	while ((reader = LIST_FIRST(&r->readers, struct recording_reader, link)) != NULL) {
		list_remove(&reader->link);
		list_add_last(&woken, &reader->link);
		reader->on_more(reader);
	}
	while ((reader = LIST_FIRST(&woken, struct recording_reader, link)) != NULL) {
		list_remove(&reader->link);
		list_add_last(&r->readers, &reader->link);
	}
	r->waking = false;
	let_go(r);
}

void
recording_attach(struct recording *r, struct recording_reader *reader,
                 void (*on_more)(struct recording_reader *r))
{
	if (!r->kept)
		abort();
	*reader = (struct recording_reader){.recording = r, .chunk = r->first, .on_more = on_more};
	list_init(&reader->link);
	list_add_last(&r->readers, &reader->link);
	r->holders++;
}

void
recording_detach(struct recording_reader *reader)
{
	struct recording *r = reader->recording;

	if (r == NULL)
		return;
	list_remove(&reader->link);
	reader->recording = NULL;
	reader->chunk = NULL;
	let_go(r);
}

/* The chunk that has the reader's next byte, or the last one. */
static struct recording_chunk *
chunk_of(const struct recording_reader *reader, size_t *used)
{
	struct recording_chunk *c = reader->chunk != NULL ? reader->chunk : reader->recording->first;

	*used = reader->chunk != NULL ? reader->used : 0;
	if (c != NULL && *used == c->len && c->next != NULL) {
		c = c->next;
		*used = 0;
	}
	return c;
}

struct str
recording_peek(const struct recording_reader *reader)
{
	size_t used;
	const struct recording_chunk *c;

	if (reader->lost)
		return (struct str){"", 0};
	c = chunk_of(reader, &used);
	return c == NULL ? (struct str){"", 0} : (struct str){c->bytes + used, c->len - used};
}

void
recording_skip(struct recording_reader *reader, size_t bytes)
{
	size_t used;
	struct recording_chunk *c;

	if (bytes == 0) /* a lost one has no chunk any more */
		return;
	c = chunk_of(reader, &used);
	if (c == NULL || bytes > c->len - used)
		abort();
	reader->chunk = c;
	reader->used = used + bytes;
	reader->at += bytes;
}

bool
recording_is_over(const struct recording_reader *reader)
{
	return reader->lost ||
	       (reader->recording->state != RECORDING_OPEN && reader->at == reader->recording->bytes);
}

/* --- the writer --- */

static bool
all_have_passed(const struct recording *r, const struct recording_chunk *c)
{
	struct recording_reader *reader;

	LIST_FOR_EACH (reader, &r->readers, struct recording_reader, link)
		if (!reader->lost && reader->at < c->at + c->len)
			return false;
	return true;
}

/* Who stands on a chunk that goes away, and has read all of it, goes on with the next; who has
 * not is lost. */
static void
leave_chunk(struct recording *r, struct recording_chunk *c)
{
	struct recording_reader *reader;

	LIST_FOR_EACH (reader, &r->readers, struct recording_reader, link) {
		if (reader->lost)
			continue;
		reader->lost = reader->at < c->at + c->len;
		if (reader->chunk == c || reader->chunk == NULL) {
			reader->chunk = c->next;
			reader->used = 0;
		}
	}
}

/* The last chunk stays: it is being written. */
static void
keep_to_window(struct recording *r)
{
	while (r->first != r->last &&
	       (r->held_bytes > r->window_bytes || (!r->kept && all_have_passed(r, r->first)))) {
		r->kept = false;
		leave_chunk(r, r->first);
		drop_first(r);
	}
}

static void
add_chunk(struct recording *r)
{
	size_t cap = r->last == NULL ? CHUNK_LEAST : 2 * r->last->cap;
	struct recording_chunk *c;

	if (cap > CHUNK_MOST)
		cap = CHUNK_MOST;
	c = mem_alloc(sizeof(*c) + cap);
	*c = (struct recording_chunk){.at = r->bytes, .cap = cap};
	if (r->last == NULL)
		r->first = c;
	else
		r->last->next = c;
	r->last = c;
	r->held_bytes += sizeof(*c) + cap;
}

void
recording_append(struct recording *r, struct str bytes)
{
	if (r->state != RECORDING_OPEN)
		abort();
	while (bytes.len > 0) {
		size_t n;

		if (r->last == NULL || r->last->len == r->last->cap)
			add_chunk(r);
		n = r->last->cap - r->last->len;
		n = n < bytes.len ? n : bytes.len;
		memcpy(r->last->bytes + r->last->len, bytes.ptr, n);
		r->last->len += n;
		r->bytes += n;
		bytes = (struct str){bytes.ptr + n, bytes.len - n};
	}
	wake(r);
	/* After they had the chance to read it. */
	keep_to_window(r);
}

void
recording_end(struct recording *r, bool whole)
{
	if (r->state != RECORDING_OPEN)
		abort();
	r->state = whole ? RECORDING_WHOLE : RECORDING_CUT;
	wake(r);
}

void
recording_release(struct recording **rp)
{
	struct recording *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	if (r->state == RECORDING_OPEN)
		recording_end(r, false);
	/* The hold that is given back is the writer's own: nobody else gave that. */
	let_go(r); // NOLINT(clang-analyzer-unix.Malloc)
}

enum recording_state
recording_state(const struct recording *r)
{
	return r->state;
}

size_t
recording_held_bytes(const struct recording *r)
{
	return sizeof(*r) + r->held_bytes;
}

bool
recording_is_kept(const struct recording *r)
{
	return r->kept;
}

void
recording_copy(const struct recording *r, struct buf *out)
{
	if (!r->kept)
		abort();
	buf_reserve(out, r->bytes);
	for (const struct recording_chunk *c = r->first; c != NULL; c = c->next)
		buf_add(out, c->bytes, c->len);
}

uint64_t
recording_ahead_bytes(const struct recording *r)
{
	struct recording_reader *reader;
	uint64_t furthest = 0;

	LIST_FOR_EACH (reader, &r->readers, struct recording_reader, link)
		if (!reader->lost && reader->at > furthest)
			furthest = reader->at;
	return r->bytes - furthest;
}

bool
recording_has_readers(const struct recording *r)
{
	return !list_empty(&r->readers);
}
