/*
 * Every request that runs a model goes, once it has ended, into an account by key, model
 * and hour. They are written to the state folder within a second.
 */
#ifndef APP_ACCOUNTS_H
#define APP_ACCOUNTS_H

#include "core/tally.h"

#include <stdbool.h>

struct accounts;
struct gateway;
struct request;
struct usage_disk;

/* Without what the state folder has. */
struct accounts *accounts_create(struct gateway *g);
/* Reads it. A folder that cannot be used is said and does without. */
void accounts_open_disk(struct accounts *a);
/* Other settings are in force. */
void accounts_apply(struct accounts *a);
/* Writes what is left. */
void accounts_destroy(struct accounts **a);
/* `r` has ended. A model that no node has counts as "other"; where there is no key, as "-". */
void accounts_add(struct accounts *a, const struct request *r);
/* The last write to the disk failed. */
bool accounts_are_failing(const struct accounts *a);
const struct tally *accounts_tally(const struct accounts *a);

/* Another program is to have the file: the caller closes it. What is counted from now on is late,
 * and to be told to that program. NULL: there is none. */
struct usage_disk *accounts_take_disk(struct accounts *a);
/* It did not come to that, and the other program has ended. */
void accounts_open_again(struct accounts *a);
/* Calls `fn` for what is late, once for each row, which it may give back to be late again. */
void accounts_take_late(struct accounts *a, tally_fn fn, void *arg);
void accounts_keep_late(struct accounts *a, const struct tally_row *row);
void accounts_drop_late(struct accounts *a);
bool accounts_have_late(const struct accounts *a);
/* What another program counted late. */
void accounts_add_row(struct accounts *a, const struct tally_row *row);

#endif
