/*
 * Faults that a test switches on: each hits the next `count` requests of its
 * route, and does to them what broken nodes and networks do.
 */
#ifndef NODE_FAULTS_H
#define NODE_FAULTS_H

#include "base/list.h"
#include "base/str.h"
#include "gojson.h"

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
	FAULT_STATUS,          /* an error answer with `status` */
	FAULT_BUSY,            /* 503, as when Ollama's queue is full */
	FAULT_CLOSE,           /* closes the connection */
	FAULT_RESET,           /* the same with RST */
	FAULT_HANG,            /* goes silent */
	FAULT_GARBAGE,         /* a head that is none */
	FAULT_TWO_LENGTHS,     /* two Content-Lengths */
	FAULT_WRONG_LENGTH,    /* says more bytes than it sends, and closes */
	FAULT_TRUNCATED_CHUNK, /* ends inside a chunk */
	FAULT_SLOW,            /* an answer byte by byte */
	FAULT_ERROR,           /* in mid-stream what Ollama says when its model fails */
	FAULT_NO_DONE,         /* a stream that ends in order, but without its last record */
};

struct fault {
	struct list link; /* in node.faults */
	enum fault_kind kind;
	int64_t count;   /* requests that it still hits; < 0: all */
	char route[128]; /* a glob on the path, or on "load" and "unload"; "": whatever runs a model */
	int status;
	int64_t after_tokens; /* in mid-stream, after so many pieces; < 0: before the head */
	int64_t interval_ms;  /* of SLOW */
	char message[128];
};

/* Adds what {"kind": ...} describes. False: `why` says why. */
bool faults_add(struct list *faults, const cJSON *body, struct buf *why);
/* The fault that hits this request, as a copy; false when there is none. */
bool faults_take(struct list *faults, const char *name, bool runs_model, struct fault *out);
void faults_clear(struct list *faults);
/* What the kinds are called, for --help. */
const char *faults_help(void);

#endif
