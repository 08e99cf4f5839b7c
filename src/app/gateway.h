/*
 * The gateway: everything that serves, and who owns what. The rooms of this floor
 * share it: intake takes requests, run and fanout and gather work on them, the
 * pump in dispatch starts what the scheduler picks.
 */
#ifndef APP_GATEWAY_H
#define APP_GATEWAY_H

#include "app/access_log.h"
#include "app/callers.h"
#include "app/config.h"
#include "app/meter.h"
#include "app/reload.h"
#include "app/server.h"
#include "base/list.h"
#include "conf/settings.h"
#include "core/sched.h"
#include "io/front_tls.h"
#include "io/loop.h"
#include "io/sockets.h"

#include <stdbool.h>
#include <stddef.h>

struct gateway {
	struct loop *loop;               /* borrowed */
	struct sockets *given;           /* borrowed: those that came with the start */
	struct config *config;           /* held: the one in force */
	const struct settings *settings; /* its */
	struct list configs;             /* of struct config, by link: all that are held, by age */
	struct front *front;             /* owned */
	struct sched *sched;             /* owned */
	struct server **servers;         /* owned, each too; in the order of the configuration */
	size_t server_count;
	struct list leaving;       /* of struct server, owned, by link: they left */
	struct reloader *reloader; /* owned; NULL: until the program takes signals */
	uint64_t reloads, failed_reloads;
	struct admin *admin;       /* owned; NULL: off */
	struct loader *loader;     /* owned */
	struct warmer *warmer;     /* owned */
	struct access_log *access; /* owned */
	struct callers *callers;   /* owned */
	struct accounts *accounts; /* owned; who used what */
	struct meter *meter;       /* owned */
	struct board *board;       /* owned; what watchers see */
	struct answers *answers;   /* owned */
	struct list requests;      /* of struct request, by link: all that are not ended */
	struct list puzzled;       /* of struct proxy, by puzzled_link: wait for fresh listings */
	struct buf header_lines;   /* owned; put together and used up within a call, memory kept */
	struct waker pump;
	struct timer pump_timer;
	struct timer drain_timer;
	int64_t body_bytes; /* held by requests */
	int64_t began_ms;
	int64_t drain_until_ms;
	bool draining;
	bool retired;    /* another program serves; what was let in may finish */
	bool has_former; /* a program that this one has taken over from has not ended */
};

/* Takes over what the settings own, but nothing of the state folder yet. `given` is kept. NULL:
 * `why` says why it cannot start. */
struct gateway *gateway_create(struct loop *l, struct settings *from, struct sockets *given,
                               struct buf *why);
void gateway_destroy(struct gateway **g);
/* Stops accepting, refuses what waits, lets what runs end for at most settings.drain, then stops
 * the loop. A second call stops it at once. */
void gateway_drain(struct gateway *g);
/* Another program accepts at the same sockets: what was let in here ends by itself, then the loop
 * stops. */
void gateway_retire(struct gateway *g);
/* The files of the state folder are this program's. */
void gateway_open_state(struct gateway *g);
/* As front_hold, of both listeners. */
void gateway_hold(struct gateway *g, bool hold);
/* Whether each node was probed once. */
bool gateway_has_looked(const struct gateway *g);

/* What follows from the settings, at the start and at a reload. */
struct sched_conf gateway_sched_conf(const struct settings *s);
struct front_limits gateway_front_limits(const struct settings *s, int connections);
/* What front_set_tls takes, NULL where the settings have no TLS. False: `why` says what is wrong
 * with the files. */
bool gateway_load_tls(const struct settings *s, SSL_CTX **out, struct buf *why);

/* A request on it went wrong: the scheduler is told, what changed is logged, the node probed. */
void gateway_saw_fault(struct gateway *g, struct backend *b, enum backend_fault fault);
struct server *gateway_server_of(struct gateway *g, const struct backend *b);
/* Whether a node is known to have the model, by its canonical name. */
bool gateway_has_model(const struct gateway *g, const char *model);
/* NULL when there is none of that name. */
struct server *gateway_find_server(struct gateway *g, struct str name);

#endif
