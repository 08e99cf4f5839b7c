/*
 * Every request that runs a model goes, once it has ended, into an account by key, model
 * and hour. They are written to the state folder within a second.
 */
#ifndef APP_ACCOUNTS_H
#define APP_ACCOUNTS_H

struct accounts;
struct gateway;
struct request;
struct tally;

struct accounts *accounts_create(struct gateway *g);
/* Writes what is left. */
void accounts_destroy(struct accounts **a);
/* `r` has ended. A model that no node has counts as "other"; where there is no key, as "-". */
void accounts_add(struct accounts *a, const struct request *r);
const struct tally *accounts_tally(const struct accounts *a);

#endif
