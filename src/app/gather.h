/*
 * Answers made of what all nodes say: /api/tags, /api/ps, /v1/models, merged; and
 * /api/version from the probes.
 */
#ifndef APP_GATHER_H
#define APP_GATHER_H

struct request;

/* A node that is down, or answers nothing in time, does not make it fail. */
void gather_begin(struct request *r);
/* The lowest version among the nodes that are up. */
void gather_reply_version(struct request *r);

#endif
