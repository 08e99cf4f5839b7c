/*
 * Who calls: one of the configured keys, or, where there are none, an address. A
 * caller has its limits and what it has used of them.
 *
 * Owner: the registry. Keys live as long as it does; an address as long as requests
 * hold it, and after that until many others came.
 */
#ifndef APP_CALLERS_H
#define APP_CALLERS_H

#include "base/list.h"
#include "base/net.h"
#include "base/str.h"
#include "conf/settings.h"
#include "core/limit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct callers;

struct caller {
	char *name;                     /* of the key, or the address; "unix" */
	const struct key_settings *key; /* borrowed; NULL: known by its address */
	struct limit *limit;            /* owned */
	int requests;                   /* that hold it */
	struct list link;               /* in callers.idle while no request holds it */
};

struct callers *callers_create(const struct settings *s, int64_t now_ms);
/* No request may hold one. */
void callers_destroy(struct callers **c);
/* Whether requests need a key. */
bool callers_have_keys(const struct callers *c);
/* Whether one of them is an administrator's. */
bool callers_have_admin(const struct callers *c);

/* NULL: nobody has this key. The time that it takes tells nothing of any key. */
struct caller *callers_find_key(struct callers *c, struct str key);
/* NULL `address`: a unix socket. */
struct caller *callers_of_address(struct callers *c, const struct net *address, int64_t now_ms);

void callers_hold(struct callers *c, struct caller *who);
/* Nulls the holder; NULL is allowed. */
void callers_release(struct callers *c, struct caller **who);

#endif
