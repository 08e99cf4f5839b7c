/*
 * A token bucket in whole numbers: refilled by `rate` a minute up to its capacity. Time comes in
 * milliseconds and a bucket counts in 60,000ths, so that nothing is ever rounded: who is told to
 * come back in so many milliseconds gets what was refused, and in no span of time is more taken
 * than its capacity and what that span refilled (and one millisecond, the clock's own).
 */
#ifndef CORE_BUCKET_H
#define CORE_BUCKET_H

#include <stdint.h>

struct bucket {
	int64_t rate;     /* a minute; 0: without a bound */
	int64_t capacity; /* whole ones; at least 1 */
	int64_t parts;    /* of 60,000 in each; below 0: owed */
	int64_t at_ms;    /* as of when */
};

/* Full at the beginning. Rate and capacity are at most BUCKET_MOST. */
enum { BUCKET_MOST = 1000000000 };
void bucket_init(struct bucket *b, int64_t rate, int64_t capacity, int64_t now_ms);
/* Other bounds from now on. What was taken stays taken, as far as that brings nobody into debt. */
void bucket_reshape(struct bucket *b, int64_t rate, int64_t capacity, int64_t now_ms);
/* How long until `n` can be taken; 0: now. More than it ever holds is to be had when it is full. */
int64_t bucket_wait_ms(struct bucket *b, int64_t n, int64_t now_ms);
/* Takes them, whether they are there or not: what is not there is owed. */
void bucket_take(struct bucket *b, int64_t n, int64_t now_ms);
/* Gives back what was taken too much; never beyond its capacity. */
void bucket_give(struct bucket *b, int64_t n, int64_t now_ms);
/* Whole ones that could be taken. */
int64_t bucket_left(struct bucket *b, int64_t now_ms);
/* How long until it is full again. */
int64_t bucket_reset_ms(struct bucket *b, int64_t now_ms);

#endif
