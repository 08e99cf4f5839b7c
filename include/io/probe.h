/*
 * Active probes of one node: /api/version, /api/tags and /api/ps every interval (at first
 * sooner, while it is not up, or while nobody listens there), fed into its backend. A round is good
 * when version and tags were answered in time; what the node holds is taken when /api/ps answers.
 */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include "core/backend.h"
#include "io/upstream.h"

#include <stdbool.h>
#include <stdint.h>

struct probe;

struct probe_conf {
	int64_t interval_ms;
	int64_t timeout_ms; /* for a whole round */
	/* After each round; the backend has been told. */
	void (*on_round)(struct probe *p, void *arg);
	void *arg;
};

/* Starts with a round at once. Borrows upstream and backend. */
struct probe *probe_create(struct loop *l, struct upstream *u, struct backend *b,
                           const struct probe_conf *conf);
/* Other times from now on. */
void probe_reshape(struct probe *p, const struct probe_conf *conf);
void probe_destroy(struct probe **p);
/* A round now, unless one that began less than `fresh_ms` ago is done or under way. True when a
 * round is under way after the call. */
bool probe_refresh(struct probe *p, int64_t fresh_ms);
/* Something went wrong there: the next round comes soon. */
void probe_hurry(struct probe *p);
bool probe_is_running(const struct probe *p);
/* Since it was made: the node is known to be up, or to be down. */
bool probe_has_ended_a_round(const struct probe *p);
/* How the round that ended last went wrong; NULL: not at all. A constant; `detail` of it, or NULL.
 */
const char *probe_trouble(const struct probe *p, const char **detail);
/* Whether that was TLS. */
bool probe_saw_no_tls(const struct probe *p);
/* "" until it is known. */
const char *probe_version(const struct probe *p);

#endif
