/* Who asks for another configuration, how it is read, and what is said of it. */
#include "app/reload.h"

#include "app/gateway.h"
#include "app/reload_steps.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/errand.h"

#include <malloc.h>
#include <stdlib.h>

enum { LINES_MOST = 50 };

static const char log_name[] = "reload";

/* The thread's alone while there is an errand. */
struct reading {
	const struct settings *before; /* borrowed, of reloader.before */
	struct settings after;         /* where it is good */
	struct buf changes;
	struct buf why;
	bool good;
};

/* Those who share a reload. */
struct round {
	struct buf asked_by; /* as the log has it; some of them may be gone */
	struct list askers;  /* of struct reload_asker, by link */
};

struct reloader {
	struct gateway *gateway; /* borrowed */
	struct reload_source source;
	struct errand *errand; /* owned; NULL: nothing is read */
	struct config *before; /* held while something is read: it is compared with that */
	struct reading reading;
	struct round now, next;
};

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

/* False: it was asked for too late. */
static bool
may_change(const struct gateway *g, struct buf *why)
{
	if (g->draining)
		buf_adds(why, "it is shutting down\n");
	else if (g->retired)
		buf_adds(why, "another process serves now\n");
	else
		return true;
	return false;
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
		log_info(log_name, "%s: nothing changed, %s", source_of(g->settings), asked_by);
	else
		log_info(log_name, "%s is in force, %s", source_of(g->settings), asked_by);
	log_lines(LOG_INFO, changes);
}

static void
tell(struct round *round, bool ok, const struct buf *said)
{
	struct reload_asker *asker;

	while ((asker = LIST_FIRST(&round->askers, struct reload_asker, link)) != NULL) {
		list_remove(&asker->link);
		asker->told(ok, said, asker->arg);
	}
	buf_finish(&round->asked_by);
}

/* --- reading --- */

/* In the thread. */
static void
read_next(void *arg)
{
	struct reloader *r = arg;
	struct reading *it = &r->reading;

	it->good = r->source.load(&it->after, &it->why, r->source.arg) &&
	           !refuse_fixed(it->before, &it->after, &it->why);
	if (it->good)
		settings_add_changes(it->before, &it->after, &it->changes);
	malloc_trim(
	    0); /* a file takes twenty times its size to read, and the allocator would keep it */
}

static void
forget_reading(struct reloader *r)
{
	settings_finish(&r->reading.after);
	buf_finish(&r->reading.changes);
	buf_finish(&r->reading.why);
	r->reading = (struct reading){0};
	config_release(&r->before);
}

static void begin(struct reloader *r);

static void
on_read(void *arg)
{
	struct reloader *r = arg;
	struct gateway *g = r->gateway;
	struct reading *it = &r->reading;
	bool ok = it->good && may_change(g, &it->why) && reload_put_in_force(g, &it->after, &it->why);

	r->errand = NULL;
	if (ok) {
		g->reloads++;
		say_done(g, buf_text(&r->now.asked_by), &it->changes);
	} else {
		g->failed_reloads++;
		log_error(log_name, "refused, nothing was changed, %s", buf_text(&r->now.asked_by));
		log_lines(LOG_ERROR, &it->why);
	}
	tell(&r->now, ok, ok ? &it->changes : &it->why);
	forget_reading(r);
	if (r->next.asked_by.len > 0)
		begin(r);
}

/* Without a thread the loop waits for the file, as it must then. */
static void
begin(struct reloader *r)
{
	struct reload_asker *asker;

	r->now.asked_by = r->next.asked_by;
	r->next.asked_by = (struct buf){0};
	while ((asker = LIST_FIRST(&r->next.askers, struct reload_asker, link)) != NULL) {
		list_remove(&asker->link);
		list_add_last(&r->now.askers, &asker->link);
	}
	r->before = config_hold(r->gateway->config);
	r->reading.before = &r->before->settings;
	r->errand = errand_start(r->gateway->loop, read_next, on_read, r);
	if (r->errand == NULL) {
		read_next(r);
		on_read(r);
	}
}

/* --- the interface --- */

struct reloader *
reloader_create(struct gateway *g, const struct reload_source *source)
{
	struct reloader *r = NEW(struct reloader);

	r->gateway = g;
	r->source = *source;
	list_init(&r->now.askers);
	list_init(&r->next.askers);
	return r;
}

static void
round_finish(struct round *round)
{
	struct reload_asker *asker;

	while ((asker = LIST_FIRST(&round->askers, struct reload_asker, link)) != NULL)
		list_remove(&asker->link);
	buf_finish(&round->asked_by);
}

void
reloader_destroy(struct reloader **rp)
{
	struct reloader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	errand_abandon(&r->errand);
	forget_reading(r);
	round_finish(&r->now);
	round_finish(&r->next);
	free(r);
}

void
reload_ask(struct reloader *r, const char *asked_by, struct reload_asker *asker)
{
	reload_forget(asker);
	list_add_last(&r->next.askers, &asker->link);
	buf_addf(&r->next.asked_by, "%sby %s", r->next.asked_by.len == 0 ? "" : ", ", asked_by);
	if (r->errand == NULL)
		begin(r);
}

void
reload_forget(struct reload_asker *asker)
{
	list_remove(&asker->link);
}
