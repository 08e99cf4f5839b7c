/*
 * Flights by key, in a map by the key's hex form.
 *
 * Invariants: a flight has a leader and any number of followers; it is in the map
 * unless a newer one has taken its place. Followers stay members after the answer
 * began, so that the leader knows whether anybody waits.
 */
#include "core/flight.h"

#include "base/map.h"
#include "base/mem.h"
#include "core/recording.h"

#include <stdlib.h>
#include <string.h>

struct flight {
	char key[SHA256_HEX_SIZE];
	struct flight_member *leader;
	struct list followers; /* of struct flight_member, by link, who came first is first */
	size_t follower_count;
	struct recording *recording; /* the leader's; NULL: the answer has not begun */
};

struct flights {
	struct map by_key; /* of struct flight, owned by their members */
	size_t count;
};

struct flights *
flights_create(void)
{
	return NEW(struct flights);
}

void
flights_destroy(struct flights **fp)
{
	struct flights *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	if (f->count > 0)
		abort();
	map_finish(&f->by_key);
	free(f);
}

size_t
flights_count(const struct flights *f)
{
	return f->count;
}

static struct flight *
flight_create(struct flights *f, const char *key, struct flight_member *leader)
{
	struct flight *fl = NEW(struct flight);

	memcpy(fl->key, key, SHA256_HEX_SIZE);
	fl->leader = leader;
	list_init(&fl->followers);
	map_put(&f->by_key, key, fl);
	f->count++;
	return fl;
}

static void
flight_free(struct flights *f, struct flight *fl)
{
	if (map_find(&f->by_key, fl->key) == fl)
		map_take(&f->by_key, fl->key);
	f->count--;
	free(fl);
}

/* The one that a newcomer would follow, or NULL. */
static struct flight *
find_open(const struct flights *f, const char *key)
{
	struct flight *fl = map_find(&f->by_key, key);

	return fl == NULL || fl->recording == NULL || recording_is_kept(fl->recording) ? fl : NULL;
}

bool
flight_is_open(const struct flights *f, const struct sha256 *key)
{
	char text[SHA256_HEX_SIZE];

	sha256_write_hex(key, text);
	return find_open(f, text) != NULL;
}

enum flight_role
flight_enter(struct flights *f, const struct sha256 *key, struct flight_member *m)
{
	char text[SHA256_HEX_SIZE];
	struct flight *fl;

	sha256_write_hex(key, text);
	fl = find_open(f, text);
	list_init(&m->link);
	if (fl == NULL) {
		m->flight = flight_create(f, text, m);
		m->role = FLIGHT_LEADS;
		return m->role;
	}
	m->flight = fl;
	m->role = FLIGHT_FOLLOWS;
	list_add_last(&fl->followers, &m->link);
	fl->follower_count++;
	if (fl->recording != NULL)
		m->on_begin(m, fl->recording);
	return FLIGHT_FOLLOWS;
}

/* A follower may leave when it is told. */
void
flight_begin(struct flights *f, struct flight_member *leader, struct recording *r)
{
	struct flight *fl = leader->flight;
	struct list told;
	struct flight_member *m;

	if (leader->role != FLIGHT_LEADS || fl->recording != NULL)
		abort();
	fl->recording = r;
	list_init(&told);
	while ((m = LIST_FIRST(&fl->followers, struct flight_member, link)) != NULL) {
		list_remove(&m->link);
		list_add_last(&told, &m->link);
		m->on_begin(m, r);
	}
	while ((m = LIST_FIRST(&told, struct flight_member, link)) != NULL) {
		list_remove(&m->link);
		list_add_last(&fl->followers, &m->link);
	}
}

static struct flight_member *
take_follower(struct flight *fl)
{
	struct flight_member *m = LIST_FIRST(&fl->followers, struct flight_member, link);

	if (m == NULL)
		return NULL;
	list_remove(&m->link);
	fl->follower_count--;
	return m;
}

static void
leave(struct flight_member *m)
{
	m->flight = NULL;
	m->role = FLIGHT_NONE;
}

/* The leader is gone already. */
static void
end_flight(struct flights *f, struct flight *fl)
{
	struct flight_member *m;

	while ((m = take_follower(fl)) != NULL)
		leave(m);
	flight_free(f, fl);
}

void
flight_leave(struct flights *f, struct flight_member *m)
{
	struct flight *fl = m->flight;
	enum flight_role role = m->role;
	struct flight_member *next = NULL;

	leave(m);
	switch (role) {
	case FLIGHT_NONE: return;
	case FLIGHT_FOLLOWS:
		list_remove(&m->link);
		fl->follower_count--;
		return;
	case FLIGHT_LEADS: break;
	}
	if (fl->recording == NULL)
		next = take_follower(fl);
	fl->leader = next;
	if (next == NULL) {
		end_flight(f, fl);
		return;
	}
	next->role = FLIGHT_LEADS;
	next->on_lead(next);
}

struct flight_member *
flight_leader(const struct flight_member *m)
{
	return m->flight == NULL ? NULL : m->flight->leader;
}

size_t
flight_followers(const struct flight_member *leader)
{
	return leader->role == FLIGHT_LEADS ? leader->flight->follower_count : 0;
}
