/*
 * The line of status is said when it has changed, at each tick. With a watchdog there are two
 * ticks in its time, so that one that comes late is no alarm.
 */
#include "app/herald.h"

#include "app/gateway.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/service.h"

#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 5000, TICKS_PER_WATCHDOG = 2 };

struct herald {
	struct gateway *gateway; /* borrowed */
	struct timer timer;
	int64_t tick_ms;
	bool watched;    /* by a watchdog */
	struct buf said; /* the line of status */
};

static const char *
state_of(const struct gateway *g)
{
	return g->draining ? "draining" : g->retired ? "replaced by another process" : "serving";
}

static int
nodes_up(const struct gateway *g)
{
	int64_t now_ms = clock_now_ms();
	int up = 0;

	for (size_t i = 0; i < g->server_count; i++)
		up += backend_is_usable(g->servers[i]->backend, now_ms);
	return up;
}

static void
say_status(struct herald *h)
{
	const struct gateway *g = h->gateway;
	struct buf line = {0};

	buf_addf(&line, "%s: %d of %zu nodes up, %d requests running, %d waiting, %d connections",
	         state_of(g), nodes_up(g), g->server_count, sched_running(g->sched),
	         sched_waiting(g->sched), front_connections(g->front));
	if (strcmp(buf_text(&line), buf_text(&h->said)) != 0)
		service_say_status(buf_text(&line));
	buf_finish(&h->said);
	h->said = line;
}

static void
on_tick(void *arg)
{
	struct herald *h = arg;

	if (h->watched)
		service_say_alive();
	say_status(h);
	timer_start(&h->timer, h->tick_ms);
}

struct herald *
herald_create(struct gateway *g)
{
	int64_t watchdog_ms = service_watchdog_ms();
	struct herald *h = NEW(struct herald);

	h->gateway = g;
	h->watched = watchdog_ms > 0;
	h->tick_ms = TICK_MS;
	if (h->watched && watchdog_ms / TICKS_PER_WATCHDOG < TICK_MS)
		h->tick_ms = watchdog_ms / TICKS_PER_WATCHDOG;
	timer_init(&h->timer, g->loop, on_tick, h);
	if (service_listens())
		timer_start(&h->timer, h->tick_ms);
	return h;
}

void
herald_destroy(struct herald **hp)
{
	struct herald *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	service_say_rest();
	timer_finish(&h->timer);
	buf_finish(&h->said);
	free(h);
}

void
herald_say_ready(struct herald *h)
{
	service_say_ready();
	say_status(h);
}

void
herald_say_stopping(struct herald *h)
{
	service_say_stopping();
	say_status(h);
}
