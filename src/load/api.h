/*
 * The APIs that load can be made of, one row each: where it goes and how its
 * body is written.
 */
#ifndef LOAD_API_H
#define LOAD_API_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ask {
	const char *model;
	const char *prompt;    /* NULL with messages */
	const char *messages;  /* JSON of a list, as a file has it; NULL: one message, the prompt */
	int64_t output_tokens; /* at most; 0: as the server likes */
	bool stream;
	const char *options; /* `"temperature":0,"seed":1`; "" for none */
};

struct api {
	const char *name;
	const char *target;
	bool streams; /* answers can come token by token */
	bool takes_messages;
	const char *also; /* a header line that it needs, or "" */
	void (*add_body)(struct buf *out, const struct ask *ask);
};

/* NULL: there is no such API. */
const struct api *api_find(const char *name);
/* "generate, chat, ..." */
const char *api_names(void);

#endif
