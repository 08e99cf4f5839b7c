/*
 * The limits of keys over an hour of simulated time: ten keys of random limits, each with clients
 * that ask by chance or for all they can get, answers of random length, some much longer than was
 * held for them.
 *
 *   test_limit_sim [WORLDS [FIRST_SEED]]
 *
 * Held to, at every request: in no span of time that ends with it was more let in than the limit
 * and the burst allow, nor more at once; who was told when to come back is let in then, and nobody
 * is told so while there is room; and a key that asks for more than it may gets all that it may, to
 * the last one.
 */
#include "core/limit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)

enum { WORLDS = 20, KEYS = 10, MOST_RUNNING = 512, PARTS = 60000 };

/* Which limits a key has; it asks for all it can get, but by chance at LIMITED_BOTH. */
enum kind { LIMITED_REQUESTS, LIMITED_TOKENS, LIMITED_BOTH, LIMITED_ALL, KINDS };

/* Taken less refilled, in 60,000ths, and the least that it ever was: the difference is what the
 * worst span that ends now had beyond its refill. */
struct span {
	int64_t rate;
	int64_t taken;
	int64_t least;
	int64_t at_ms;
};

struct running {
	struct limit_stay stay;
	int64_t ends_ms;
	int64_t prompt;
	int64_t output;
};

struct key {
	uint64_t seed;
	uint64_t random;
	enum kind kind;
	struct limit_conf conf;
	struct limit *limit;
	struct running running[MOST_RUNNING];
	int running_count;
	int64_t next_ms;
	int64_t prompt; /* of the request that comes next */
	enum limit_answer told;
	bool may_fail; /* an answer came between: it can move what is held for the next one */
	struct span requests;
	struct span tokens;
	int64_t let_in;
	int64_t refused;
};

