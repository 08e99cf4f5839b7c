/*
 * The nodes of another configuration.
 *
 * Who may still have a node in hand: requests that came while it was configured, each of which
 * holds the configuration it came under. So a node that left is freed once the scheduler
 * let go of it, and no configuration is held that is as old as the last it was part of.
 */
#include "app/roster.h"

#include "app/dispatch.h"
#include "app/gateway.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/reshape.h"

#include <stdlib.h>
#include <string.h>

enum coming { STAYS, COMES_BACK, COMES };

struct place {
	enum coming coming;
	struct server *server;     /* the gateway's; owned only while it COMES */
	struct upstream *upstream; /* owned: in the place of the server's; NULL: that stays */
	const struct backend_settings *settings;
};

struct roster {
	struct gateway *gateway;
	const struct settings *after;
	struct place *places; /* owned; in the order of the settings */
	size_t count;
};

/* --- who is who --- */

static void
add_identity(const char *name, const char *url, struct buf *out)
{
	buf_clear(out);
	buf_addf(out, "%s\n%s", name, url);
}

/* Of the nodes that there are, by name and url. */
static struct map
index_servers(const struct gateway *g)
{
	struct map known = {0};
	struct buf identity = {0};
	struct server *s;

	for (size_t i = 0; i < g->server_count; i++) {
		s = g->servers[i];
		add_identity(backend_name(s->backend), s->url, &identity);
		map_put(&known, buf_text(&identity), s);
	}
	LIST_FOR_EACH (s, &g->leaving, struct server, link) {
		add_identity(backend_name(s->backend), s->url, &identity);
		if (!s->gone && map_find(&known, buf_text(&identity)) == NULL)
			map_put(&known, buf_text(&identity), s);
	}
	buf_finish(&identity);
	return known;
}

/* A file of authorities may have changed under its name. */
static bool
needs_upstream(const struct place *p, const struct settings *after)
{
	return p->settings->tls_ca != NULL || !server_has_upstream(p->server, after, p->settings);
}

static bool
fill(struct roster *r, struct place *p, const struct map *known, struct buf *why)
{
	struct buf identity = {0};

	add_identity(p->settings->name, p->settings->url, &identity);
	p->server = map_find(known, buf_text(&identity));
	buf_finish(&identity);
	if (p->server == NULL) {
		p->coming = COMES;
		p->server = server_create(r->gateway, r->after, p->settings, why);
		return p->server != NULL;
	}
	p->coming = p->server->left ? COMES_BACK : STAYS;
	if (!needs_upstream(p, r->after))
		return true;
	p->upstream = server_make_upstream(r->gateway, r->after, p->settings, why);
	return p->upstream != NULL;
}

struct roster *
roster_prepare(struct gateway *g, const struct settings *after, struct buf *why)
{
	struct roster *r = NEW(struct roster);
	struct map known = index_servers(g);

	r->gateway = g;
	r->after = after;
	r->places = mem_zalloc(after->backend_count, sizeof(r->places[0]));
	for (size_t i = 0; i < after->backend_count && r != NULL; i++) {
		struct place *p = &r->places[r->count++];
		struct buf reason = {0};

		p->settings = &after->backends[i];
		if (!fill(r, p, &known, &reason)) {
			buf_addf(why, "backends[%zu]: %s: %s", i, p->settings->name, buf_text(&reason));
			roster_destroy(&r);
		}
		buf_finish(&reason);
	}
	map_finish(&known);
	return r;
}

void
roster_destroy(struct roster **rp)
{
	struct roster *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		if (r->places[i].coming == COMES)
			server_destroy(&r->places[i].server);
		upstream_destroy(&r->places[i].upstream);
	}
	free(r->places);
	free(r);
}

/* --- in force --- */

static void
enter(struct roster *r, struct place *p)
{
	switch (p->coming) {
	case STAYS: break;
	case COMES_BACK: server_come_back(p->server, r->after); break;
	case COMES: server_open(p->server, r->after, p->settings); break;
	}
	server_reshape(p->server, &p->upstream, r->after, p->settings);
	p->coming = STAYS;
}

/* Other nodes may have its name now, whose counters go on. */
static void
forget_counts(struct gateway *g, const char *name)
{
	if (gateway_find_server(g, str_of(name)) == NULL)
		meter_forget_backend(g->meter, name);
}

static void
leave(struct gateway *g, struct server *s)
{
	int running = backend_busy(s->backend);

	server_leave(s, g->config->generation - 1);
	list_add_last(&g->leaving, &s->link);
	log_info(backend_name(s->backend),
	         running == 0 ? "left" : "leaves, once what runs there ended");
}

void
roster_apply(struct roster *r)
{
	struct gateway *g = r->gateway;
	struct server **before = g->servers;
	size_t count = g->server_count;

	for (size_t i = 0; i < count; i++)
		before[i]->stays = false;
	g->servers = mem_zalloc(r->count, sizeof(g->servers[0]));
	g->server_count = r->count;
	for (size_t i = 0; i < r->count; i++) {
		g->servers[i] = r->places[i].server;
		g->servers[i]->stays = true;
		enter(r, &r->places[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (!before[i]->stays)
			leave(g, before[i]);
	for (size_t i = 0; i < count; i++)
		if (!before[i]->stays)
			forget_counts(g, backend_name(before[i]->backend));
	free(before);
	dispatch_wake(g);
}

/* --- after that --- */

static void
take_gone(struct gateway *g)
{
	struct backend *b;

	while ((b = sched_take_retired(g->sched)) != NULL) {
		gateway_server_of(g, b)->gone = true;
		log_debug(backend_name(b), "nothing runs there any more");
	}
}

void
roster_sweep(struct gateway *g)
{
	const struct config *oldest = LIST_FIRST(&g->configs, struct config, link);
	struct server *s;

	take_gone(g);
	LIST_FOR_EACH (s, &g->leaving, struct server, link)
		if (s->gone && s->left_at < oldest->generation) {
			list_remove(&s->link);
			server_destroy(&s);
		}
}
