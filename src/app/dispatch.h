/*
 * The pump: once a turn of the loop after anything changed, what expired is ended
 * and what can start is started. No other place decides.
 */
#ifndef APP_DISPATCH_H
#define APP_DISPATCH_H

struct gateway;

void dispatch_init(struct gateway *g);
void dispatch_finish(struct gateway *g);
void dispatch_wake(struct gateway *g);

#endif
