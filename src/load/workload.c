/*
 * The requests of a run. Three sources of prompts: one text or made-up ones, a
 * file, a trace; two of times: the rate, or the trace. Where there is neither, a
 * request is due when there is a place for it.
 */
#include "workload.h"

#include "base/mem.h"
#include "prompts.h"
#include "proto/trace.h"
#include "recording.h"
#include "words.h"

#include <stdlib.h>

/* Lanes of the seed, so that one kind of choice does not shift another. */
enum lane { LANE_ARRIVALS, LANE_MIX, LANE_WARMUP = 1000 };

static const uint64_t lane_of_prompts = UINT64_C(1) << 32;
static const uint64_t lane_of_blocks = UINT64_C(1) << 54;

struct workload {
	const struct plan *plan; /* borrowed */
	struct prompts prompts;
	struct recording recording;
	struct rng arrivals;
	struct rng mix;
	double due_us; /* of the next one in open loop */
	int64_t number;
	struct buf text; /* owned; of the prompt at hand */
};

struct workload *
workload_create(const struct plan *plan, struct buf *why)
{
	struct workload *w = NEW(struct workload);
	bool good = true;

	w->plan = plan;
	rng_init(&w->arrivals, plan->seed, LANE_ARRIVALS);
	rng_init(&w->mix, plan->seed, LANE_MIX);
	if (plan->prompts != NULL)
		good = prompts_read(&w->prompts, plan->prompts, plan->api->takes_messages, why);
	if (plan->trace != NULL)
		good = recording_read(&w->recording, plan->trace, plan->trace_speed, why);
	if (!good)
		workload_destroy(&w);
	return w;
}

void
workload_destroy(struct workload **wp)
{
	struct workload *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	prompts_finish(&w->prompts);
	recording_finish(&w->recording);
	buf_finish(&w->text);
	free(w);
}

int64_t
workload_count(const struct workload *w)
{
	int64_t recorded = (int64_t)w->recording.count, asked = w->plan->requests;

	if (w->plan->trace == NULL)
		return asked > 0 ? asked : -1;
	return asked > 0 && asked < recorded ? asked : recorded;
}

static void
add_body(struct workload *w, struct ask *ask, struct buf *body)
{
	const struct plan *plan = w->plan;

	ask->stream = plan->stream;
	ask->options = plan->options;
	if (ask->output_tokens == 0)
		ask->output_tokens = plan->output_tokens;
	plan->api->add_body(body, ask);
}

/* When the next one of an open loop is due. */
static int64_t
next_due(struct workload *w)
{
	const struct plan *plan = w->plan;
	int64_t due_us = (int64_t)w->due_us;
	double mean_us = 1e6 / plan->rate;

	switch (plan->arrival) {
	case ARRIVAL_POISSON: w->due_us += rng_exponential(&w->arrivals, mean_us); break;
	case ARRIVAL_CONSTANT: w->due_us = (double)(w->number + 1) * mean_us; break;
	}
	return due_us;
}

/* A recorded prompt: the blocks it has in common with others are the same words. */
static void
add_recorded_text(struct workload *w, const struct recorded *r)
{
	int64_t left = r->prompt_tokens > 0 ? r->prompt_tokens : 1;

	for (size_t i = 0; i < r->block_count && left > 0; i++) {
		int64_t part = left < TRACE_BLOCK_TOKENS ? left : TRACE_BLOCK_TOKENS;

		words_add(&w->text, w->plan->seed, lane_of_blocks + w->recording.blocks[r->first_block + i],
		          part);
		left -= part;
	}
	words_add(&w->text, w->plan->seed, lane_of_prompts + (uint64_t)w->number, left);
}

/* A name of the trace that is none of the mix stands for one of it, always the same. */
static size_t
from_mix(const struct mix *m, char *const *names, int index, size_t chosen)
{
	int found;

	if (index < 0 || m->count == 0)
		return chosen;
	found = mix_find(m, names[index], strlen(names[index]));
	return found >= 0 ? (size_t)found : (size_t)index % m->count;
}

static void
take_recorded(struct workload *w, struct shot *out, struct ask *ask)
{
	const struct recorded *r = &w->recording.all[w->number];

	out->due_us = r->due_us;
	out->model = from_mix(&w->plan->models, w->recording.models, r->model, out->model);
	out->key = from_mix(&w->plan->keys, w->recording.keys, r->key, out->key);
	add_recorded_text(w, r);
	ask->prompt = buf_text(&w->text);
	ask->output_tokens = r->output_tokens;
}

/* A prompt that names a model outside of the mix counts with the one that was chosen. */
static void
take_of_file(struct workload *w, struct shot *out, struct ask *ask, size_t number)
{
	const struct prompt *p = &w->prompts.all[number % w->prompts.count];
	int found = p->model == NULL ? -1 : mix_find(&w->plan->models, p->model, strlen(p->model));

	if (found >= 0)
		out->model = (size_t)found;
	ask->model = p->model;
	ask->prompt = p->text;
	ask->messages = p->messages;
	ask->output_tokens = p->output_tokens;
}

static void
take_prompt(struct workload *w, struct shot *out, struct ask *ask, uint64_t lane)
{
	const struct plan *plan = w->plan;

	if (w->prompts.count > 0) {
		take_of_file(w, out, ask, (size_t)w->number);
		return;
	}
	if (plan->prompt == NULL)
		words_add(&w->text, plan->seed, lane, plan->prompt_tokens > 0 ? plan->prompt_tokens : 64);
	ask->prompt = plan->prompt != NULL ? plan->prompt : buf_text(&w->text);
}

bool
workload_next(struct workload *w, struct shot *out, struct buf *body)
{
	const struct plan *plan = w->plan;
	int64_t count = workload_count(w);
	struct ask ask = {0};

	if (count >= 0 && w->number >= count)
		return false;
	*out = (struct shot){
	    .due_us = plan->rate > 0 ? next_due(w) : -1,
	    .model = mix_choose(&plan->models, &w->mix),
	    .key = mix_choose(&plan->keys, &w->mix),
	    .class = mix_choose(&plan->classes, &w->mix),
	};
	buf_clear(&w->text);
	if (plan->trace != NULL)
		take_recorded(w, out, &ask);
	else
		take_prompt(w, out, &ask, lane_of_prompts + (uint64_t)w->number);
	if (plan->duration_ms > 0 && out->due_us >= plan->duration_ms * 1000)
		return false;
	if (ask.model == NULL)
		ask.model = plan->models.texts[out->model];
	w->number++;
	add_body(w, &ask, body);
	return true;
}

void
workload_warm(struct workload *w, int64_t number, struct shot *out, struct buf *body)
{
	const struct plan *plan = w->plan;
	struct ask ask = {0};

	*out = (struct shot){.due_us = -1, .model = (size_t)number % plan->models.count};
	if (plan->keys.count > 0)
		out->key = (size_t)number % plan->keys.count;
	buf_clear(&w->text);
	take_prompt(w, &(struct shot){0}, &ask, LANE_WARMUP + (uint64_t)number);
	ask.model = plan->models.texts[out->model];
	add_body(w, &ask, body);
}
