/* The naive ledger. */
#include "ledger.h"

#include "fair.h"
#include "world.h"

static const int steps[CLASSES] = {1, 2, 8};

static int64_t
in_key_time(const struct sim_job *j, int64_t cost)
{
	return cost * KEY_PARTS / (j->job.weight == 0 ? 1 : j->job.weight);
}

static bool
waits(const struct sim_job *j)
{
	return j->alive && j->job.state == JOB_QUEUED;
}

static bool
class_waits(const struct world *w, enum job_class class, const struct sim_job *but)
{
	for (int i = 0; i < MOST_JOBS; i++)
		if (&w->jobs[i] != but && waits(&w->jobs[i]) && w->jobs[i].job.class == class)
			return true;
	return false;
}

static bool
key_is_there(const struct world *w, int key)
{
	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].alive && w->jobs[i].key == key)
			return true;
	return false;
}

static int64_t
in_flight(const struct world *w, int key)
{
	int64_t cost = 0;

	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].alive && w->jobs[i].key == key && w->jobs[i].job.state == JOB_RUNNING)
			cost += in_key_time(&w->jobs[i], w->jobs[i].job.charged);
	return cost;
}

static void
raise(int64_t *to, int64_t least)
{
	if (*to < least)
		*to = least;
}

void
ledger_arrives(struct world *w, const struct sim_job *j)
{
	int64_t least = INT64_MAX;

	if (key_is_there(w, j->key))
		return;
	for (int k = 0; k < KEYS; k++)
		if (key_is_there(w, k) && w->ledger.key_time[k] - in_flight(w, k) < least)
			least = w->ledger.key_time[k] - in_flight(w, k);
	raise(&w->ledger.key_time[j->key], least == INT64_MAX ? w->ledger.key_floor : least);
}

void
ledger_waits(struct world *w, const struct sim_job *j)
{
	int64_t least = INT64_MAX;

	if (class_waits(w, j->job.class, j))
		return;
	for (int c = 0; c < CLASSES; c++)
		if (class_waits(w, (enum job_class)c, j) && w->ledger.class_time[c] < least)
			least = w->ledger.class_time[c];
	raise(&w->ledger.class_time[j->job.class], least == INT64_MAX ? w->ledger.class_floor : least);
}

void
ledger_starts(struct world *w, struct sim_job *j)
{
	int64_t cost = j->job.charged;
	int64_t output = (cost - j->job.prompt_tokens) / OUTPUT_TOKEN_COST;

	SIM_CHECK(w, j->job.slotless ? cost == 0 : output > 0);
	SIM_CHECK(w, j->job.most_output_tokens == 0 || output <= j->job.most_output_tokens);
	ledger_corrected(w, j);
	ledger_gives_up(w, j);
}

void
ledger_gives_up(struct world *w, const struct sim_job *j)
{
	if (!class_waits(w, j->job.class, j))
		raise(&w->ledger.class_floor, w->ledger.class_time[j->job.class]);
}

void
ledger_corrected(struct world *w, struct sim_job *j)
{
	int64_t more = j->job.charged - j->charged_before;

	j->charged_before = j->job.charged;
	w->ledger.key_time[j->key] +=
	    in_key_time(j, j->job.charged) - in_key_time(j, j->job.charged - more);
	w->ledger.class_time[j->job.class] += more * steps[j->job.class];
}

void
ledger_leaves(struct world *w, const struct sim_job *j)
{
	for (int k = 0; k < KEYS; k++)
		if (key_is_there(w, k))
			return;
	raise(&w->ledger.key_floor, w->ledger.key_time[j->key]);
}

static int64_t
class_turn(const struct world *w, enum job_class class)
{
	return w->ledger.class_time[class] + COMMON_COST * steps[class];
}

bool
ledger_key_goes_before(const struct world *w, const struct sim_job *a, const struct sim_job *b)
{
	int64_t key_a = w->ledger.key_time[a->key], key_b = w->ledger.key_time[b->key];

	return key_a != key_b ? key_a < key_b : a->job.sequence < b->job.sequence;
}

bool
ledger_goes_before(const struct world *w, const struct sim_job *a, const struct sim_job *b)
{
	int64_t class_a = class_turn(w, a->job.class), class_b = class_turn(w, b->job.class);

	if (class_a != class_b)
		return class_a < class_b;
	if (a->job.class != b->job.class)
		return a->job.class < b->job.class;
	return ledger_key_goes_before(w, a, b);
}

enum job_class
ledger_class_in_turn(const struct world *w, const struct sim_job *also)
{
	enum job_class best = also->job.class;

	for (int c = CLASSES - 1; c >= 0; c--)
		if (class_waits(w, (enum job_class)c, NULL) &&
		    (class_turn(w, (enum job_class)c) < class_turn(w, best) ||
		     (class_turn(w, (enum job_class)c) == class_turn(w, best) && c < (int)best)))
			best = (enum job_class)c;
	return best;
}
