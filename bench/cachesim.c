/*
 * Hit ratios of the cache beside a plain LRU of the same bytes, on made-up traces:
 *
 *   bench-cachesim [REQUESTS]
 *
 * Zipf: what is asked for again and again, alone, with scans of things that are
 * asked for once, and with what is popular shifting over time. The cache is the
 * real one; the LRU counts the same bytes for an entry and has its tables for free.
 */
#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/cache.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 100000, BODY_MAX = 4096, REQUESTS = 2000000, ENTRY_BYTES = 160 };

static char body[BODY_MAX];

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* The same object has the same size always: 64 to 4096 bytes, small ones more often. */
static size_t
size_of_object(uint64_t object)
{
	struct rng rng = {object};

	return (size_t)(64 * exp(rng_unit(&rng) * log(64)));
}

static struct sha256
key_of(uint64_t object)
{
	struct sha256 key;

	for (int i = 0; i < 4; i++) {
		uint64_t word = mix(object * 4 + (uint64_t)i + 1);

		memcpy(key.bytes + (size_t)i * 8, &word, 8);
	}
	return key;
}

/* --- the trace --- */

struct trace {
	const char *name;
	double exponent;
	int scan_every; /* requests between two scans; 0: none */
	int scan_length;
	int shift_every; /* after so many requests another tenth of the objects is popular; 0: never */

	double *sums; /* owned */
	struct rng rng;
	uint64_t next_once; /* objects that nobody asks for again */
	int scanning;
	int count;
};

static void
trace_begin(struct trace *t)
{
	double sum = 0;

	t->sums = mem_zalloc(OBJECTS, sizeof(*t->sums));
	for (int i = 0; i < OBJECTS; i++)
		t->sums[i] = sum += 1 / pow(i + 1, t->exponent);
	t->rng = (struct rng){1};
	t->next_once = UINT64_C(10) * OBJECTS;
	t->scanning = t->count = 0;
}

static uint64_t
draw_rank(struct trace *t)
{
	double want = rng_unit(&t->rng) * t->sums[OBJECTS - 1];
	int low = 0, high = OBJECTS - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (t->sums[middle] < want)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint64_t)low;
}

static uint64_t
trace_next(struct trace *t)
{
	uint64_t shift = t->shift_every == 0 ? 0 : (uint64_t)(t->count / t->shift_every);

	t->count++;
	if (t->scan_every > 0 && t->count % t->scan_every == 0)
		t->scanning = t->scan_length;
	if (t->scanning > 0) {
		t->scanning--;
		return t->next_once++;
	}
	return (draw_rank(t) + shift * (OBJECTS / 10)) % OBJECTS;
}

/* --- plain LRU, by the number of the object --- */

struct lru_entry {
	struct list link;
	uint64_t object;
	struct lru_entry *next;
};

struct lru {
	struct list used; /* of struct lru_entry, the last used first, owned */
	struct lru_entry *buckets[1 << 16];
	size_t bytes, limit;
};

static struct lru_entry **
lru_find(struct lru *l, uint64_t object)
{
	struct lru_entry **at = &l->buckets[mix(object) & 0xffff];

	while (*at != NULL && (*at)->object != object)
		at = &(*at)->next;
	return at;
}

static void
lru_drop_oldest(struct lru *l)
{
	struct lru_entry *e = LIST_ENTRY(l->used.prev, struct lru_entry, link);
	struct lru_entry **at = lru_find(l, e->object);

	*at = e->next;
	list_remove(&e->link);
	l->bytes -= size_of_object(e->object) + ENTRY_BYTES;
	free(e);
}

static bool
lru_ask(struct lru *l, uint64_t object)
{
	struct lru_entry **at = lru_find(l, object), *e = *at;
	bool hit = e != NULL;

	if (!hit) {
		*at = e = NEW(struct lru_entry);
		e->object = object;
		list_init(&e->link);
		l->bytes += size_of_object(object) + ENTRY_BYTES;
	}
	list_remove(&e->link);
	list_add_first(&l->used, &e->link);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a member is freed, not the list around it */
	while (l->bytes > l->limit)
		lru_drop_oldest(l);
	return hit;
}

/* --- the cache --- */

static bool
cache_ask(struct cache *c, uint64_t object)
{
	struct cache_entry *e;
	struct cache_item item = {.key = key_of(object), .model = "m"};
	bool hit = cache_find(c, &item.key, 0, &e) == CACHE_FRESH;

	if (hit) {
		cache_release(c, &e);
		return true;
	}
	item.body = (struct str){body, size_of_object(object)};
	if (!cache_put(c, &item))
		abort();
	return false;
}

static void
run(struct trace *t, size_t limit, int requests)
{
	struct cache_limits limits = {
	    .entries = OBJECTS / 2, .bytes = limit, .entry_bytes = BODY_MAX, .ttl_ms = 1};
	struct cache *c = cache_create(&limits, NULL, NULL);
	struct lru *l = NEW(struct lru);
	int64_t cache_hits = 0, lru_hits = 0;

	list_init(&l->used);
	l->limit = limit;
	trace_begin(t);
	for (int i = 0; i < requests; i++) {
		uint64_t object = trace_next(t);

		cache_hits += cache_ask(c, object);
		lru_hits += lru_ask(l, object);
	}
	printf("%-28s %6zu KiB  %6.2f %%  %6.2f %%\n", t->name, limit / 1024,
	       100.0 * (double)cache_hits / requests, 100.0 * (double)lru_hits / requests);
	while (!list_empty(&l->used))
		lru_drop_oldest(l);
	free(l);
	free(t->sums);
	cache_destroy(&c);
}

int
main(int argc, char **argv)
{
	static struct trace traces[] = {
	    {.name = "zipf 0.8", .exponent = 0.8},
	    {.name = "zipf 1.0", .exponent = 1.0},
	    {.name = "zipf 0.8, scans", .exponent = 0.8, .scan_every = 20000, .scan_length = 10000},
	    {.name = "zipf 1.0, scans", .exponent = 1.0, .scan_every = 20000, .scan_length = 10000},
	    {.name = "zipf 1.0, shifting", .exponent = 1.0, .shift_every = 200000},
	    {.name = "zipf 1.0, shifting, scans",
	     .exponent = 1.0,
	     .shift_every = 200000,
	     .scan_every = 20000,
	     .scan_length = 10000},
	};
	static const size_t limits[] = {3 << 20, 8 << 20, 24 << 20};
	int requests = argc > 1 ? (int)strtol(argv[1], NULL, 10) : REQUESTS;

	printf("%-28s %10s  %8s  %8s\n", "trace", "memory", "drover", "LRU");
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++)
			run(&traces[i], limits[k], requests);
	return 0;
}
