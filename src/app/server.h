/*
 * A node: what is decided about it, how it is reached, how it is watched, who carries out its
 * orders.
 *
 * Owner: gateway.servers while it is configured. One that a reload takes out goes to
 * gateway.leaving: what runs there ends, nothing new is sent, it is probed no more. It is
 * freed once every request that may have seen it has ended (roster.c), or comes back before.
 */
#ifndef APP_SERVER_H
#define APP_SERVER_H

#include "base/buf.h"
#include "base/list.h"
#include "conf/settings.h"
#include "core/backend.h"
#include "io/probe.h"
#include "io/upstream.h"

#include <stdbool.h>
#include <stdint.h>

struct errand;
struct gateway;

struct server {
	struct gateway *gateway;   /* borrowed */
	struct backend *backend;   /* the scheduler's; once it is gone there, owned; NULL: not opened */
	struct upstream *upstream; /* owned */
	struct probe *probe;       /* owned; NULL: it left */
	struct errand *errand;     /* owned; NULL: it left */
	char *url;                 /* owned */
	int max_loaded;            /* as it was told last */
	bool stays;                /* scratch of roster_apply */
	bool left;                 /* it is in gateway.leaving, */
	bool gone;                 /* and the scheduler let go of it */
	uint64_t left_at;          /* generation of the last configuration that had it */
	struct list link;          /* in gateway.leaving */
};

/* Nothing is sent there yet. NULL: `why` says what is wrong with its configuration. */
struct server *server_create(struct gateway *g, const struct settings *all,
                             const struct backend_settings *b, struct buf *why);
/* The scheduler takes it, and it is probed. */
void server_open(struct server *s, const struct settings *all, const struct backend_settings *b);
/* NULL is allowed. */
void server_destroy(struct server **s);

/* Whether it is reached as these settings say. */
bool server_has_upstream(const struct server *s, const struct settings *all,
                         const struct backend_settings *b);
/* For server_reshape. NULL: `why` says what is wrong with its configuration. */
struct upstream *server_make_upstream(struct gateway *g, const struct settings *all,
                                      const struct backend_settings *b, struct buf *why);
/* Other settings of the same name and url. `upstream`: taken over; NULL: it is reached as it was.
 */
void server_reshape(struct server *s, struct upstream **upstream, const struct settings *all,
                    const struct backend_settings *b);
/* It is not configured any more. */
void server_leave(struct server *s, uint64_t left_at);
/* It is again, and was not gone yet. */
void server_come_back(struct server *s, const struct settings *all);
/* Adds why its last round of probes failed; nothing where it did not. */
void server_add_trouble(const struct server *s, struct buf *out);
/* A round of probes now, as probe_refresh; false also for one that left. */
bool server_refresh(struct server *s, int64_t fresh_ms);
/* "" until it is known. */
const char *server_version(const struct server *s);

#endif
