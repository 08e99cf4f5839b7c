/* The prompts of a file: a line of text each, or of JSON. */
#ifndef LOAD_PROMPTS_H
#define LOAD_PROMPTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prompt {
	char *text;            /* owned; NULL where there are messages */
	char *messages;        /* owned; JSON */
	char *model;           /* owned; NULL: of the mix */
	int64_t output_tokens; /* 0: as for all */
};

struct prompts {
	struct prompt *all; /* owned */
	size_t count;
};

/* False: `why` says what is wrong, with the file's name and the line. */
bool prompts_read(struct prompts *p, const char *path, bool takes_messages, struct buf *why);
void prompts_finish(struct prompts *p);

#endif
