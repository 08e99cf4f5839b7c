#include "../check.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/cache.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static const struct cache_limits roomy = {
    .entries = 1000, .bytes = 10 << 20, .entry_bytes = 1 << 20, .ttl_ms = 1000, .stale_ms = 5000};

static struct sha256
key_of(unsigned n)
{
	struct sha256 key;

	memset(&key, 0, sizeof(key));
	for (size_t i = 0; i < SHA256_BYTES; i += 4) {
		unsigned word = (n + (unsigned)i) * 2654435761u ^ n;

		memcpy(key.bytes + i, &word, 4);
	}
	return key;
}

static bool
put(struct cache *c, unsigned n, const char *model, const char *body, int64_t made_ms)
{
	struct cache_item item = {key_of(n), model, n, str_of(body), made_ms};

	return cache_put(c, &item);
}

static enum cache_found
find(struct cache *c, unsigned n, int64_t now_ms)
{
	struct sha256 key = key_of(n);
	struct cache_entry *e;
	enum cache_found found = cache_find(c, &key, now_ms, &e);

	cache_release(c, &e);
	return found;
}

static void
finds_what_was_put_and_nothing_else(void **state)
{
	struct cache *c = cache_create(&roomy, NULL, NULL);
	struct sha256 key = key_of(1);
	struct cache_entry *e;

	assert_int_equal(cache_find(c, &key, 0, &e), CACHE_ABSENT);
	assert_null(e);
	assert_true(put(c, 1, "m", "one", 5));
	assert_true(put(c, 2, "m", "", 5));
	assert_int_equal(cache_find(c, &key, 105, &e), CACHE_FRESH);
	assert_true(str_eq(cache_entry_body(e), "one"));
	assert_int_equal(cache_entry_tag(e), 1);
	assert_int_equal(cache_entry_age_ms(e, 105), 100);
	assert_int_equal(cache_entry_age_ms(e, 0), 0);
	cache_release(c, &e);
	assert_int_equal(find(c, 2, 5), CACHE_FRESH);
	assert_int_equal(find(c, 3, 5), CACHE_ABSENT);
	cache_destroy(&c);
}

static void
grows_stale_then_is_gone(void **state)
{
	struct cache *c = cache_create(&roomy, NULL, NULL);

	put(c, 1, "m", "one", 0);
	assert_int_equal(find(c, 1, 1000), CACHE_FRESH);
	assert_int_equal(find(c, 1, 1001), CACHE_STALE);
	assert_int_equal(find(c, 1, 6000), CACHE_STALE);
	assert_int_equal(find(c, 1, 6001), CACHE_ABSENT);
	assert_int_equal(cache_stats(c).expired, 1);
	assert_int_equal(cache_stats(c).entries, 0);
	cache_destroy(&c);
}

static void
a_limit_for_ever_does_not_overflow(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;

	limits.ttl_ms = limits.stale_ms = INT64_MAX;
	c = cache_create(&limits, NULL, NULL);
	put(c, 1, "m", "one", 0);
	assert_int_equal(find(c, 1, INT64_MAX), CACHE_FRESH);
	cache_destroy(&c);
}

static void
the_newer_one_counts(void **state)
{
	struct cache *c = cache_create(&roomy, NULL, NULL);
	struct sha256 key = key_of(1);
	struct cache_entry *old, *e;

	put(c, 1, "m", "old", 0);
	assert_int_equal(cache_find(c, &key, 0, &old), CACHE_FRESH);
	put(c, 1, "n", "new", 900);
	assert_int_equal(cache_find(c, &key, 1500, &e), CACHE_FRESH);
	assert_true(str_eq(cache_entry_body(e), "new"));
	assert_true(str_eq(cache_entry_body(old), "old"));
	assert_int_equal(cache_stats(c).entries, 1);
	cache_release(c, &old);
	cache_release(c, &e);
	assert_int_equal(cache_forget_model(c, "m"), 0);
	assert_int_equal(cache_forget_model(c, "n"), 1);
	cache_destroy(&c);
}

static void
a_pin_holds_the_body_and_its_bytes_count(void **state)
{
	struct cache *c = cache_create(&roomy, NULL, NULL);
	size_t empty = cache_stats(c).bytes, with;
	struct sha256 key = key_of(1);
	struct cache_entry *a, *b;

	put(c, 1, "m", "one", 0);
	cache_find(c, &key, 0, &a);
	cache_find(c, &key, 0, &b);
	with = cache_stats(c).bytes;
	assert_int_equal(cache_forget_all(c), 1);
	assert_int_equal(find(c, 1, 0), CACHE_ABSENT);
	assert_true(cache_stats(c).bytes > empty + 3 && cache_stats(c).bytes <= with);
	cache_release(c, &a);
	assert_true(str_eq(cache_entry_body(b), "one"));
	cache_release(c, &b);
	assert_null(b);
	assert_int_equal(cache_stats(c).bytes, empty);
	cache_destroy(&c);
}

