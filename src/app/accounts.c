/* Who used what, of requests that ended. */
#include "app/accounts.h"

#include "app/gateway.h"
#include "app/request.h"
#include "app/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/tally.h"
#include "io/usage_disk.h"
#include "proto/model_name.h"

#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 1000 };

static const char log_name[] = "usage";

struct accounts {
	struct gateway *gateway; /* borrowed */
	struct tally *tally;     /* owned */
	struct tally *late; /* owned; what came since another program has the file; NULL: none has */
	struct usage_disk *disk; /* owned; NULL: they do not outlive a restart, or another has it */
	bool restored;           /* the file was read */
	struct timer timer;      /* runs while something is not written */
};

/* ---- the disk ---- */

static void
put_row(const struct tally_row *row, void *arg)
{
	usage_disk_put(((struct accounts *)arg)->disk, row);
}

static void
say_news(struct accounts *a)
{
	switch (usage_disk_news(a->disk)) {
	case DISK_NO_NEWS: return;
	case DISK_FAILS:
		log_warn(log_name, "it cannot be written; it is tried again with each change");
		return;
	case DISK_WORKS_AGAIN: log_info(log_name, "it is written again"); return;
	}
	abort();
}

static void
flush(void *arg)
{
	struct accounts *a = arg;

	if (a->disk == NULL)
		return;
	say_news(a);
	tally_take_changed(a->tally, put_row, a);
}

static void
restore_row(const struct tally_row *row, void *arg)
{
	struct accounts *a = arg;

	if (!a->restored)
		tally_restore(a->tally, row);
}

void
accounts_open_disk(struct accounts *a)
{
	const struct settings *s = a->gateway->settings;
	struct buf path = {0}, report = {0};

	if (state_add_folder(s, log_name, &path)) {
		buf_adds(&path, "/usage.db");
		a->disk = usage_disk_open(buf_text(&path), clock_wall_ms() / TALLY_HOUR_MS,
		                          s->usage.keep / TALLY_HOUR_MS, restore_row, a, &report);
		if (a->disk == NULL)
			log_warn(log_name, "%s: %s; it will not outlive a restart", buf_text(&path),
			         buf_text(&report));
	}
	a->restored = true;
	buf_finish(&path);
	buf_finish(&report);
}

struct accounts *
accounts_create(struct gateway *g)
{
	struct accounts *a = NEW(struct accounts);

	a->gateway = g;
	a->tally = tally_create(g->settings->usage.keep / TALLY_HOUR_MS);
	timer_init(&a->timer, g->loop, flush, a);
	return a;
}

void
accounts_destroy(struct accounts **ap)
{
	struct accounts *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	flush(a);
	usage_disk_close(&a->disk);
	timer_finish(&a->timer);
	tally_destroy(&a->tally);
	accounts_drop_late(a);
	free(a);
}

/* ---- another program ---- */

struct usage_disk *
accounts_take_disk(struct accounts *a)
{
	struct usage_disk *disk = a->disk;

	flush(a);
	a->disk = NULL;
	a->late = tally_create(a->gateway->settings->usage.keep / TALLY_HOUR_MS);
	return disk;
}

void
accounts_open_again(struct accounts *a)
{
	accounts_drop_late(a);
	accounts_open_disk(a);
	flush(a);
}

/* A row is handed over as what was added to it: so each time begins with none. */
void
accounts_take_late(struct accounts *a, tally_fn fn, void *arg)
{
	struct tally *late = a->late;

	if (late == NULL || !tally_has_changed(late))
		return;
	a->late = tally_create(a->gateway->settings->usage.keep / TALLY_HOUR_MS);
	tally_take_changed(late, fn, arg);
	tally_destroy(&late);
}

void
accounts_keep_late(struct accounts *a, const struct tally_row *row)
{
	tally_add(a->late, row->hour * TALLY_HOUR_MS, row->key, row->model, &row->count);
}

void
accounts_drop_late(struct accounts *a)
{
	tally_destroy(&a->late);
}

bool
accounts_have_late(const struct accounts *a)
{
	return a->late != NULL && tally_has_changed(a->late);
}

static void
add(struct accounts *a, int64_t wall_ms, const char *key, const char *model,
    const struct tally_count *count)
{
	tally_add(a->tally, wall_ms, key, model, count);
	if (a->late != NULL)
		tally_add(a->late, wall_ms, key, model, count);
	if (a->timer.due_ms == 0)
		timer_start(&a->timer, FLUSH_MS);
}

void
accounts_add_row(struct accounts *a, const struct tally_row *row)
{
	add(a, row->hour * TALLY_HOUR_MS, row->key, row->model, &row->count);
}

void
accounts_apply(struct accounts *a)
{
	int64_t hours = a->gateway->settings->usage.keep / TALLY_HOUR_MS;

	tally_set_keep(a->tally, hours);
	if (a->disk != NULL)
		usage_disk_set_keep(a->disk, hours);
}

bool
accounts_are_failing(const struct accounts *a)
{
	return a->disk != NULL && usage_disk_is_failing(a->disk);
}

const struct tally *
accounts_tally(const struct accounts *a)
{
	return a->tally;
}

/* ---- requests ---- */

static enum tally_refusal
refusal_of(int status)
{
	switch (status) {
	case 401:
	case 403: return TALLY_FORBIDDEN;
	case 429: return TALLY_LIMIT;
	case 503:
	case 504: return TALLY_BUSY;
	}
	return TALLY_INVALID;
}

/* Whatever clients make up, there are only so many names. */
static const char *
model_of(const struct request *r, char canonical[MODEL_NAME_MAX])
{
	const char *model = r->model;

	if (r->model_sent != NULL && r->model_sent != r->alias_for)
		model = model_name_canonical(str_of(r->model_sent), canonical) ? canonical : NULL;
	return model == NULL || !gateway_has_model(r->gateway, model) ? "other" : model;
}

/* No node ran it for this one. */
static bool
is_cached(const char *cache)
{
	return strcmp(cache, "hit") == 0 || strcmp(cache, "stale") == 0 || strcmp(cache, "joined") == 0;
}

void
accounts_add(struct accounts *a, const struct request *r)
{
	struct tally_count count = {
	    .requests = 1,
	    .slot_ms = r->slot_ms,
	    .waited_ms = r->waited_ms,
	};
	char model[MODEL_NAME_MAX];

	if (r->route == NULL || r->route->kind != ROUTE_RUN)
		return;
	if (r->usage_known) {
		count.prompt_tokens = r->usage.prompt;
		count.output_tokens = r->usage.output;
	}
	if (r->attempts == 0 && r->status >= 400 && r->status != 499)
		count.refused[refusal_of(r->status)] = 1;
	count.cached = r->cache != NULL && is_cached(r->cache);
	add(a, clock_wall_ms(), r->caller == NULL || r->caller->key == NULL ? "-" : r->caller->name,
	    model_of(r, model), &count);
}
