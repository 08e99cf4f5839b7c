/* One context for the jobs of a model. */
#include "unify.h"

#include "keep.h"
#include "swap_choice.h"

#include <string.h>

enum { COMMON_CONTEXT = 4096 /* what Ollama gives, if nobody says otherwise */ };

static bool
is_equal(const struct variant_options *a, const struct variant_options *b)
{
	return a->given == b->given && memcmp(a->values, b->values, sizeof(a->values)) == 0;
}

/* Alike but for the context. */
static bool
is_kin(const struct variant *v, const struct variant_options *others)
{
	struct variant_options its = v->options;

	variant_options_unset(&its, OPTION_NUM_CTX);
	return is_equal(&its, others);
}

static bool
is_in_use(const struct fleet *f, const struct variant *v)
{
	if (v->jobs > 0)
		return true;
	for (size_t i = 0; i < f->count; i++)
		if (v->places[i].residency != ABSENT)
			return true;
	return false;
}

/* 0: the node's own, which is not known. */
static int32_t
context_of(const struct fleet *f, const struct variant *v)
{
	return variant_options_has(&v->options, OPTION_NUM_CTX) ? v->options.values[OPTION_NUM_CTX]
	                                                        : variant_own_context(f, v->base);
}

/* What is in use of the kin of a job. */
struct kin {
	struct variant *largest; /* NULL: none */
	struct variant *own;     /* with the node's own context; NULL: not in use */
};

static void
consider(const struct fleet *f, struct variant *v, const struct variant_options *others,
         struct kin *kin)
{
	if (!is_kin(v, others) || !is_in_use(f, v))
		return;
	if (kin->largest == NULL || context_of(f, v) > context_of(f, kin->largest))
		kin->largest = v;
	if (!variant_options_has(&v->options, OPTION_NUM_CTX))
		kin->own = v;
}

static struct kin
find_kin(const struct fleet *f, struct variant *base, const struct variant_options *others)
{
	struct kin kin = {0};
	struct variant *v;

	consider(f, base, others, &kin);
	LIST_FOR_EACH (v, &base->siblings, struct variant, sibling_link)
		consider(f, v, others, &kin);
	return kin;
}

static int32_t
round_up(int32_t num_ctx, int32_t most)
{
	int32_t power = 1;

	while (power < num_ctx && power <= INT32_MAX / 2)
		power *= 2;
	if (power < num_ctx)
		power = num_ctx;
	return most > 0 && power > most ? most : power;
}

static struct variant *
choose_unified(struct fleet *f, const struct job *j, struct variant *base)
{
	struct variant_options options = j->options;
	int32_t wanted = options.values[OPTION_NUM_CTX];
	int32_t own = variant_own_context(f, base), least;
	struct kin kin;

	variant_options_unset(&options, OPTION_NUM_CTX);
	kin = find_kin(f, base, &options);
	if (j->most_num_ctx > 0 && wanted > j->most_num_ctx)
		wanted = j->most_num_ctx;
	least = wanted > 0 ? wanted : own > 0 ? own : COMMON_CONTEXT;
	if (wanted == 0 && kin.own != NULL && own == 0)
		return kin.own;
	if (kin.largest != NULL && least <= context_of(f, kin.largest))
		return kin.largest;
	if (wanted > own)
		variant_options_set(&options, OPTION_NUM_CTX, round_up(wanted, j->most_num_ctx));
	return variant_get_with(f, base->model, &options);
}

static struct variant *
choose(struct fleet *f, const struct job *j, struct variant *base)
{
	if (j->slotless)
		return base;
	return j->unify ? choose_unified(f, j, base) : variant_get_with(f, base->model, &j->options);
}

/* Of two variants that share their arrivals the larger takes them from now on. */
static void
take_arrivals(struct variant *v, int64_t now_ms)
{
	struct variant *other;

	if (v->base == v || v->jobs > 0 || v->places_known > 0)
		return;
	swap_move_arrivals(v->base, v, now_ms);
	LIST_FOR_EACH (other, &v->base->siblings, struct variant, sibling_link)
		if (other != v)
			swap_move_arrivals(other, v, now_ms);
}

/* A node gives as much as the model was trained for, whatever is asked. */
static void
bound_context(const struct fleet *f, struct job *j, const struct variant *base)
{
	int32_t most = variant_trained_context(f, base);

	if (most == 0)
		return;
	if (j->most_num_ctx == 0 || j->most_num_ctx > most)
		j->most_num_ctx = most;
	if (j->options.values[OPTION_NUM_CTX] > most)
		variant_options_set(&j->options, OPTION_NUM_CTX, most);
}

void
unify_take(struct fleet *f, struct job *j, const char *model, int64_t now_ms)
{
	struct variant *base = variant_get(f, model), *v;

	bound_context(f, j, base);
	v = choose(f, j, base);
	if (j->unify)
		take_arrivals(v, now_ms);
	v->jobs++;
	j->variant = v;
}

static void
move(struct fleet *f, struct queue *q, struct job *j, struct variant *to)
{
	if (j == lane_oldest(j->lane))
		keep_drop(j->lane);
	queue_remove(q, j);
	to->jobs++;
	variant_release(f, &j->variant);
	j->variant = to;
	queue_add(q, j);
	fleet_weigh_now(f);
}

int32_t
unify_context(const struct fleet *f, const struct job *j)
{
	const struct variant *v = j->variant, *base = v->base;
	const struct own_context *own = &base->own[j->backend->index];
	int32_t wanted = j->options.values[OPTION_NUM_CTX], guess;

	if (variant_options_has(&v->options, OPTION_NUM_CTX))
		return v->options.values[OPTION_NUM_CTX];
	if (!j->unify || own->measured)
		return 0;
	guess = own->num_ctx > 0 ? own->num_ctx : variant_own_context(f, base);
	return guess > wanted ? guess : wanted;
}

/* O(waiting). `base`: of one model; NULL: of all. */
static void
regroup(struct fleet *f, struct queue *q, const struct variant *base)
{
	struct job *j;

	LIST_FOR_EACH (j, &q->by_age, struct job, age_link) {
		struct variant *v;

		if (!j->unify || j->slotless || (base != NULL && j->variant->base != base))
			continue;
		v = choose_unified(f, j, j->variant->base);
		if (v != j->variant)
			move(f, q, j, v);
	}
}

void
unify_gather(struct fleet *f, struct queue *q, const struct job *j)
{
	const struct variant *v = j->variant;

	if (j->unify && v->base != v && v->jobs == 1 && v->places_known == 0)
		regroup(f, q, v->base);
}

void
unify_settle(struct fleet *f, struct queue *q)
{
	if (!f->regroup)
		return;
	f->regroup = false;
	regroup(f, q, NULL);
}
