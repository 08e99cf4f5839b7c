/*
 * Who calls: one of the configured keys, or, where there are none, an address. A
 * caller has its limits and what it has used of them.
 *
 * Owner: the registry. A key lives as long as it is configured and as requests hold it: by its
 * name it stays the same caller over a reload, whatever else of it changed. An address lives
 * as long as requests hold it, and after that until many others came.
 */
#ifndef APP_CALLERS_H
#define APP_CALLERS_H

#include "app/config.h"
#include "base/list.h"
#include "base/net.h"
#include "base/str.h"
#include "core/limit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct callers;

struct caller {
	char *name;                     /* of the key, or the address; "unix" */
	const struct key_settings *key; /* of `config`; NULL: known by its address */
	struct config *config;          /* held, for the key; the latest that has it */
	struct limit *limit;            /* owned */
	int requests;                   /* that hold it */
	bool removed;                   /* its key is not configured any more */
	struct list link;               /* in callers.idle while no request holds an address, or in
	                                 * callers.removed */
};

struct callers *callers_create(struct config *config, int64_t now_ms);
/* Other keys and limits from now on; what was counted stays. */
void callers_apply(struct callers *c, struct config *config, int64_t now_ms);
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

/* All of them: keys in the order of the settings, then addresses. `fn` must hold or release none.
 */
void callers_each(const struct callers *c, void (*fn)(struct caller *who, void *arg), void *arg);

void callers_hold(struct callers *c, struct caller *who);
/* Nulls the holder; NULL is allowed. */
void callers_release(struct callers *c, struct caller **wp);

#endif
