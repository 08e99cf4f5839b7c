/*
 * How much one key may ask for: requests a minute, tokens a minute, requests at once.
 *
 * A request is let in by limit_enter, which takes from all three or from none, and leaves by
 * limit_leave. What it will cost in tokens is not known before: so much as is usual for its key is
 * held meanwhile, and limit_charge puts the real count in its place. What an answer took beyond
 * what was held is owed, and the next one waits for it.
 */
#ifndef CORE_LIMIT_H
#define CORE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* 0: no bound. */
struct limit_conf {
	int64_t requests_per_minute; /* this and those below at most LIMIT_MOST */
	int64_t burst;               /* requests that may come at once; 0 is 1 */
	int64_t tokens_per_minute;   /* a minute's worth may be taken at once */
	int64_t concurrent;
};

enum { LIMIT_MOST = 1000000000 };

enum limit_answer { LIMIT_FREE, LIMIT_REQUESTS, LIMIT_TOKENS, LIMIT_CONCURRENT };

/* A request that was let in; zeroed: one that was not. */
struct limit_stay {
	bool inside;
	int64_t tokens; /* that are taken for it */
	int64_t prompt; /* tokens that it was reckoned to bring */
	int64_t output; /* of its answer; -1: not known */
	int64_t since_ms;
};

/* Of one of the two rates, as clients are told. */
struct limit_figures {
	int64_t limit; /* a minute; 0: no bound, and the rest says nothing */
	int64_t left;
	int64_t reset_ms; /* until all of it is there again */
};

struct limit;

struct limit *limit_create(const struct limit_conf *conf, int64_t now_ms);
/* Nobody may be inside. */
void limit_destroy(struct limit **l);
/* Other bounds from now on; who is inside stays, and what was used is not forgotten. */
void limit_reshape(struct limit *l, const struct limit_conf *conf, int64_t now_ms);
/* `most_output`: tokens that it asks for at most, 0 without a bound. Refused: `retry_after_ms` is
 * when it would be let in if nobody else came; for LIMIT_CONCURRENT by how long requests of this
 * key took lately. */
enum limit_answer limit_enter(struct limit *l, struct limit_stay *s, int64_t prompt_tokens,
                              int64_t most_output, int64_t now_ms, int64_t *retry_after_ms);
/* The real count; may come again while more becomes known. */
void limit_charge(struct limit *l, struct limit_stay *s, int64_t prompt_tokens,
                  int64_t output_tokens, int64_t now_ms);
/* No node ran it: it costs no tokens. */
void limit_charge_nothing(struct limit *l, struct limit_stay *s, int64_t now_ms);
/* Does nothing for who is not inside. */
void limit_leave(struct limit *l, struct limit_stay *s, int64_t now_ms);

const struct limit_conf *limit_conf_of(const struct limit *l);
struct limit_figures limit_requests(struct limit *l, int64_t now_ms);
struct limit_figures limit_tokens(struct limit *l, int64_t now_ms);
int64_t limit_inside(const struct limit *l);
/* Nothing is used up and nobody is inside: a new one would be the same. */
bool limit_is_fresh(struct limit *l, int64_t now_ms);

#endif
