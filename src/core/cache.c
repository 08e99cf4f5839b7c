/*
 * The store: a chained hash table of entries, each also in one of two queues and in
 * the list of its model.
 *
 * Invariants: an entry that is in the table has a queue and a model; one that is
 * not (`dead`) lives only as long as somebody has it pinned, and still counts in
 * `bytes`. `bytes` is what all of it takes from the allocator. After every call it
 * is at most the limit, unless pinned dead entries alone exceed it.
 */
#include "core/cache.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "ghost.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL_PERCENT = 10, /* of the bytes, for what is new */
	USES_MAX = 3,
	USES_TO_STAY = 1, /* in the short queue, to get into the long one */
	BUCKETS_FIRST = 64,
	GHOST_PER_BYTES = 1024, /* a key of at most 32 bytes of table for so many */
	WORD_BYTES = sizeof(size_t),
	CHUNK_BYTES = 2 * WORD_BYTES,
	MAPPED_BYTES = 128 * 1024, /* from here on glibc maps whole pages (M_MMAP_THRESHOLD) */
	PAGE_BYTES = 4096,
};

struct cache_model {
	struct list entries; /* of struct cache_entry, by model_link */
	char *name;          /* owned */
};

enum cache_queue { QUEUE_SMALL, QUEUE_MAIN, QUEUES };

struct cache_entry {
	struct sha256 key;
	struct cache_entry *next; /* in its bucket */
	struct list queue_link;   /* in cache.queues */
	struct list model_link;   /* in model->entries */
	struct cache_model *model;
	int64_t made_ms;
	size_t len;
	size_t cost;
	unsigned tag;
	unsigned pins;
	uint8_t queue; /* an enum cache_queue */
	uint8_t uses;  /* since it came into its queue, at most USES_MAX */
	bool dead;
	char body[];
};

struct cache {
	struct cache_limits limits;
	cache_on_drop on_drop; /* may be NULL */
	void *arg;
	struct cache_entry **buckets; /* owned, with the entries in them */
	size_t bucket_count;
	struct list queues[QUEUES]; /* of struct cache_entry, the newest first, by queue_link */
	size_t queue_bytes[QUEUES];
	struct map models; /* of struct cache_model, owned */
	struct ghost ghost;
	struct cache_stats stats;
};

/* --- what it takes --- */

