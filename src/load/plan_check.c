/* Options that do not go together, one row each; then the defaults that depend on others. */
#include "plan_check.h"

#include "base/mem.h"

#include <string.h>

static bool
is_header_text(const struct mix *m)
{
	for (size_t i = 0; i < m->count; i++)
		for (const char *c = m->texts[i]; *c != '\0'; c++)
			if (*c <= ' ' || *c >= 0x7f)
				return false;
	return true;
}

static int
prompts_said(const struct plan *p)
{
	return (p->prompt != NULL) + (p->prompts != NULL) + (p->prompt_tokens > 0);
}

static bool
check_sweep(const struct plan *p, struct buf *why)
{
	const struct {
		bool wrong;
		const char *what;
	} checks[] = {
	    {p->models.count == 0, "which --model?"},
	    {p->parallel_count == 0, "a sweep needs --parallel, as --parallel 1,2,4,8"},
	    {p->url != NULL, "a sweep starts its own servers: leave --url out, or see --start"},
	    {p->start != NULL && p->simulate != NULL, "--start and --simulate exclude each other"},
	    {p->compare != NULL, "--compare is for a single run"},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].wrong) {
			buf_adds(why, checks[i].what);
			return false;
		}
	return true;
}

static bool
check_together(const struct plan *p, const struct plan_given *given, struct buf *why)
{
	bool wants_stream = given->stream && p->stream;
	const struct {
		bool wrong;
		const char *what;
	} checks[] = {
	    {p->rate > 0 && p->trace != NULL, "--rate and --trace both say when to start: take one"},
	    {given->arrival && !(p->rate > 0), "--arrival needs a --rate"},
	    {given->trace_speed && p->trace == NULL, "--trace-speed needs a --trace"},
	    {prompts_said(p) > 1, "--prompt, --prompts and --prompt-tokens exclude each other"},
	    {p->trace != NULL && prompts_said(p) > 0,
	     "the --trace says what is asked: leave the prompt out"},
	    {wants_stream && !p->api->streams, "this API does not stream"},
	    {!p->stream && (p->slo.ttft_ms > 0 || p->slo.tpot_ms > 0),
	     "--slo: ttft and tpot are only seen in streams"},
	    {!is_header_text(&p->keys), "--key: a character that no header may hold"},
	    {!is_header_text(&p->classes), "--priority: a character that no header may hold"},
	    {p->command != PLAN_SWEEP && p->parallel_count > 0,
	     "--parallel is for `drover-bench sweep`"},
	    {p->command != PLAN_SWEEP && (p->start != NULL || p->simulate != NULL),
	     "--start and --simulate are for `drover-bench sweep`"},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].wrong) {
			buf_adds(why, checks[i].what);
			return false;
		}
	return p->command != PLAN_SWEEP || check_sweep(p, why);
}

/* Every server of a sweep has the same clients, and its models loaded before. */
static void
set_sweep_defaults(struct plan *p)
{
	int64_t most = 0;

	for (size_t i = 0; i < p->parallel_count; i++)
		most = p->parallel[i] > most ? p->parallel[i] : most;
	if (p->concurrency == 0 && p->trace == NULL && !(p->rate > 0))
		p->concurrency = most;
	if (p->warmup == 0)
		p->warmup = (int64_t)p->models.count;
	if (p->start == NULL && p->simulate == NULL)
		p->simulate = "load=1s,tps=40,share=0.25";
}

static void
set_defaults(struct plan *p)
{
	if (p->command == PLAN_SWEEP)
		set_sweep_defaults(p);
	if (p->url == NULL && p->command != PLAN_SWEEP)
		p->url = mem_strdup("http://127.0.0.1:8080");
	if (p->options == NULL)
		p->options = mem_strdup("");
	if (p->requests == 0 && p->duration_ms == 0 && p->trace == NULL)
		p->requests = 100;
	if (p->concurrency == 0 && p->trace == NULL && !(p->rate > 0))
		p->concurrency = 1;
	if (prompts_said(p) == 0 && p->trace == NULL)
		p->prompt_tokens = 64;
}

bool
plan_check(struct plan *p, const struct plan_given *given, struct buf *why)
{
	if (!given->stream)
		p->stream = p->api->streams;
	if (!check_together(p, given, why))
		return false;
	set_defaults(p);
	return true;
}
