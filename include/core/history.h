/*
 * The last hour in points of equal length: what a page that was just opened can show. Memory is
 * that of its points, whatever happened in them.
 *
 * Points are numbered from 0 on; the last `count` of those that are over are kept. Of the one that
 * is under way only what was told so far is known, and it is not shown.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct history;

struct history_point {
	int64_t tokens; /* of answers, as they came */
	/* Time to the first token of the streams that began: within 1 in 16 of the true one; -1: none
	 * began. */
	int64_t first_p50_ms;
	int64_t first_p95_ms;
	int32_t waiting; /* the most that waited */
	int32_t running; /* the most that ran */
	int32_t asked;   /* requests that a kept answer could have been for */
	int32_t hits;    /* of them: answered without a model's work of their own */
	int32_t ended;   /* requests */
	int32_t failed;  /* of them: by a node, or for want of one */
};

struct history *history_create(int64_t now_ms, int64_t step_ms, size_t count);
void history_destroy(struct history **h);

/* Ends the points whose time is over. What is told before belongs to the oldest of them. */
void history_advance(struct history *h, int64_t now_ms);
/* Below 0 takes back what was told: a point has no less than 0, and what remains is the next one's.
 */
void history_saw_tokens(struct history *h, int64_t tokens);
void history_saw_first_token(struct history *h, int64_t ms);
void history_saw_load(struct history *h, int waiting, int running);
void history_saw_cache(struct history *h, int asked, int hits);
void history_saw_end(struct history *h, int failed);

int64_t history_step_ms(const struct history *h);
/* The number of the point that is under way: so many are over. */
uint64_t history_now(const struct history *h);
/* The number of the oldest that is kept. */
uint64_t history_first(const struct history *h);
/* `number` is at least history_first, and below history_now. */
const struct history_point *history_point(const struct history *h, uint64_t number);

#endif
