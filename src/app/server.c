/* The life of a node. */
#include "app/server.h"

#include "app/gateway.h"
#include "app/loader.h"
#include "app/proxy.h"
#include "app/warmer.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/reshape.h"

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

	/* Nothing is sent there, and so no request would count it. */
	if (probe_saw_no_tls(p))
		meter_saw_fault(g->meter, s->backend, FAULT_TLS);
	say_room(s);
	proxy_settle_puzzled(g);
	proxy_free_stuck(g);
	warmer_wake(g->warmer);
}

static struct probe_conf
probe_conf_of(struct server *s, const struct settings *all)
{
	return (struct probe_conf){
	    .interval_ms = all->health.interval,
	    .timeout_ms = all->health.timeout,
	    .on_round = on_round,
	    .arg = s,
	};
}

static void
enter_service(struct server *s, const struct settings *all)
{
	struct probe_conf conf = probe_conf_of(s, all);

	s->max_loaded = backend_max_loaded(s->backend);
	s->errand = errand_create(s->gateway->loader, s);
	s->probe = probe_create(s->gateway->loop, s->upstream, s->backend, &conf);
}

struct upstream *
server_make_upstream(struct gateway *g, const struct settings *all,
                     const struct backend_settings *b, struct buf *why)
{
	struct upstream_conf conf = upstream_conf_of(all, b);

	return upstream_create(g->loop, &conf, why);
}

bool
server_has_upstream(const struct server *s, const struct settings *all,
                    const struct backend_settings *b)
{
	struct upstream_conf conf = upstream_conf_of(all, b);

	return upstream_is_made_of(s->upstream, &conf);
}

struct server *
server_create(struct gateway *g, const struct settings *all, const struct backend_settings *b,
              struct buf *why)
{
	struct upstream *upstream = server_make_upstream(g, all, b, why);
	struct server *s;

	if (upstream == NULL)
		return NULL;
	s = NEW(struct server);
	s->gateway = g;
	s->upstream = upstream;
	s->url = mem_strdup(b->url);
	list_init(&s->link);
	return s;
}

void
server_open(struct server *s, const struct settings *all, const struct backend_settings *b)
{
	struct backend_conf conf = backend_conf_of(b);

	s->backend = sched_add_backend(s->gateway->sched, &conf);
	enter_service(s, all);
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
	if (s->gone)
		backend_free(&s->backend);
	free(s->url);
	free(s);
}

void
server_reshape(struct server *s, struct upstream **upstream, const struct settings *all,
               const struct backend_settings *b)
{
	struct backend_conf backend = backend_conf_of(b);
	struct probe_conf probe = probe_conf_of(s, all);

	sched_reshape_backend(s->gateway->sched, s->backend, &backend);
	s->max_loaded = backend_max_loaded(s->backend);
	if (*upstream != NULL)
		upstream_take_over(s->upstream, upstream);
	probe_reshape(s->probe, &probe);
}

void
server_leave(struct server *s, uint64_t left_at)
{
	struct gateway *g = s->gateway;

	s->left = true;
	s->left_at = left_at;
	errand_give_up(s->errand);
	errand_destroy(&s->errand);
	probe_destroy(&s->probe);
	warmer_forget_backend(g->warmer, s->backend);
	upstream_rest(s->upstream);
	sched_retire_backend(g->sched, s->backend);
}

void
server_come_back(struct server *s, const struct settings *all)
{
	s->left = false;
	list_remove(&s->link);
	sched_restore_backend(s->gateway->sched, s->backend);
	enter_service(s, all);
}

bool
server_refresh(struct server *s, int64_t fresh_ms)
{
	return s->probe != NULL && probe_refresh(s->probe, fresh_ms);
}

const char *
server_version(const struct server *s)
{
	return s->probe == NULL ? "" : probe_version(s->probe);
}

void
server_add_trouble(const struct server *s, struct buf *out)
{
	const char *detail = NULL,
	           *trouble = s->probe == NULL ? NULL : probe_trouble(s->probe, &detail);

	if (trouble != NULL)
		buf_addf(out, "%s%s%s", trouble, detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
}
