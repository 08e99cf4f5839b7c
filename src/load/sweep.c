/* A sweep: server after server. */
#include "sweep.h"

#include "base/clock.h"
#include "base/mem.h"
#include "child.h"
#include "io/fetch.h"
#include "result.h"
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	READY_WITHIN_MS = 120 * 1000,
	ASK_EVERY_MS = 100,
	ANSWER_BYTES_MAX = 64 * 1024,
	DEFAULT_LIMIT_MS = 30 * 1000,
	EXIT_FAILED = 1,
	EXIT_BY_SIGNAL = 130,
};

/* --- until the server answers --- */

struct patience {
	struct loop *loop;
	const struct child *child;
	struct upstream *upstream;
	struct fetch *fetch;
	struct timer again;
	int64_t until_ms;
	bool answered;
	bool interrupted;
};

static void ask(void *arg);

static void
on_answer(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
          void *arg)
{
	struct patience *p = arg;

	p->fetch = NULL;
	p->answered = end == EXCHANGE_DONE && status == 200;
	if (p->answered || !child_lives(p->child) || clock_now_ms() > p->until_ms)
		loop_stop(p->loop);
	else
		timer_start(&p->again, ASK_EVERY_MS);
}

static void
ask(void *arg)
{
	static const struct exchange_request req = {
	    .method = HTTP_GET, .target = {"/api/version", 12}, .first_byte_ms = 5000, .idle_ms = 5000};
	struct patience *p = arg;

	p->fetch = fetch_start(p->upstream, &req, ANSWER_BYTES_MAX, on_answer, p);
}

static void
on_signal(int signal, void *arg)
{
	struct patience *p = arg;

	p->interrupted = true;
	loop_stop(p->loop);
}

static bool
wait_ready(struct loop *l, const struct child *child, bool *interrupted, struct buf *why)
{
	const struct upstream_conf conf = {
	    .url = child->url, .tls_verify = true, .connect_ms = 2000, .idle_max = 1};
	struct patience p = {.loop = l, .child = child, .until_ms = clock_now_ms() + READY_WITHIN_MS};
	struct event *on_int = loop_on_signal(l, SIGINT, on_signal, &p);
	struct event *on_term = loop_on_signal(l, SIGTERM, on_signal, &p);

	p.upstream = upstream_create(l, &conf, why);
	timer_init(&p.again, l, ask, &p);
	ask(&p);
	loop_run(l);
	fetch_cancel(&p.fetch);
	timer_finish(&p.again);
	upstream_destroy(&p.upstream);
	loop_off_signal(&on_int);
	loop_off_signal(&on_term);
	*interrupted = p.interrupted;
	if (!p.answered && !p.interrupted)
		buf_adds(why,
		         child_lives(child) ? "the server does not answer" : "the server ended at once");
	return p.answered;
}

/* --- one step --- */

static enum run_end
run_step(const struct plan *plan, struct step *s, struct buf *why)
{
	struct loop *l = loop_create();
	enum run_end end = RUN_BAD;
	bool interrupted = false;
	struct child child;

	tally_init(&s->tally, plan);
	if (isatty(STDERR_FILENO) == 1)
		fprintf(stderr, "\r\033[Kparallel %lld: waiting for its server", (long long)s->parallel);
	if (child_start(&child, plan, s->parallel, why)) {
		buf_adds(&s->url, child.url);
		if (wait_ready(l, &child, &interrupted, why))
			end = run(l, plan, child.url, &s->tally, why);
		else if (!interrupted && plan->start != NULL)
			buf_addf(why, "; to see why, run: OLLAMA_HOST=%s OLLAMA_NUM_PARALLEL=%lld %s",
			         child.url + strlen("http://"), (long long)s->parallel, plan->start);
		child_stop(&child);
	}
	loop_destroy(&l);
	return interrupted ? RUN_INTERRUPTED : end;
}

/* --- what comes of it --- */

int64_t
sweep_limit_ms(const struct plan *p)
{
	return p->slo.e2e_ms > 0 ? p->slo.e2e_ms : DEFAULT_LIMIT_MS;
}

double
sweep_capacity(const struct tally *t)
{
	return (double)t->all.whole / tally_seconds(t) * (double)sweep_limit_ms(t->plan) / 1e3;
}

const struct step *
sweep_best(struct step *const *steps, size_t count)
{
	const struct step *best = NULL;
	double most = 0;

	for (size_t i = 0; i < count; i++)
		if (sweep_capacity(&steps[i]->tally) > most)
			most = sweep_capacity(&steps[i]->tally);
	for (size_t i = 0; i < count; i++)
		if (most > 0 && sweep_capacity(&steps[i]->tally) >= 0.97 * most &&
		    (best == NULL || steps[i]->parallel < best->parallel))
			best = steps[i];
	return best;
}

static int
print(const struct plan *plan, struct step *const *steps, size_t count, struct buf *why)
{
	struct buf table = {0}, json = {0}, page = {0};
	int status = EXIT_SUCCESS;

	sweep_add_json(&json, steps, count);
	sweep_add_table(&table, plan, steps, count);
	fputs(buf_text(plan->output == OUTPUT_JSON ? &json : &table), stdout);
	if (plan->save != NULL && !result_write_file(plan->save, &json, why))
		status = EXIT_FAILED;
	sweep_add_page(&page, plan, steps, count);
	if (plan->report != NULL && !result_write_file(plan->report, &page, why))
		status = EXIT_FAILED;
	buf_finish(&table);
	buf_finish(&json);
	buf_finish(&page);
	return status;
}

int
sweep(const struct plan *plan, struct buf *why)
{
	struct step *steps[MOST_STEPS];
	enum run_end end = RUN_DONE;
	int status = EXIT_SUCCESS;
	size_t count = 0;

	while (end == RUN_DONE && count < plan->parallel_count) {
		struct step *s = steps[count] = NEW(struct step);

		s->parallel = plan->parallel[count++];
		end = run_step(plan, s, why);
		if (end == RUN_GAVE_UP)
			buf_addf(why, " (parallel %lld)", (long long)s->parallel);
	}
	/* The step that broke off says nothing that could be compared. */
	if (count > (end != RUN_DONE))
		status = print(plan, steps, count - (end != RUN_DONE), why);
	for (size_t i = 0; i < count; i++) {
		tally_finish(&steps[i]->tally);
		buf_finish(&steps[i]->url);
		free(steps[i]);
	}
	if (end == RUN_INTERRUPTED)
		return EXIT_BY_SIGNAL;
	return end == RUN_DONE ? status : EXIT_FAILED;
}
