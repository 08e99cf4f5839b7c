/*
 * Every request that runs a model goes, once it has ended, into an account by key, model
 * and hour.
 */
#ifndef APP_ACCOUNTS_H
#define APP_ACCOUNTS_H

struct request;

/* `r` has ended. A model that no node has counts as "other"; where there is no key, as "-". */
void accounts_add(const struct request *r);

#endif
