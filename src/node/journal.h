/*
 * What a node saw: a record for each request that is not for /sim, kept in
 * memory for tests (the last JOURNAL_KEPT) and written to a file as lines of
 * JSON when they end.
 */
#ifndef NODE_JOURNAL_H
#define NODE_JOURNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "digest.h"
#include "proto/http.h"

#include <stdint.h>
#include <stdio.h>

enum { JOURNAL_KEPT = 10000 };

struct record {
	struct list link; /* in journal.records */
	uint64_t number;  /* of the request, from 1 */
	char *head;       /* owned; the target, then header lines: name: value, each with \n */
	enum http_method method;
	char *model; /* owned; NULL: none was named */
	uint64_t body_bytes;
	char body_sha256[DIGEST_HEX_SIZE];
	int64_t arrived_ms; /* monotonic, as the others; 0: it did not happen */
	int64_t started_ms; /* had its slot */
	int64_t first_ms;   /* sent its first byte */
	int64_t ended_ms;
	int status; /* 0: none was sent */
	uint64_t bytes_out;
	int tokens;
	const char *end; /* why it ended; a constant; NULL: it has not */
};

struct journal {
	struct list records; /* of struct record, by link; owned; oldest first */
	uint64_t count;      /* of requests ever */
	size_t kept;
	FILE *file; /* owned; NULL: none */
};

void journal_init(struct journal *j);
void journal_finish(struct journal *j);
/* False when it cannot be opened; errno says why. */
bool journal_open(struct journal *j, const char *path);
/* The record stays valid until it has ended. */
struct record *journal_add(struct journal *j, const struct http_head *head, int64_t now_ms);
/* Its run begins: for the file, which then knows of it even if the process is killed. */
void journal_begin(struct journal *j, const struct record *r);
void journal_end(struct journal *j, struct record *r, const char *end, int64_t now_ms);
/* All records with a greater number, as a list in JSON. */
void journal_add_json(const struct journal *j, uint64_t after, struct buf *out);
/* Forgets those that have ended. */
void journal_clear(struct journal *j);

#endif
