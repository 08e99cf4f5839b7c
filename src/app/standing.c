/* Where a job stands. */
#include "app/standing.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

static void
add_waiting(const struct sched *s, const struct job *j, int64_t now_ms, struct buf *json)
{
	const struct backend *loads = sched_loading_for(s, j);

	buf_addf(json, ",\"position\":%d,\"eta_ms\":%lld,\"loading_on\":", sched_position(s, j),
	         (long long)sched_eta_ms(s, j, now_ms));
	if (loads == NULL)
		buf_adds(json, "null");
	else
		buf_add_json(json, backend_name(loads), strlen(backend_name(loads)));
	buf_addf(json, ",\"waited_ms\":%lld", (long long)(now_ms - j->queued_at_ms));
}

void
standing_add_json(const struct request *r, const struct job *j, struct buf *json)
{
	buf_addf(json, "\"state\":\"%s\",\"class\":\"%s\"", job_state_name(j->state),
	         job_class_name(j->class));
	if (j->state == JOB_QUEUED)
		add_waiting(r->gateway->sched, j, clock_now_ms(), json);
	else
		buf_addf(json, ",\"position\":null,\"eta_ms\":null,\"loading_on\":null,\"waited_ms\":%lld",
		         (long long)r->waited_ms);
}

static void
add_queued(const struct sched *s, const struct job *j, struct buf *out)
{
	const struct backend *loads = sched_loading_for(s, j);

	buf_addf(out, "queued position=%d eta=%llds", sched_position(s, j),
	         (long long)(sched_eta_ms(s, j, clock_now_ms()) + 999) / 1000);
	if (loads != NULL)
		buf_addf(out, " loading_on=%s", backend_name(loads));
}

void
standing_add_line(const struct request *r, const struct job *j, struct buf *out)
{
	switch (j->state) {
	case JOB_NEW: buf_adds(out, "asking the backends for the model"); return;
	case JOB_QUEUED: add_queued(r->gateway->sched, j, out); return;
	case JOB_RUNNING: buf_addf(out, "running backend=%s", backend_name(j->backend)); return;
	case JOB_ENDED: break;
	}
	abort();
}
