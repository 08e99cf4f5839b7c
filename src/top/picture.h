/*
 * What the admin API said at one moment: /admin/v1/status, /admin/v1/requests and a sum of
 * /metrics, as one value that nobody changes afterwards.
 *
 * Owner: whoever made it. All texts in it belong to it; where the API said null, they are "".
 */
#ifndef TOP_PICTURE_H
#define TOP_PICTURE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

struct model_shown {
	const char *name;
	const char *state;
	int64_t slots;
	int64_t busy;
	int64_t num_ctx;     /* 0: the node's own */
	int64_t loading_ms;  /* -1: it does not load, or nobody says for how long */
	int64_t expected_ms; /* that a load takes; -1: nobody knows */
};

struct node_shown {
	const char *name;
	const char *url;
	const char *state;
	const char *breaker;
	const char *version;
	int64_t slots;
	int64_t busy;
	struct model_shown *models; /* owned */
	size_t model_count;
};

/* Numbers are -1 where the API said null. */
struct request_shown {
	size_t index; /* where it stood in the answer */
	const char *id;
	const char *key;
	const char *model;
	const char *state;
	const char *class;
	const char *backend;
	const char *loading_on;
	int64_t position;
	int64_t eta_ms;
	int64_t waited_ms;
	int64_t age_ms;
	int64_t ttft_ms;
	int64_t tokens;
	double rate; /* tokens a second since the first; -1: not known */
};

struct picture {
	struct cJSON *status;   /* owned; NULL: not there yet */
	struct cJSON *requests; /* owned; NULL: not there yet */
	const char *version;
	int64_t uptime_s;
	bool draining;
	int64_t queue_size, waiting, high, normal, low, oldest_ms;
	int64_t running;
	int64_t cache_entries, cache_bytes, hits, misses, joined, stale;
	struct node_shown *nodes; /* owned */
	size_t node_count;
	struct request_shown *rows; /* owned */
	size_t row_count;
	double rate;              /* tokens a second of all that run */
	int64_t answered;         /* since the gateway began; -1: not known */
	double answered_a_second; /* of late; -1: not known */
	int64_t taken_ms;
};

struct picture *picture_create(void);
void picture_destroy(struct picture **p);
/* False: that is not what the admin API answers. */
bool picture_take_status(struct picture *p, const char *json);
bool picture_take_requests(struct picture *p, const char *json);
/* Prometheus' text. */
bool picture_take_metrics(struct picture *p, const char *text);
/* All is there. `before`: the picture before; NULL: none. */
void picture_settle(struct picture *p, const struct picture *before, int64_t now_ms);

#endif
