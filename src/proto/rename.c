/* Another name in an answer, found by the algorithm of Knuth, Morris and Pratt: pieces end
 * anywhere, and no byte is looked at twice. */
#include "proto/rename.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct rename {
	struct buf wanted;
	struct buf put;
	size_t *back;   /* owned; how much still matches when the byte after so much of it does not */
	size_t matched; /* of `wanted`: held back */
	bool done;      /* in this record */
};

static void
add_member(struct buf *out, const char *key, const char *name)
{
	buf_add_json(out, key, strlen(key));
	buf_addc(out, ':');
	buf_add_json(out, name, strlen(name));
}

static void
fill_back(struct rename *r)
{
	const char *w = r->wanted.data;
	size_t k = 0;

	r->back = mem_zalloc(r->wanted.len + 1, sizeof(r->back[0]));
	for (size_t i = 1; i < r->wanted.len; i++) {
		while (k > 0 && w[i] != w[k])
			k = r->back[k];
		if (w[i] == w[k])
			k++;
		r->back[i + 1] = k;
	}
}

struct rename *
rename_create(const char *key, const char *from, const char *to)
{
	struct rename *r = NEW(struct rename);

	add_member(&r->wanted, key, from);
	add_member(&r->put, key, to);
	fill_back(r);
	return r;
}

void
rename_destroy(struct rename **rp)
{
	struct rename *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	buf_finish(&r->wanted);
	buf_finish(&r->put);
	free(r->back);
	free(r);
}

/* Of what is held back only the last `keep` bytes may still be the beginning of it. */
static void
let_go(struct rename *r, size_t keep, struct buf *out)
{
	buf_add(out, r->wanted.data, r->matched - keep);
	r->matched = keep;
}

static void
feed_byte(struct rename *r, char byte, struct buf *out)
{
	while (r->matched > 0 && r->wanted.data[r->matched] != byte)
		let_go(r, r->back[r->matched], out);
	if (r->wanted.data[r->matched] != byte) {
		buf_addc(out, byte);
	} else if (++r->matched == r->wanted.len) {
		buf_add(out, r->put.data, r->put.len);
		r->matched = 0;
		r->done = true;
	}
}

/* What is left of a record in which the name was found passes as it is. */
static struct str
pass_rest(struct rename *r, struct str piece, struct buf *out)
{
	const char *end = memchr(piece.ptr, '\n', piece.len);
	size_t len = end == NULL ? piece.len : (size_t)(end - piece.ptr);

	buf_add(out, piece.ptr, len);
	r->done = end == NULL;
	return (struct str){piece.ptr + len, piece.len - len};
}

void
rename_feed(struct rename *r, struct str piece, struct buf *out)
{
	while (piece.len > 0)
		if (r->done) {
			piece = pass_rest(r, piece, out);
		} else {
			feed_byte(r, *piece.ptr, out);
			piece = (struct str){piece.ptr + 1, piece.len - 1};
		}
}

void
rename_end(struct rename *r, struct buf *out)
{
	let_go(r, 0, out);
}
