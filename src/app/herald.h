/*
 * Tells the service manager how the gateway is: that it is ready, what it does, and, from a timer
 * of the loop, that the loop turns. It is silent where nobody listens.
 */
#ifndef APP_HERALD_H
#define APP_HERALD_H

struct gateway;
struct herald;

struct herald *herald_create(struct gateway *g);
/* NULL is allowed. */
void herald_destroy(struct herald **h);
void herald_say_ready(struct herald *h);
void herald_say_stopping(struct herald *h);

#endif
