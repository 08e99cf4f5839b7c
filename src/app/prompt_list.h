/*
 * A list of requests, one a line. A line is the body of a request, as a client would send it, and
 * its members tell where it goes: messages to /api/chat, input to /api/embed, prompt to
 * /api/generate. For another path it stands one level deeper: {"path": "/v1/...", "body": {...}}.
 *
 * A body is sent byte for byte, so that a client who asks the same finds its answer; but where
 * nothing is said of "stream" and the route would stream, "stream": false is put in front.
 */
#ifndef APP_PROMPT_LIST_H
#define APP_PROMPT_LIST_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>

enum { PROMPT_LINE_BYTES_MAX = 16 * 1024 * 1024 };

struct prompt_list {
	FILE *file;       /* borrowed */
	long line;        /* the last that was read, from 1 */
	struct buf bytes; /* owned; that line */
};

struct prompt_request {
	struct buf path; /* owned, both */
	struct buf body;
};

enum prompt_read { PROMPT_READ, PROMPT_BAD, PROMPT_NO_MORE };

void prompt_list_finish(struct prompt_list *l);
/* The next line that is not empty. PROMPT_BAD: `why` has what is wrong with it, and the lines
 * behind it can still be read. */
enum prompt_read prompt_list_next(struct prompt_list *l, struct prompt_request *out,
                                  struct buf *why);
void prompt_request_finish(struct prompt_request *r);

#endif
