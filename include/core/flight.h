/*
 * Equal requests that are under way share one answer: the first is the leader and
 * has the work done, the others follow. While no answer has begun, a leader that
 * leaves hands the lead to the follower that came first; afterwards the work is
 * worth finishing as long as anybody reads it.
 *
 * Owner of a member: who embeds it. The flight lives while it has members.
 */
#ifndef CORE_FLIGHT_H
#define CORE_FLIGHT_H

#include "base/list.h"
#include "base/sha256.h"

#include <stdbool.h>
#include <stddef.h>

struct flights;
struct flight;
struct recording;

enum flight_role { FLIGHT_NONE, FLIGHT_LEADS, FLIGHT_FOLLOWS };

struct flight_member {
	struct flight *flight; /* NULL: in none */
	enum flight_role role;
	struct list link; /* in flight.followers */
	/* Now it leads: it is to have the work done. */
	void (*on_lead)(struct flight_member *m);
	/* The answer begins; a follower may attach to the recording, now. */
	void (*on_begin)(struct flight_member *m, struct recording *r);
};

struct flights *flights_create(void);
/* There must be none. */
void flights_destroy(struct flights **f);
size_t flights_count(const struct flights *f);

/* Whether a request with that key would follow. */
bool flight_is_open(const struct flights *f, const struct sha256 *key);
/* Follows the flight of that key, or begins one and leads it. A follower that comes after the
 * beginning of the answer is told by on_begin before this returns. Where the beginning of an
 * answer is not kept any more, it begins a new flight in the old one's place. */
enum flight_role flight_enter(struct flights *f, const struct sha256 *key, struct flight_member *m);
/* Of the leader: the answer begins. `r` must stay until flight_leave. */
void flight_begin(struct flights *f, struct flight_member *leader, struct recording *r);
/* May be called in any role. Before the beginning the lead passes on; after it, the leader's
 * leaving ends the flight, and its followers live by the recording alone. */
void flight_leave(struct flights *f, struct flight_member *m);
/* Who leads the flight of a member; NULL where it is in none. */
struct flight_member *flight_leader(const struct flight_member *m);
/* Of the leader: how many follow. */
size_t flight_followers(const struct flight_member *leader);

#endif
