/*
 * Requests that change nodes: sent to one node, or to all of them, one after
 * another, so that each one's progress is seen; it succeeds only if all did.
 */
#ifndef APP_FANOUT_H
#define APP_FANOUT_H

struct request;

/* pull, push, create, copy, delete, and the account routes: as `manage` allowed already. The
 * body is collected. */
void fanout_begin(struct request *r);
/* An unload (`keep_alive: 0` and nothing to do): every node that holds the model. */
void fanout_unload(struct request *r);

#endif
