/*
 * A body with Content-Encoding: zstd, which Ollama takes under /v1, decoded piece
 * by piece so that the gateway can read what it routes by. What is forwarded is
 * the body as it came.
 */
#ifndef PROTO_ZSTD_BODY_H
#define PROTO_ZSTD_BODY_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct zstd_body;

/* Takes decoded bytes. False stops: it keeps its own reason. */
typedef bool (*zstd_sink)(struct str piece, void *arg);

enum zstd_fed {
	ZSTD_FED,
	ZSTD_BROKEN,    /* no zstd, or a window over 8 MiB (RFC 9659) */
	ZSTD_TOO_LARGE, /* more than `bytes_max` decoded */
	ZSTD_STOPPED,   /* by the sink */
};

struct zstd_body *zstd_body_create(int64_t bytes_max, zstd_sink sink, void *arg);
void zstd_body_destroy(struct zstd_body **z);
enum zstd_fed zstd_body_feed(struct zstd_body *z, struct str bytes);
/* Whether the last frame was whole. */
bool zstd_body_is_whole(const struct zstd_body *z);

#endif