/* As glibc does it: its header is a word, and chunks are multiples of two. */
static size_t
allocated(size_t bytes)
{
	if (bytes >= MAPPED_BYTES)
		return (bytes + CHUNK_BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	return (bytes + WORD_BYTES + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_BYTES;
}

static size_t
model_cost(const char *name)
{
	/* The map has a node and a copy of the name. */
	return allocated(sizeof(struct cache_model)) + 2 * allocated(strlen(name) + 1) + allocated(96);
}

/* --- the table --- */

static struct cache_entry **
bucket_of(const struct cache *c, const struct sha256 *key)
{
	uint64_t at;

	memcpy(&at, key->bytes, sizeof(at));
	return &c->buckets[at & (c->bucket_count - 1)];
}

/* Where the pointer to it is, or NULL. */
static struct cache_entry **
find(const struct cache *c, const struct sha256 *key)
{
	struct cache_entry **at = bucket_of(c, key);

	for (; *at != NULL; at = &(*at)->next)
		if (memcmp(&(*at)->key, key, sizeof(*key)) == 0)
			return at;
	return NULL;
}

static void
grow_table(struct cache *c)
{
	size_t was = c->bucket_count;
	struct cache_entry **old = c->buckets, *e;

	c->bucket_count = was == 0 ? BUCKETS_FIRST : 2 * was;
	c->buckets = mem_zalloc(c->bucket_count, sizeof(*c->buckets));
	c->stats.bytes += (c->bucket_count - was) * sizeof(*c->buckets);
	for (size_t i = 0; i < was; i++)
		while ((e = old[i]) != NULL) {
			struct cache_entry **at = bucket_of(c, &e->key);

			old[i] = e->next;
			e->next = *at;
			*at = e;
		}
	free(old);
}

/* --- entries that come and go --- */

static void
enqueue(struct cache *c, struct cache_entry *e, enum cache_queue queue)
{
	e->queue = (uint8_t)queue;
	c->queue_bytes[queue] += e->cost;
	list_add_first(&c->queues[queue], &e->queue_link);
}

static void
dequeue(struct cache *c, struct cache_entry *e)
{
	c->queue_bytes[e->queue] -= e->cost;
	list_remove(&e->queue_link);
}

static struct cache_model *
model_of(struct cache *c, const char *name)
{
	struct cache_model *m = map_find(&c->models, name);

	if (m != NULL)
		return m;
	m = NEW(struct cache_model);
	list_init(&m->entries);
	m->name = mem_strdup(name);
	map_put(&c->models, name, m);
	c->stats.bytes += model_cost(name);
	return m;
}

static void
leave_model(struct cache *c, struct cache_entry *e)
{
	struct cache_model *m = e->model;

	list_remove(&e->model_link);
	e->model = NULL;
	if (!list_empty(&m->entries))
		return;
	c->stats.bytes -= model_cost(m->name);
	map_take(&c->models, m->name);
	free(m->name);
	free(m);
}

static void
entry_free(struct cache *c, struct cache_entry *e)
{
	c->stats.bytes -= e->cost;
	free(e);
}

/* Takes it out of everything; it is freed now or by its last reader. */
static void
drop(struct cache *c, struct cache_entry **at)
{
	struct cache_entry *e = *at;

	*at = e->next;
	dequeue(c, e);
	leave_model(c, e);
	c->stats.entries--;
	e->dead = true;
	if (c->on_drop != NULL)
		c->on_drop(&e->key, c->arg);
	if (e->pins == 0)
		entry_free(c, e);
}

static void
drop_entry(struct cache *c, struct cache_entry *e)
{
	drop(c, find(c, &e->key));
}

/* --- eviction --- */

static struct cache_entry *
oldest(const struct cache *c, enum cache_queue queue)
{
	const struct list *head = &c->queues[queue];

	return list_empty(head) ? NULL : LIST_ENTRY(head->prev, struct cache_entry, queue_link);
}

static void
requeue(struct cache *c, struct cache_entry *e, enum cache_queue queue, uint8_t uses)
{
	dequeue(c, e);
	e->uses = uses;
	enqueue(c, e, queue);
}

static void
evict_from_small(struct cache *c)
{
	struct cache_entry *e = oldest(c, QUEUE_SMALL);

	if (e->uses >= USES_TO_STAY) {
		requeue(c, e, QUEUE_MAIN, 0);
		return;
	}
	ghost_add(&c->ghost, &e->key);
	drop_entry(c, e);
	c->stats.evicted++;
}

/* Each turn takes a use from one, so it comes to an end. */
static void
evict_from_main(struct cache *c)
{
	struct cache_entry *e = oldest(c, QUEUE_MAIN);

	if (e->uses > 0) {
		requeue(c, e, QUEUE_MAIN, (uint8_t)(e->uses - 1));
		return;
	}
	drop_entry(c, e);
	c->stats.evicted++;
}

static bool
is_over(const struct cache *c)
{
	return c->stats.entries > c->limits.entries || c->stats.bytes > c->limits.bytes;
}

static void
make_fit(struct cache *c)
{
	while (is_over(c) && c->stats.entries > 0) {
		size_t all = c->queue_bytes[QUEUE_SMALL] + c->queue_bytes[QUEUE_MAIN];
		bool small_is_full = c->queue_bytes[QUEUE_SMALL] > all / 100 * SMALL_PERCENT;

		if (list_empty(&c->queues[QUEUE_MAIN]) ||
		    (small_is_full && !list_empty(&c->queues[QUEUE_SMALL])))
			evict_from_small(c);
		else
			evict_from_main(c);
	}
}

/* --- the interface --- */

/* The ghost remembers about as many as there may be, and takes under two hundredths of the bytes.
 */
static void
make_ghost(struct cache *c)
{
	size_t by_bytes = c->limits.bytes / GHOST_PER_BYTES;

	c->stats.bytes -= ghost_bytes(&c->ghost);
	ghost_finish(&c->ghost);
	ghost_init(&c->ghost, c->limits.entries < by_bytes ? c->limits.entries : by_bytes);
	c->stats.bytes += ghost_bytes(&c->ghost);
}

struct cache *
cache_create(const struct cache_limits *limits, cache_on_drop on_drop, void *arg)
{
	struct cache *c = NEW(struct cache);

	c->limits = *limits;
	c->on_drop = on_drop;
	c->arg = arg;
	for (int i = 0; i < QUEUES; i++)
		list_init(&c->queues[i]);
	c->stats.bytes = sizeof(*c);
	make_ghost(c);
	grow_table(c);
	return c;
}

void
cache_destroy(struct cache **cp)
{
	struct cache *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	c->on_drop = NULL;
	cache_forget_all(c);
	map_finish(&c->models);
	ghost_finish(&c->ghost);
	free(c->buckets);
	free(c);
}

void
cache_set_limits(struct cache *c, const struct cache_limits *limits)
{
	bool resized = c->limits.entries != limits->entries || c->limits.bytes != limits->bytes;

	c->limits = *limits;
	if (resized)
		make_ghost(c);
	make_fit(c);
}

bool
cache_has(const struct cache *c, const struct sha256 *key)
{
	return find(c, key) != NULL;
}

enum cache_found
cache_find(struct cache *c, const struct sha256 *key, int64_t now_ms, struct cache_entry **out)
{
	struct cache_entry **at = find(c, key);
	int64_t age_ms;

	*out = NULL;
	if (at == NULL)
		return CACHE_ABSENT;
	age_ms = cache_entry_age_ms(*at, now_ms);
	if (age_ms > c->limits.ttl_ms && age_ms - c->limits.ttl_ms > c->limits.stale_ms) {
		drop(c, at);
		c->stats.expired++;
		return CACHE_ABSENT;
	}
	*out = *at;
	(*out)->pins++;
	if (age_ms > c->limits.ttl_ms)
		return CACHE_STALE;
	if ((*out)->uses < USES_MAX)
		(*out)->uses++;
	return CACHE_FRESH;
}

static struct cache_entry *
entry_create(struct cache *c, const struct cache_item *item)
{
	struct cache_entry *e = mem_alloc(sizeof(*e) + item->body.len);

	*e = (struct cache_entry){
	    .key = item->key,
	    .made_ms = item->made_ms,
	    .len = item->body.len,
	    .cost = allocated(sizeof(*e) + item->body.len),
	    .tag = item->tag,
	};
	memcpy(e->body, item->body.ptr, item->body.len);
	c->stats.bytes += e->cost;
	return e;
}

bool
cache_put(struct cache *c, const struct cache_item *item)
{
	struct cache_entry **at = find(c, &item->key), *e;
	bool known = at != NULL;

	if (item->body.len > c->limits.entry_bytes || c->limits.entries == 0) {
		c->stats.refused++;
		return false;
	}
	e = entry_create(c, item);
	if (known) {
		e->uses = (*at)->uses;
		drop(c, at);
	}
	if (c->stats.entries >= c->bucket_count)
		grow_table(c);
	e->model = model_of(c, item->model);
	list_add_last(&e->model->entries, &e->model_link);
	enqueue(c, e, ghost_take(&c->ghost, &e->key) ? QUEUE_MAIN : QUEUE_SMALL);
	at = bucket_of(c, &e->key);
	e->next = *at;
	*at = e;
	c->stats.entries++;
	c->stats.added++;
	make_fit(c);
	return true;
}

void
cache_release(struct cache *c, struct cache_entry **ep)
{
	struct cache_entry *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	if (--e->pins == 0 && e->dead)
		entry_free(c, e);
}

struct str
cache_entry_body(const struct cache_entry *e)
{
	return (struct str){e->body, e->len};
}

unsigned
cache_entry_tag(const struct cache_entry *e)
{
	return e->tag;
}

int64_t
cache_entry_age_ms(const struct cache_entry *e, int64_t now_ms)
{
	return now_ms > e->made_ms ? now_ms - e->made_ms : 0;
}

/* The last one takes the model with it. */
size_t
cache_forget_model(struct cache *c, const char *model)
{
	struct cache_model *m = map_find(&c->models, model);
	size_t count = 0;
	bool last = m == NULL;

	while (!last) {
		struct cache_entry *e = LIST_FIRST(&m->entries, struct cache_entry, model_link);

		last = e->model_link.next == &m->entries;
		drop_entry(c, e);
		count++;
	}
	c->stats.forgotten += count;
	return count;
}

size_t
cache_forget_all(struct cache *c)
{
	size_t count = 0;

	for (int i = 0; i < QUEUES; i++) {
		struct cache_entry *e;

		while ((e = oldest(c, (enum cache_queue)i)) != NULL) {
			drop_entry(c, e);
			count++;
		}
	}
	c->stats.forgotten += count;
	return count;
}

struct cache_stats
cache_stats(const struct cache *c)
{
	return c->stats;
}
