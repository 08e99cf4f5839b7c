/*
 * What a request knows of the work that is done for it: a few functions. Each kind of work (proxy,
 * share, gather, fanout, upload) embeds a struct work and gives its own.
 */
#ifndef APP_WORK_H
#define APP_WORK_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct job;
struct work;

struct work_ops {
	/* The client is gone, or the program stops: stop at once and free the work. */
	void (*abandon)(struct work *w);
	/* The client can take more. NULL: nothing to stop. */
	void (*drained)(struct work *w);
	/* A streamed body. NULL: the body was collected before the work began. */
	void (*body)(struct work *w, struct str piece);
	void (*body_end)(struct work *w);
	/* Ends the request before its time, with words and a status for the client. NULL: what the work
	 * was doing is abandoned. */
	void (*cancel)(struct work *w, int status, const char *why);
	/* As request_describe, but for the answer. NULL: it runs, and that is all. */
	void (*describe)(const struct work *w, struct buf *json);
	/* How many tokens the answer has so far; -1: nobody knows. NULL: nobody ever does. */
	int64_t (*tokens)(const struct work *w);
	/* What stands for it in the scheduler. NULL: it is not known there. */
	const struct job *(*job)(const struct work *w);
};

/* First member of the struct of each kind of work. */
struct work {
	const struct work_ops *ops;
};

#endif
