/*
 * One configuration in force, with what is made of it once. It never changes: a reload puts
 * another one in its place.
 *
 * Owners: the gateway holds the one in force; each request holds the one that it came under, so
 * that what it borrows of it stays, and a caller the one that its key is of. The last holder's
 * release frees it.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "app/aliases.h"
#include "app/client_address.h"
#include "app/origin.h"
#include "base/buf.h"
#include "base/list.h"
#include "conf/settings.h"

#include <stdbool.h>

struct config {
	struct settings settings; /* owned */
	struct aliases aliases;
	struct trust trust;
	struct host_rule hosts;
	struct origin_rule origins;
	struct list link;    /* in gateway.configs: those that somebody holds, the oldest first */
	uint64_t generation; /* rises from one to the next */
	int holders;
};

/* Takes over what `s` owns, held once. NULL: `why` says why it cannot be. */
struct config *config_create(struct settings *s, struct buf *why);
struct config *config_hold(struct config *c);
/* Nulls the holder; NULL is allowed. True: it was the last, and it is gone. */
bool config_release(struct config **c);

#endif
