/* The life of a node. */
#include "app/server.h"

#include "app/gateway.h"
#include "app/loader.h"
#include "app/proxy.h"
#include "app/warmer.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

enum {
	IDLE_CONNECTIONS_PER_SLOT = 2,
	IDLE_CONNECTIONS_LEAST = 32,
};

static struct upstream_conf
upstream_conf_of(const struct settings *all, const struct backend_settings *b)
{
	return (struct upstream_conf){
	    .url = b->url,
	    .api_key = b->api_key,
	    .tls_ca = b->tls_ca,
	    .tls_verify = b->tls_verify,
	    .connect_ms = all->timeouts.connect,
	    .idle_max = IDLE_CONNECTIONS_LEAST + IDLE_CONNECTIONS_PER_SLOT * (int)b->slots,
	};
}

static struct backend_conf
backend_conf_of(const struct backend_settings *b)
{
	return (struct backend_conf){
	    .name = b->name,
	    .weight = (int)b->weight,
	    .parallel = (int)b->parallel,
	    .max_loaded = (int)b->max_loaded,
	    .slots = (int)b->slots,
	    .models = b->models.count == 0 ? NULL : (const char *const *)b->models.items,
	    .model_count = b->models.count,
	};
}

/* What the scheduler learned of a node, once. */
static void
say_room(struct server *s)
{
	int max_loaded = backend_max_loaded(s->backend);

	if (max_loaded < s->max_loaded)
		log_warn(backend_name(s->backend),
		         "made room for a model by itself: it is taken to hold %d at once, not %d",
		         max_loaded, s->max_loaded);
	s->max_loaded = max_loaded;
}

static void
on_round(struct probe *p, void *arg)
{
	struct server *s = arg;
	struct gateway *g = s->gateway;

	say_room(s);
	proxy_settle_puzzled(g);
	proxy_free_stuck(g);
	warmer_wake(g->warmer);
}

static void
watch(struct server *s, const struct settings *all)
{
	struct probe_conf conf = {
	    .interval_ms = all->health.interval,
	    .timeout_ms = all->health.timeout,
	    .on_round = on_round,
	    .arg = s,
	};

	s->probe = probe_create(s->gateway->loop, s->upstream, s->backend, &conf);
}

struct server *
server_create(struct gateway *g, const struct settings *all, const struct backend_settings *b,
              struct buf *why)
{
	struct upstream_conf conf = upstream_conf_of(all, b);
	struct upstream *upstream = upstream_create(g->loop, &conf, why);
	struct server *s;

	if (upstream == NULL)
		return NULL;
	s = NEW(struct server);
	s->gateway = g;
	s->upstream = upstream;
	s->url = mem_strdup(b->url);
	return s;
}

void
server_open(struct server *s, const struct settings *all, const struct backend_settings *b)
{
	struct backend_conf conf = backend_conf_of(b);

	s->backend = sched_add_backend(s->gateway->sched, &conf);
	s->max_loaded = backend_max_loaded(s->backend);
	s->errand = errand_create(s->gateway->loader, s);
	watch(s, all);
}

void
server_destroy(struct server **sp)
{
	struct server *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	probe_destroy(&s->probe);
	errand_destroy(&s->errand);
	upstream_destroy(&s->upstream);
	free(s->url);
	free(s);
}

bool
server_refresh(struct server *s, int64_t fresh_ms)
{
	return s->probe != NULL && probe_refresh(s->probe, fresh_ms);
}
