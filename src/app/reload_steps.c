/* What a reload does, step by step. */
#include "app/reload_steps.h"

#include "app/access_log.h"
#include "app/accounts.h"
#include "app/admin.h"
#include "app/answers.h"
#include "app/board.h"
#include "app/descriptors.h"
#include "app/dispatch.h"
#include "app/doubts.h"
#include "app/gateway.h"
#include "app/roster.h"
#include "app/warmer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include "core/reshape.h"

#include <stdlib.h>
#include <string.h>

/* What the steps make before anything changes. */
struct reload {
	struct gateway *gateway;
	struct config *config; /* the new one */
	const struct settings *before;
	const struct settings *after;
	SSL_CTX *tls;              /* owned; NULL: plain */
	struct access_log *access; /* owned; NULL: the one that there is stays */
	struct roster *roster;     /* owned */
};

/* --- the logs --- */

static bool
prepare_access(struct reload *r, struct buf *why)
{
	const struct settings *s = r->after;

	if (strcmp(r->before->log.access, s->log.access) == 0 && r->before->log.format == s->log.format)
		return true;
	r->access = access_log_create(r->gateway->loop, s->log.access, s->log.format, why);
	return r->access != NULL;
}

static void
apply_logs(struct reload *r)
{
	struct gateway *g = r->gateway;

	log_set_level(r->after->log.level);
	log_set_format(r->after->log.format);
	if (r->access == NULL)
		return;
	access_log_destroy(&g->access);
	g->access = r->access;
	r->access = NULL;
}

static void
drop_access(struct reload *r)
{
	access_log_destroy(&r->access);
}

/* --- TLS --- */

/* Also where the settings are as they were: the files may not be. */
static bool
prepare_tls(struct reload *r, struct buf *why)
{
	return gateway_load_tls(r->after, &r->tls, why);
}

static void
apply_tls(struct reload *r)
{
	front_set_tls(r->gateway->front, r->tls);
	r->tls = NULL;
	doubts_log(r->after);
}

static void
drop_tls(struct reload *r)
{
	SSL_CTX_free(r->tls);
}

/* --- the nodes --- */

static bool
prepare_roster(struct reload *r, struct buf *why)
{
	r->roster = roster_prepare(r->gateway, r->after, why);
	return r->roster != NULL;
}

static void
apply_roster(struct reload *r)
{
	struct sched_conf conf = gateway_sched_conf(r->after);

	sched_reconfigure(r->gateway->sched, &conf);
	roster_apply(r->roster);
}

static void
drop_roster(struct reload *r)
{
	roster_destroy(&r->roster);
}

/* --- what cannot fail --- */

static void
apply_callers(struct reload *r)
{
	callers_apply(r->gateway->callers, r->config, clock_now_ms());
	meter_keep_keys(r->gateway->meter, r->after);
	/* Who watches with a key that is gone must not go on. */
	board_dismiss(r->gateway->board);
}

static void
apply_fronts(struct reload *r)
{
	struct front_limits limits = gateway_front_limits(r->after, descriptors_for_clients(r->after));

	front_set_limits(r->gateway->front, &limits);
	if (r->gateway->admin != NULL)
		admin_apply(r->gateway->admin);
}

static void
apply_answers(struct reload *r)
{
	answers_apply(r->gateway->answers);
}

static void
apply_accounts(struct reload *r)
{
	accounts_apply(r->gateway->accounts);
}

static void
apply_warmer(struct reload *r)
{
	warmer_apply(r->gateway->warmer);
}

/* --- all of it --- */

/* In this order. What can fail does so in `prepare`, which changes nothing; `drop` frees what was
 * made there and not applied. The settings of the new configuration are in force already when
 * `apply` is called, so that what reads gateway.settings each time needs no row. */
static const struct step {
	bool (*prepare)(struct reload *r, struct buf *why); /* NULL: it cannot fail */
	void (*apply)(struct reload *r);
	void (*drop)(struct reload *r); /* NULL: nothing was made */
} steps[] = {
    {prepare_access, apply_logs, drop_access},
    {prepare_tls, apply_tls, drop_tls},
    {NULL, apply_callers, NULL},
    {NULL, apply_fronts, NULL},
    {prepare_roster, apply_roster, drop_roster},
    {NULL, apply_answers, NULL},
    {NULL, apply_accounts, NULL},
    {NULL, apply_warmer, NULL},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static bool
prepare(struct reload *r, struct buf *why)
{
	for (size_t i = 0; i < STEPS; i++)
		if (steps[i].prepare != NULL && !steps[i].prepare(r, why))
			return false;
	return true;
}

static void
put_in_force(struct reload *r)
{
	struct gateway *g = r->gateway;
	struct config *before = g->config;

	r->config->generation = before->generation + 1;
	list_add_last(&g->configs, &r->config->link);
	g->config = config_hold(r->config);
	g->settings = r->after;
	for (size_t i = 0; i < STEPS; i++)
		steps[i].apply(r);
	config_release(&before);
	dispatch_wake(g);
}

bool
reload_put_in_force(struct gateway *g, struct settings *after, struct buf *why)
{
	struct reload r = {.gateway = g, .before = g->settings, .config = config_create(after, why)};
	bool ok;

	if (r.config == NULL)
		return false;
	r.after = &r.config->settings;
	ok = prepare(&r, why);
	if (ok)
		put_in_force(&r);
	for (size_t i = 0; i < STEPS; i++)
		if (steps[i].drop != NULL)
			steps[i].drop(&r);
	config_release(&r.config);
	return ok;
}