static uint64_t
random_next(struct key *k)
{
	uint64_t z = k->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int64_t
between(struct key *k, int64_t least, int64_t most)
{
	return least + (int64_t)(random_next(k) % (uint64_t)(most - least + 1));
}

static void
fail(const struct key *k, int64_t now_ms, const char *what)
{
	fprintf(stderr, "seed %" PRIu64 ", at %" PRId64 " ms: %s\n", k->seed, now_ms, what);
	exit(1);
}

static void
span_take(struct span *s, int64_t n, int64_t now_ms)
{
	s->taken -= (now_ms - s->at_ms) * s->rate;
	s->at_ms = now_ms;
	s->least = s->taken < s->least ? s->taken : s->least;
	s->taken += n * PARTS;
	s->least = s->taken < s->least ? s->taken : s->least;
}

static void
check_span(const struct key *k, const struct span *s, int64_t most, const char *what)
{
	/* The clock's last millisecond may have brought its refill already. */
	if (s->rate > 0 && s->taken - s->least >= most * PARTS + s->rate)
		fail(k, s->at_ms, what);
}

static void
plan_next(struct key *k, int64_t now_ms)
{
	/* A key that asks by chance does so in fits. */
	bool pauses = k->kind == LIMITED_BOTH && between(k, 0, 3) == 0;
	int64_t pause_ms = pauses ? between(k, 1, 20000) : 0;

	k->next_ms = now_ms + pause_ms;
	k->prompt = between(k, 0, 200);
}

static void
end_one(struct key *k, int i)
{
	struct running *r = &k->running[i];
	int64_t cost = r->prompt + r->output;

	k->may_fail |= k->kind != LIMITED_TOKENS;
	span_take(&k->tokens, cost - r->stay.tokens, r->ends_ms);
	/* As a stream does that is counted while it comes. */
	limit_charge(k->limit, &r->stay, r->prompt, r->output / 2, r->ends_ms);
	limit_charge(k->limit, &r->stay, r->prompt, r->output, r->ends_ms);
	limit_leave(k->limit, &r->stay, r->ends_ms);
	k->running[i] = k->running[--k->running_count];
}

static void
let_in(struct key *k, const struct limit_stay *stay, int64_t now_ms)
{
	struct running *r = &k->running[k->running_count++];
	bool is_long = between(k, 0, 9) == 0;

	*r = (struct running){.stay = *stay, .prompt = k->prompt};
	/* Where all answers are as long as is thought at first, the tokens are exact too. */
	r->output = k->kind == LIMITED_TOKENS ? 256 : between(k, 0, is_long ? 4000 : 400);
	r->ends_ms = now_ms + between(k, 0, 2000);
	k->let_in++;
	span_take(&k->requests, 1, now_ms);
	span_take(&k->tokens, stay->tokens, now_ms);
	check_span(k, &k->requests, k->conf.burst > 0 ? k->conf.burst : 1, "too many requests");
	check_span(k, &k->tokens, k->conf.tokens_per_minute, "too many tokens");
	if (k->conf.concurrent > 0 && k->running_count > k->conf.concurrent)
		fail(k, now_ms, "too many at once");
	k->told = LIMIT_FREE;
	k->may_fail = false;
	plan_next(k, now_ms);
}

static void
ask(struct key *k)
{
	struct limit_stay stay = {0};
	int64_t now_ms = k->next_ms, retry_ms;
	enum limit_answer answer = limit_enter(k->limit, &stay, k->prompt, 0, now_ms, &retry_ms);

	if (answer == LIMIT_FREE) {
		let_in(k, &stay, now_ms);
		return;
	}
	k->refused++;
	if (retry_ms <= 0)
		fail(k, now_ms, "refused without a time to come back");
	/* Room for one more at once is an estimate; the rates are not. */
	if ((answer == LIMIT_REQUESTS || (answer == LIMIT_TOKENS && !k->may_fail)) &&
	    (k->told == LIMIT_REQUESTS || k->told == LIMIT_TOKENS))
		fail(k, now_ms, "refused again at the time that it was told");
	if (answer == LIMIT_CONCURRENT && k->running_count < k->conf.concurrent)
		fail(k, now_ms, "there was room for one more");
	k->told = answer;
	k->may_fail = false;
	k->next_ms = now_ms + retry_ms;
}

static int
first_to_end(const struct key *k)
{
	int first = -1;

	for (int i = 0; i < k->running_count; i++)
		if (first < 0 || k->running[i].ends_ms < k->running[first].ends_ms)
			first = i;
	return first;
}

/* The next event; false: the hour is over. */
static bool
step(struct key *k)
{
	int first = first_to_end(k);
	bool is_full = k->running_count == MOST_RUNNING;
	int64_t end_ms = first < 0 ? INT64_MAX : k->running[first].ends_ms;

	if (end_ms <= k->next_ms || is_full) {
		if (end_ms > HOUR_MS)
			return false;
		end_one(k, first);
		if (is_full && k->next_ms < end_ms)
			k->next_ms = end_ms;
		return true;
	}
	if (k->next_ms > HOUR_MS)
		return false;
	ask(k);
	return true;
}

static void
open_key(struct key *k, uint64_t seed, int index)
{
	*k = (struct key){.seed = seed, .random = seed * KEYS + (uint64_t)index};
	k->kind = (enum kind)(index % KINDS);
	if (k->kind != LIMITED_TOKENS) {
		k->conf.requests_per_minute = between(k, 1, 1500);
		k->conf.burst = between(k, 0, 100);
	}
	if (k->kind != LIMITED_REQUESTS)
		k->conf.tokens_per_minute = between(k, 1000, 100000);
	if (k->kind == LIMITED_ALL)
		k->conf.concurrent = between(k, 1, 8);
	k->requests.rate = k->conf.requests_per_minute;
	k->tokens.rate = k->conf.tokens_per_minute;
	k->limit = limit_create(&k->conf, 0);
	plan_next(k, 0);
}

static void
close_key(struct key *k)
{
	while (k->running_count > 0)
		end_one(k, 0);
	limit_destroy(&k->limit);
}

/* What it could have had: the burst and the rate, or all tokens but what the next one needs. */
static void
check_got_it_all(struct key *k)
{
	int64_t burst = k->conf.burst > 0 ? k->conf.burst : 1;
	int64_t most = burst + k->conf.requests_per_minute * (HOUR_MS / PARTS);

	if (k->kind == LIMITED_REQUESTS && k->let_in != most)
		fail(k, HOUR_MS, "got less requests than it may");
	span_take(&k->tokens, 0, HOUR_MS);
	if (k->kind == LIMITED_TOKENS &&
	    k->tokens.taken < k->conf.tokens_per_minute * PARTS - 456 * PARTS)
		fail(k, HOUR_MS, "got less tokens than it may");
}

int
main(int argc, char **argv)
{
	static struct key k;
	long worlds = argc > 1 ? strtol(argv[1], NULL, 10) : WORLDS;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	int64_t in = 0, refused = 0;

	for (long w = 0; w < worlds; w++)
		for (int i = 0; i < KEYS; i++) {
			open_key(&k, first + (uint64_t)w, i);
			while (step(&k)) {
			}
			check_got_it_all(&k);
			in += k.let_in;
			refused += k.refused;
			close_key(&k);
		}
	printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRId64 " let in, %" PRId64 " refused\n", first,
	       first + (uint64_t)worlds - 1, in, refused);
	return 0;
}
