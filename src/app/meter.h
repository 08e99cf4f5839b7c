/*
 * What is counted while the gateway works, for the metrics (metric_table.h has the names).
 *
 * Labels are bounded: a model that no node has counts as "other", and so does a further one when
 * very many were seen; keys are the configured ones, and "anonymous" for addresses.
 *
 * Owner: the gateway. What a request counts is found by two look-ups when it ends, what a token
 * counts by one when its answer begins.
 */
#ifndef APP_METER_H
#define APP_METER_H

#include "base/buf.h"
#include "core/backend.h"
#include "core/job.h"
#include "core/sched.h"

#include <stdint.h>

struct board;
struct gateway;
struct meter;
struct request;
struct series;
struct settings;

struct meter *meter_create(struct gateway *g);
void meter_destroy(struct meter **m);
/* All metrics, as Prometheus reads them. */
void meter_add_text(const struct meter *m, struct buf *out);

/* A request ended. `r` still has all that it had. */
void meter_saw_end(struct meter *m, const struct request *r, enum job_end end);
/* One was refused before it was a request. */
void meter_saw_refusal(struct meter *m, int status);
/* Why it was refused, in the word that is counted. */
const char *meter_refusal_reason(const struct meter *m, const struct request *r);
void meter_saw_wait(struct meter *m, enum job_class class, int64_t waited_ms);
void meter_saw_fault(struct meter *m, const struct backend *b, enum backend_fault fault);
/* The node answered that it cannot load or unload. */
void meter_saw_order_failure(struct meter *m, const struct order *o);
/* `why`: one of a few words. */
void meter_saw_retry(struct meter *m, const char *why);
void meter_saw_load(struct meter *m, const struct backend *b, const char *model, int64_t took_ms);

/* The backend is not configured any more, and nothing is counted of it from here on. */
void meter_forget_backend(struct meter *m, const char *name);

/* What other keys than these have used is not shown any more. */
void meter_keep_keys(struct meter *m, const struct settings *s);

/* The pace of one streamed answer. Zeroed: nothing is measured. */
struct meter_pace {
	struct series *first; /* NULL: the first piece has come */
	struct series *gaps;  /* NULL: nothing is measured */
	struct board *board;  /* is told of the first one */
	int64_t began_ms;     /* of the request */
	int64_t last_us;      /* when the last piece came, on the loop's clock */
};

void meter_begin_pace(struct meter_pace *p, const struct request *r);
/* A piece came. */
void meter_saw_piece(struct meter_pace *p, int64_t loop_us);

#endif
