/*
 * The gateway: everything that serves, and who owns what. The rooms of this floor
 * share it: intake takes requests, run and fanout and gather work on them, the
 * pump in dispatch starts what the scheduler picks.
 */
#ifndef APP_GATEWAY_H
#define APP_GATEWAY_H

#include "app/access_log.h"
#include "app/aliases.h"
#include "app/callers.h"
#include "app/client_address.h"
#include "app/meter.h"
#include "app/origin.h"
#include "base/list.h"
#include "conf/settings.h"
#include "core/sched.h"
#include "io/front.h"
#include "io/loop.h"
#include "io/probe.h"
#include "io/upstream.h"

#include <stdbool.h>
#include <stddef.h>

/* A node: what is decided about it, how it is reached, how it is watched. */
struct server {
	struct backend *backend;   /* the scheduler's */
	struct upstream *upstream; /* owned */
	struct probe *probe;       /* owned */
	int max_loaded;            /* as it was told last */
};

struct gateway {
	struct loop *loop;               /* borrowed */
	const struct settings *settings; /* borrowed */
	struct front *front;             /* owned */
	struct sched *sched;             /* owned */
	struct server *servers;          /* owned; in the order of the scheduler's backends */
	size_t server_count;
	struct admin *admin;       /* owned; NULL: off */
	struct loader *loader;     /* owned */
	struct warmer *warmer;     /* owned */
	struct access_log *access; /* owned */
	struct callers *callers;   /* owned */
	struct accounts *accounts; /* owned; who used what */
	struct meter *meter;       /* owned */
	struct trust trust;
	struct aliases aliases;
	struct answers *answers; /* owned */
	struct host_rule hosts;
	struct origin_rule origins;
	struct list requests;    /* of struct request, by link: all that are not ended */
	struct list puzzled;     /* of struct proxy, by puzzled_link: wait for fresh listings */
	struct buf header_lines; /* owned; put together and used up within a call, memory kept */
	struct waker pump;
	struct timer pump_timer;
	struct timer drain_timer;
	int64_t body_bytes; /* held by requests */
	int64_t began_ms;
	int64_t drain_until_ms;
	bool draining;
};

/* NULL: `why` says why it cannot start. */
struct gateway *gateway_create(struct loop *l, const struct settings *s, struct buf *why);
void gateway_destroy(struct gateway **g);
/* Stops accepting, refuses what waits, lets what runs end for at most settings.drain, then stops
 * the loop. A second call stops it at once. */
void gateway_drain(struct gateway *g);

/* A request on it went wrong: the scheduler is told, what changed is logged, the node probed. */
void gateway_saw_fault(struct gateway *g, struct backend *b, enum backend_fault fault);
struct server *gateway_server_of(struct gateway *g, const struct backend *b);
/* Whether a node is known to have the model, by its canonical name. */
bool gateway_has_model(const struct gateway *g, const char *model);
/* NULL when there is none of that name. */
struct server *gateway_find_server(struct gateway *g, struct str name);

#endif
