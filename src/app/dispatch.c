/* The pump. */
#include "app/dispatch.h"

#include "app/gateway.h"
#include "app/loader.h"
#include "app/proxy.h"
#include "app/roster.h"
#include "app/warmer.h"
#include "base/clock.h"

#include <stdint.h>

static bool
order(struct gateway *g, int64_t now)
{
	struct order o;

	if (g->draining || !sched_take_order(g->sched, now, &o))
		return false;
	loader_carry_out(g->loader, &o);
	return true;
}

static bool
pick(struct gateway *g, int64_t now)
{
	bool was_loaded;
	struct job *j = sched_pick(g->sched, now, &was_loaded);

	if (j == NULL)
		return false;
	proxy_dispatch(j, was_loaded);
	return true;
}

static void
pump(void *arg)
{
	struct gateway *g = arg;
	int64_t now = clock_now_ms(), next;
	struct job *j;

	while ((j = sched_take_expired(g->sched, now)) != NULL)
		proxy_give_up(j);
	while ((j = sched_take_displaced(g->sched)) != NULL)
		proxy_displace(j);
	while ((j = sched_take_hopeless(g->sched, now)) != NULL)
		proxy_give_up(j);
	roster_sweep(g);
	warmer_review(g->warmer);
	while (order(g, now) || pick(g, now))
		;
	next = sched_next_ms(g->sched, now);
	if (next == INT64_MAX)
		timer_stop(&g->pump_timer);
	else
		timer_start(&g->pump_timer, next > now ? next - now : 1);
}

void
dispatch_init(struct gateway *g)
{
	waker_init(&g->pump, g->loop, pump, g);
	timer_init(&g->pump_timer, g->loop, pump, g);
}

void
dispatch_finish(struct gateway *g)
{
	waker_finish(&g->pump);
	timer_finish(&g->pump_timer);
}

void
dispatch_wake(struct gateway *g)
{
	waker_wake(&g->pump);
}