static void
a_body_over_its_limit_is_refused(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;

	limits.entry_bytes = 3;
	c = cache_create(&limits, NULL, NULL);
	assert_true(put(c, 1, "m", "123", 0));
	assert_false(put(c, 1, "m", "1234", 0));
	assert_int_equal(find(c, 1, 0), CACHE_FRESH);
	assert_int_equal(cache_stats(c).refused, 1);
	limits.entries = 0;
	cache_set_limits(c, &limits);
	assert_false(put(c, 1, "m", "1", 0));
	assert_int_equal(cache_stats(c).entries, 0);
	cache_destroy(&c);
}

static void
models_are_forgotten_one_by_one(void **state)
{
	struct cache *c = cache_create(&roomy, NULL, NULL);

	for (unsigned i = 0; i < 30; i++)
		put(c, i, i % 3 == 0 ? "a" : "b", "x", 0);
	assert_int_equal(cache_forget_model(c, "a"), 10);
	assert_int_equal(cache_forget_model(c, "a"), 0);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(find(c, i, 0), i % 3 == 0 ? CACHE_ABSENT : CACHE_FRESH);
	assert_int_equal(cache_stats(c).forgotten, 10);
	cache_destroy(&c);
}

static void
what_is_used_outlives_a_scan(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;
	int kept = 0;

	limits.entries = 100;
	c = cache_create(&limits, NULL, NULL);
	for (unsigned i = 0; i < 50; i++)
		put(c, i, "m", "used", 0);
	for (unsigned i = 0; i < 50; i++)
		find(c, i, 0);
	for (unsigned i = 0; i < 10000; i++)
		put(c, 1000 + i, "m", "asked for once", 0);
	for (unsigned i = 0; i < 50; i++)
		kept += find(c, i, 0) == CACHE_FRESH;
	assert_int_equal(kept, 50);
	assert_int_equal(cache_stats(c).entries, 100);
	cache_destroy(&c);
}

static void
what_comes_back_soon_after_it_fell_out_stays(void **state)
{
	struct cache_limits limits = roomy;
	struct cache *c;

	limits.entries = 100;
	c = cache_create(&limits, NULL, NULL);
	put(c, 1, "m", "first", 0);
	for (unsigned i = 1000; i < 1100; i++)
		put(c, i, "m", "x", 0);
	assert_int_equal(find(c, 1, 0), CACHE_ABSENT);
	put(c, 1, "m", "again", 0);
	for (unsigned i = 2000; i < 2150; i++)
		put(c, i, "m", "x", 0);
	assert_int_equal(find(c, 1, 0), CACHE_FRESH);
	cache_destroy(&c);
}

/* The allocator is asked what the cache really takes. */
static void
the_bytes_are_those_of_the_allocator(void **state)
{
	static const size_t sizes[] = {0, 1, 100, 4096, 60000, 200000};
	struct cache_limits limits = roomy;
	static const char body[200000] = {0};
	struct cache *c;

	/* Under a sanitizer or valgrind it is another one, and tells nothing. */
	if (mallinfo2().uordblks == 0)
		return;
	limits.entries = 50000;
	limits.bytes = 64 << 20;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct mallinfo2 before = mallinfo2(), after;
		size_t took;

		c = cache_create(&limits, NULL, NULL);
		for (unsigned i = 0; i < 60000; i++) {
			struct cache_item item = {key_of(i), "m", 0, {body, sizes[k]}, 0};

			assert_true(cache_put(c, &item));
		}
		after = mallinfo2();
		took = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
		assert_true(cache_stats(c).bytes <= limits.bytes);
		assert_true(took <= limits.bytes / 10 * 11);
		assert_in_range(cache_stats(c).bytes, took / 100 * 95, took / 100 * 105);
		cache_destroy(&c);
	}
}

/* --- any order of calls, beside what a naive cache without a bound would say --- */

enum { KEYS = 200, MODELS = 3, PINS = 8 };

struct naive {
	struct {
		bool there;
		unsigned version;
		int64_t made_ms;
		int model;
	} items[KEYS];
	int dropped[KEYS]; /* how often the cache said so, since it was put */
};

static void
on_drop(const struct sha256 *key, void *arg)
{
	struct naive *n = arg;

	for (unsigned i = 0; i < KEYS; i++) {
		struct sha256 k = key_of(i);

		if (memcmp(&k, key, sizeof(k)) == 0)
			n->dropped[i]++;
	}
}

