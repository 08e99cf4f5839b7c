/* Bodies in zstd, by libzstd. */
#include "proto/zstd_body.h"

#include "base/mem.h"

#include <stdlib.h>
#include <zstd.h>

/* The most that an HTTP content coding may ask for (RFC 9659). */
enum { WINDOW_LOG_MAX = 23, PIECE_BYTES = 64 * 1024 };

struct zstd_body {
	ZSTD_DStream *stream; /* owned */
	zstd_sink sink;
	void *arg;
	int64_t left; /* bytes that may still come out */
	bool whole;
};

struct zstd_body *
zstd_body_create(int64_t bytes_max, zstd_sink sink, void *arg)
{
	struct zstd_body *z = NEW(struct zstd_body);

	z->sink = sink;
	z->arg = arg;
	z->left = bytes_max;
	z->stream = ZSTD_createDStream();
	if (z->stream == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		abort();
	return z;
}

void
zstd_body_destroy(struct zstd_body **zp)
{
	struct zstd_body *z = *zp;

	*zp = NULL;
	if (z == NULL)
		return;
	ZSTD_freeDStream(z->stream);
	free(z);
}

enum zstd_fed
zstd_body_feed(struct zstd_body *z, struct str bytes)
{
	static char piece[PIECE_BYTES];
	ZSTD_inBuffer in = {bytes.ptr, bytes.len, 0};
	ZSTD_outBuffer out;

	/* A full output may have left decoded bytes inside: go on until one is not filled. */
	do {
		size_t rest;

		out = (ZSTD_outBuffer){piece, sizeof(piece), 0};
		rest = ZSTD_decompressStream(z->stream, &out, &in);
		if (ZSTD_isError(rest))
			return ZSTD_BROKEN;
		z->whole = rest == 0;
		z->left -= (int64_t)out.pos;
		if (z->left < 0)
			return ZSTD_TOO_LARGE;
		if (out.pos > 0 && !z->sink((struct str){piece, out.pos}, z->arg))
			return ZSTD_STOPPED;
	} while (in.pos < in.size || out.pos == out.size);
	return ZSTD_FED;
}

bool
zstd_body_is_whole(const struct zstd_body *z)
{
	return z->whole;
}
