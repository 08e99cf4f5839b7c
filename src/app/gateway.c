/* The gateway: builds what serves from the settings, and takes it down in the opposite order. */
#include "app/gateway.h"

#include "app/accounts.h"
#include "app/admin.h"
#include "app/answers.h"
#include "app/board.h"
#include "app/descriptors.h"
#include "app/dispatch.h"
#include "app/intake.h"
#include "app/listen.h"
#include "app/loader.h"
#include "app/proxy.h"
#include "app/request.h"
#include "app/warmer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tls.h"

#include <stdlib.h>
#include <string.h>

enum { DRAIN_TICK_MS = 20 };

struct sched_conf
gateway_sched_conf(const struct settings *s)
{
	return (struct sched_conf){
	    .queue_size = (int)s->queue.size,
	    .per_key = (int)s->queue.per_key,
	    .max_wait_ms = s->queue.max_wait,
	    .aging_ms = s->queue.aging,
	    .loads_by_orders = true,
	    .load_ms = s->timeouts.load,
	    .health =
	        {
	            .down_after = (int)s->health.down_after,
	            .up_after = (int)s->health.up_after,
	            .grace_ms = s->health.down_after * s->health.interval,
	            .breaker_failures = (int)s->breaker.failures,
	            .breaker_window_ms = s->breaker.window,
	            .breaker_open_ms = s->breaker.open,
	            .breaker_max_open_ms = s->breaker.max_open,
	        },
	    .retry_attempts = (int)s->retry.attempts,
	    .retry_budget_percent = (int)s->retry.budget_percent,
	};
}

struct front_limits
gateway_front_limits(const struct settings *s, int connections)
{
	return (struct front_limits){
	    .connections = connections,
	    .head_ms = s->timeouts.client_head,
	    .body_ms = s->timeouts.client_body,
	    .idle_ms = s->timeouts.client_idle,
	    .write_ms = s->timeouts.client_write,
	};
}

static bool
build_servers(struct gateway *g, struct buf *why)
{
	const struct settings *s = g->settings;

	g->servers = mem_zalloc(s->backend_count, sizeof(g->servers[0]));
	for (size_t i = 0; i < s->backend_count; i++) {
		g->servers[i] = server_create(g, s, &s->backends[i], why);
		if (g->servers[i] == NULL)
			return false;
		g->server_count++;
		server_open(g->servers[i], s, &s->backends[i]);
	}
	return true;
}

bool
gateway_load_tls(const struct settings *s, SSL_CTX **out, struct buf *why)
{
	enum tls_file blame;

	*out = NULL;
	if (s->tls.cert != NULL)
		*out = tls_server_context(s->tls.cert, s->tls.key, &blame, why);
	return s->tls.cert == NULL || *out != NULL;
}

static bool
build_front(struct gateway *g, struct buf *why)
{
	const struct settings *s = g->settings;
	struct front_limits limits = gateway_front_limits(s, descriptors_for_clients(s));
	SSL_CTX *tls;

	if (!gateway_load_tls(s, &tls, why))
		return false;
	g->front = front_create(g->loop, &limits, &intake_ops, g);
	front_set_tls(g->front, tls);
	for (size_t i = 0; i < s->listen.count; i++)
		if (!listen_at(g->front, g->given, SOCKETS_FRONT, s->listen.items[i], why))
			return false;
	return true;
}

static bool
build_admin(struct gateway *g, struct buf *why)
{
	if (strcmp(g->settings->admin, "off") == 0)
		return true;
	g->admin = admin_create(g, why);
	return g->admin != NULL;
}

/* What the former program still counts comes until it ends. */
static bool
is_quiet(const struct gateway *g)
{
	return list_empty(&g->requests) && front_connections(g->front) == 0 && !g->has_former &&
	       !accounts_have_late(g->accounts);
}

static void
on_drain_tick(void *arg)
{
	struct gateway *g = arg;

	if (is_quiet(g)) {
		loop_stop(g->loop);
	} else if (clock_now_ms() >= g->drain_until_ms) {
		if (!list_empty(&g->requests))
			log_warn("drain", "the time is over, cutting what still runs");
		loop_stop(g->loop);
	} else {
		timer_start(&g->drain_timer, DRAIN_TICK_MS);
	}
}