static unsigned
draw(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*seed >> 33) % below);
}

static const char *const model_names[MODELS] = {"a", "b", "c"};

static void
put_any(struct cache *c, struct naive *n, uint64_t *seed, int64_t now_ms)
{
	static char body[3000];
	unsigned k = draw(seed, KEYS), version = draw(seed, 250) + 1;
	int model = (int)draw(seed, MODELS);
	size_t len = 1 + draw(seed, sizeof(body));
	struct cache_item item = {key_of(k), model_names[model], version, {body, len}, now_ms};

	memset(body, (int)version, len);
	if (!cache_put(c, &item))
		return;
	n->items[k].there = n->dropped[k] <= (n->items[k].there ? 1 : 0);
	n->items[k].version = version;
	n->items[k].made_ms = now_ms;
	n->items[k].model = model;
	n->dropped[k] = 0;
}

static struct cache_entry *
find_any(struct cache *c, struct naive *n, uint64_t *seed, int64_t now_ms,
         const struct cache_limits *limits)
{
	unsigned k = draw(seed, KEYS);
	struct sha256 key = key_of(k);
	struct cache_entry *e;
	enum cache_found found = cache_find(c, &key, now_ms, &e);
	int64_t age_ms = now_ms - n->items[k].made_ms;

	if (!n->items[k].there || n->dropped[k] > 0 || age_ms > limits->ttl_ms + limits->stale_ms) {
		assert_int_equal(found, CACHE_ABSENT);
		n->items[k].there = false;
		n->dropped[k] = 0;
		return NULL;
	}
	assert_int_equal(found, age_ms > limits->ttl_ms ? CACHE_STALE : CACHE_FRESH);
	assert_int_equal(cache_entry_tag(e), n->items[k].version);
	return e;
}

static void
check_pinned(const struct cache_entry *e)
{
	struct str body = cache_entry_body(e);

	for (size_t i = 0; i < body.len; i++)
		assert_int_equal((unsigned char)body.ptr[i], cache_entry_tag(e));
}

static void
forget_any(struct cache *c, struct naive *n, uint64_t *seed)
{
	int model = (int)draw(seed, MODELS);
	size_t there = 0;

	for (unsigned k = 0; k < KEYS; k++)
		if (n->items[k].there && n->dropped[k] == 0 && n->items[k].model == model)
			there++;
	assert_int_equal(cache_forget_model(c, model_names[model]), there);
}

static void
any_order_of_calls_keeps_the_promises(void **state)
{
	for (uint64_t run = 1; run <= 10; run++) {
		struct cache_limits limits = {
		    .entries = 50, .bytes = 200000, .entry_bytes = 2500, .ttl_ms = 500, .stale_ms = 300};
		struct naive *n = NEW(struct naive);
		struct cache *c = cache_create(&limits, on_drop, n);
		struct cache_entry *pins[PINS] = {0};
		uint64_t seed = run;
		int64_t now_ms = 0;

		for (int step = 0; step < 5000; step++) {
			unsigned what = draw(&seed, 100), pin = draw(&seed, PINS);

			now_ms += draw(&seed, 8);
			if (what < 45) {
				put_any(c, n, &seed, now_ms);
			} else if (what < 97) {
				if (pins[pin] != NULL)
					check_pinned(pins[pin]);
				cache_release(c, &pins[pin]);
				pins[pin] = find_any(c, n, &seed, now_ms, &limits);
			} else if (what < 98) {
				forget_any(c, n, &seed);
			} else {
				limits.bytes = 50000 + draw(&seed, 200000);
				limits.entries = 10 + draw(&seed, 100);
				cache_set_limits(c, &limits);
			}
			assert_true(cache_stats(c).entries <= limits.entries);
			assert_true(cache_stats(c).bytes <= limits.bytes || cache_stats(c).entries == 0);
		}
		for (int i = 0; i < PINS; i++)
			cache_release(c, &pins[i]);
		cache_destroy(&c);
		free(n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_was_put_and_nothing_else),
	    cmocka_unit_test(grows_stale_then_is_gone),
	    cmocka_unit_test(a_limit_for_ever_does_not_overflow),
	    cmocka_unit_test(the_newer_one_counts),
	    cmocka_unit_test(a_pin_holds_the_body_and_its_bytes_count),
	    cmocka_unit_test(a_body_over_its_limit_is_refused),
	    cmocka_unit_test(models_are_forgotten_one_by_one),
	    cmocka_unit_test(what_is_used_outlives_a_scan),
	    cmocka_unit_test(what_comes_back_soon_after_it_fell_out_stays),
	    cmocka_unit_test(the_bytes_are_those_of_the_allocator),
	    cmocka_unit_test(any_order_of_calls_keeps_the_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
