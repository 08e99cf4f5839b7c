/*
 * What the gateway answers by itself: `/`, health, and what it knows of requests
 * and callers.
 */
#ifndef APP_OWN_H
#define APP_OWN_H

struct request;

/* As Ollama says it: clients look for it. */
void own_reply_root(struct request *r);
void own_reply_health(struct request *r);
/* 200 while a backend is up and it is not draining. */
void own_reply_ready(struct request *r);
/* The caller's own request of that id: state, position, estimated wait. */
void own_reply_request(struct request *r);
/* The caller's limits and use. */
void own_reply_me(struct request *r);

#endif
