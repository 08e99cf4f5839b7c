/*
 * Who used what: one row for each hour, key and model. Rows are kept for a number of
 * hours. They are bounded by the names that come in: keys of the configuration, and
 * models that nodes have.
 */
#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#define TALLY_HOUR_MS INT64_C(3600000)

/* Why requests were refused. */
enum tally_refusal {
	TALLY_LIMIT,     /* 429: a limit of the key */
	TALLY_FORBIDDEN, /* 401, 403 */
	TALLY_BUSY,      /* 503: no room, no backend, too late */
	TALLY_INVALID,   /* what is wrong with the request itself */
	TALLY_REFUSALS,
};

struct tally_count {
	int64_t requests;
	int64_t prompt_tokens;
	int64_t output_tokens;
	int64_t slot_ms; /* how long slots were taken */
	int64_t waited_ms;
	int64_t cached; /* of the requests: answered from the cache, or by another's answer */
	int64_t refused[TALLY_REFUSALS]; /* of the requests */
};

struct tally_row {
	int64_t hour;      /* since 1970; of a sum that is not by hour: its earliest */
	const char *key;   /* of a sum that is not by key: "" */
	const char *model; /* likewise */
	struct tally_count count;
};

/* What a sum keeps apart. */
enum tally_by { TALLY_BY_HOUR = 1, TALLY_BY_KEY = 2, TALLY_BY_MODEL = 4 };

typedef void (*tally_fn)(const struct tally_row *row, void *arg);

struct tally;

struct tally *tally_create(int64_t keep_hours);
/* What is older goes, from now on. */
void tally_set_keep(struct tally *t, int64_t keep_hours);
void tally_destroy(struct tally **t);
/* `wall_ms`: since 1970. */
void tally_add(struct tally *t, int64_t wall_ms, const char *key, const char *model,
               const struct tally_count *add);
/* Rows from the hour of `since_wall_ms` on, summed; in the order of hour, key, model. `by`: of enum
 * tally_by. */
void tally_sum(const struct tally *t, int64_t since_wall_ms, unsigned by, tally_fn fn, void *arg);
/* Rows that came of a former run: not changed. Before all others, their hours rising. */
void tally_restore(struct tally *t, const struct tally_row *row);
/* Each row that changed since the last time, whole. */
void tally_take_changed(struct tally *t, tally_fn fn, void *arg);
bool tally_has_changed(const struct tally *t);
/* "limit", "forbidden", "busy", "invalid" */
const char *tally_refusal_name(enum tally_refusal r);

#endif