struct gateway *
gateway_create(struct loop *l, struct settings *from, struct sockets *given, struct buf *why)
{
	struct gateway *g = NEW(struct gateway);
	const struct settings *s;
	struct sched_conf sched;

	g->loop = l;
	g->given = given;
	g->config = config_create(from, why);
	if (g->config == NULL) {
		free(g);
		return NULL;
	}
	list_init(&g->configs);
	list_init(&g->leaving);
	list_add_last(&g->configs, &g->config->link);
	g->settings = s = &g->config->settings;
	g->began_ms = clock_now_ms();
	list_init(&g->requests);
	list_init(&g->puzzled);
	dispatch_init(g);
	timer_init(&g->drain_timer, l, on_drain_tick, g);
	g->meter = meter_create(g);
	g->board = board_create(g);
	g->callers = callers_create(g->config, clock_now_ms());
	g->accounts = accounts_create(g);
	sched = gateway_sched_conf(s);
	g->sched = sched_create(&sched);
	g->loader = loader_create(g);
	g->warmer = warmer_create(g);
	g->access = access_log_create(l, s->log.access, s->log.format, why);
	if (g->access == NULL || !build_front(g, why) || !build_servers(g, why))
		goto fail;
	g->answers = answers_create(g);
	if (!build_admin(g, why))
		goto fail;
	return g;
fail:
	gateway_destroy(&g);
	return NULL;
}

/* Those whose clients left before, and that went on for others. */
static void
end_headless(struct gateway *g)
{
	struct request *r;

	while ((r = LIST_FIRST(&g->requests, struct request, link)) != NULL)
		request_abandon(r);
}

static void
destroy_servers(struct gateway *g)
{
	struct server *s;

	LIST_FOR_EACH (s, &g->leaving, struct server, link)
		server_destroy(&s);
	for (size_t i = 0; i < g->server_count; i++)
		server_destroy(&g->servers[i]);
	free(g->servers);
}

void
gateway_destroy(struct gateway **gp)
{
	struct gateway *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	reloader_destroy(&g->reloader);
	admin_destroy(&g->admin);
	front_destroy(&g->front); /* ends every request, and so every exchange */
	warmer_destroy(&g->warmer);
	end_headless(g);
	answers_destroy(&g->answers);
	destroy_servers(g);
	loader_destroy(&g->loader);
	dispatch_finish(g);
	timer_finish(&g->drain_timer);
	buf_finish(&g->header_lines);
	sched_destroy(&g->sched);
	callers_destroy(&g->callers);
	accounts_destroy(&g->accounts);
	access_log_destroy(&g->access);
	board_destroy(&g->board);
	meter_destroy(&g->meter);
	config_release(&g->config);
	free(g);
}

void
gateway_drain(struct gateway *g)
{
	if (g->draining) {
		log_warn("drain", "told twice, stopping at once");
		loop_stop(g->loop);
		return;
	}
	g->draining = true;
	log_info("drain", "no new requests; what runs may finish");
	front_stop_accepting(g->front);
	proxy_refuse_waiting(g);
	loader_give_up(g->loader);
	warmer_give_up(g->warmer);
	g->drain_until_ms = clock_now_ms() + g->settings->drain;
	on_drain_tick(g);
}

void
gateway_retire(struct gateway *g)
{
	g->retired = true;
	front_retire(g->front);
	if (g->admin != NULL)
		front_retire(admin_front(g->admin));
	answers_purge(g->answers); /* what is pulled or deleted from now on, only the other one knows */
	board_dismiss(g->board);
	g->drain_until_ms = INT64_MAX;
	on_drain_tick(g);
}

void
gateway_open_state(struct gateway *g)
{
	accounts_open_disk(g->accounts);
	answers_open_disk(g->answers);
}

void
gateway_hold(struct gateway *g, bool hold)
{
	front_hold(g->front, hold);
	if (g->admin != NULL)
		front_hold(admin_front(g->admin), hold);
}

bool
gateway_has_looked(const struct gateway *g)
{
	for (size_t i = 0; i < g->server_count; i++)
		if (!probe_has_ended_a_round(g->servers[i]->probe))
			return false;
	return true;
}

void
gateway_saw_fault(struct gateway *g, struct backend *b, enum backend_fault fault)
{
	struct server *s = gateway_server_of(g, b);

	if (!s->left)
		meter_saw_fault(g->meter, b, fault);
	if (backend_saw_fault(b, fault, clock_now_ms()))
		log_warn(backend_name(b), "is %s, breaker %s", backend_state_name(backend_state(b)),
		         breaker_state_name(backend_breaker(b)));
	if (fault != FAULT_BUSY && !s->left)
		probe_hurry(s->probe);
	dispatch_wake(g);
}

struct server *
gateway_server_of(struct gateway *g, const struct backend *b)
{
	struct server *s;

	for (size_t i = 0; i < g->server_count; i++)
		if (g->servers[i]->backend == b)
			return g->servers[i];
	LIST_FOR_EACH (s, &g->leaving, struct server, link)
		if (s->backend == b)
			return s;
	abort();
}

struct server *
gateway_find_server(struct gateway *g, struct str name)
{
	for (size_t i = 0; i < g->server_count; i++)
		if (str_eq(name, backend_name(g->servers[i]->backend)))
			return g->servers[i];
	return NULL;
}

bool
gateway_has_model(const struct gateway *g, const char *model)
{
	for (size_t i = 0; i < g->server_count; i++)
		if (backend_has_model(g->servers[i]->backend, model))
			return true;
	return false;
}
