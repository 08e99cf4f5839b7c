/*
 * A server that this program starts and ends: drover-node, or a command that reads
 * OLLAMA_HOST and OLLAMA_NUM_PARALLEL. It has a group of its own, so that its
 * children end with it, and it ends when this program does.
 */
#ifndef LOAD_CHILD_H
#define LOAD_CHILD_H

#include "base/buf.h"
#include "plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0: none */
	int handle; /* a pidfd */
	char url[64];
};

/* Starts it on a free port of loopback; it need not answer yet. */
bool child_start(struct child *c, const struct plan *plan, int64_t parallel, struct buf *why);
/* Whether it still runs. */
bool child_lives(const struct child *c);
/* SIGTERM, and after ten seconds SIGKILL; returns when it is gone. */
void child_stop(struct child *c);

#endif
