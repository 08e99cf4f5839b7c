/* A reload, step by step. */
#include "app/reload.h"

#include "app/access_log.h"
#include "app/accounts.h"
#include "app/admin.h"
#include "app/answers.h"
#include "app/board.h"
#include "app/dispatch.h"
#include "app/doubts.h"
#include "app/gateway.h"
#include "app/roster.h"
#include "app/warmer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tls.h"
#include "core/reshape.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_MOST = 50 };

static const char log_name[] = "reload";

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
	struct front_limits limits = gateway_front_limits(r->after, (int)r->after->max_connections);

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

/* --- what is refused --- */

static const char *
source_of(const struct settings *s)
{
	return s->file == NULL ? "the configuration" : s->file;
}

/* Only another process can have it: whoever wrote that shall know it, and have the rest of the file
 * in force no sooner. */
static bool
refuse_fixed(const struct settings *before, const struct settings *after, struct buf *why)
{
	struct buf fixed = {0};
	struct str rest, line;

	settings_add_fixed_changes(before, after, &fixed);
	rest = (struct str){fixed.data, fixed.len};
	while (rest.len > 0 && str_split(&rest, '\n', &line))
		if (line.len > 0)
			buf_addf(why, "%s: %.*s: cannot change while it runs; SIGUSR2 or a restart does it\n",
			         source_of(after), STR_ARG(line));
	buf_finish(&fixed);
	return why->len > 0;
}

/* The new configuration; NULL: `why` says what is wrong. */
static struct config *
load(struct gateway *g, struct buf *why)
{
	struct settings settings = {0};
	struct config *c;

	if (g->draining || g->retired) {
		buf_adds(why, g->draining ? "it is shutting down\n" : "another process serves now\n");
		return NULL;
	}
	if (!g->source.load(&settings, why, g->source.arg))
		return NULL;
	if (refuse_fixed(g->settings, &settings, why)) {
		settings_finish(&settings);
		return NULL;
	}
	c = config_create(&settings, why);
	if (c == NULL)
		settings_finish(&settings);
	return c;
}

/* --- what is said --- */

/* Where thousands of keys changed, the log has the first; the answer of the admin API has all. */
static void
log_lines(enum log_level level, const struct buf *lines)
{
	struct str rest = {lines->data, lines->len}, line;
	size_t count = 0;

	while (rest.len > 0 && str_split(&rest, '\n', &line))
		if (line.len > 0 && ++count <= LINES_MOST)
			log_line(level, log_name, "%.*s", STR_ARG(line));
	if (count > LINES_MOST)
		log_line(level, log_name, "and %zu more", count - LINES_MOST);
}

static void
say_done(const struct gateway *g, const char *asked_by, const struct buf *changes)
{
	if (changes->len == 0)
		log_info(log_name, "%s: nothing changed, by %s", source_of(g->settings), asked_by);
	else
		log_info(log_name, "%s is in force, by %s", source_of(g->settings), asked_by);
	log_lines(LOG_INFO, changes);
}

static bool
try(struct gateway *g, const char *asked_by, struct buf *said)
{
	struct reload r = {.gateway = g, .before = g->settings};
	bool ok;

	r.config = load(g, said);
	if (r.config == NULL)
		return false;
	r.after = &r.config->settings;
	ok = prepare(&r, said);
	if (ok) {
		settings_add_changes(r.before, r.after, said);
		put_in_force(&r);
		say_done(g, asked_by, said);
	}
	for (size_t i = 0; i < STEPS; i++)
		if (steps[i].drop != NULL)
			steps[i].drop(&r);
	config_release(&r.config);
	return ok;
}

bool
reload_run(struct gateway *g, const char *asked_by, struct buf *said)
{
	if (try(g, asked_by, said)) {
		g->reloads++;
		return true;
	}
	g->failed_reloads++;
	log_error(log_name, "refused, nothing was changed, by %s", asked_by);
	log_lines(LOG_ERROR, said);
	return false;
}
