/* The nodes and the variants: who owns them and when a variant goes. */
#include "fleet.h"

#include "base/buf.h"
#include "base/mem.h"
#include "node.h"

#include <assert.h>
#include <stdlib.h>

enum { WEIGH_EVERY_MS = 50 };

static void
variant_free(struct variant *v)
{
	free(v->model);
	free(v->places);
	free(v->own);
	free(v);
}

void
fleet_init(struct fleet *f)
{
	*f = (struct fleet){.next_swap_ms = INT64_MAX, .weighed_at_ms = -WEIGH_EVERY_MS};
}

static void
weigh_by(struct fleet *f, int64_t at_ms)
{
	f->next_swap_ms = at_ms < f->next_swap_ms ? at_ms : f->next_swap_ms;
}

void
fleet_weigh_soon(struct fleet *f)
{
	weigh_by(f, f->weighed_at_ms + WEIGH_EVERY_MS);
}

void
fleet_weigh_now(struct fleet *f)
{
	weigh_by(f, f->weighed_at_ms);
}

void
fleet_finish(struct fleet *f)
{
	MAP_FOR_EACH (it, &f->variants)
		variant_free(it.value);
	map_finish(&f->variants);
	twins_finish(&f->twins);
	for (size_t i = 0; i < f->count; i++)
		backend_destroy(f->backends[i]);
	free(f->backends);
	*f = (struct fleet){0};
}

static void
add_place(const struct fleet *f, struct variant *v, size_t index)
{
	v->places[index] = (struct place){
	    .allowed = backend_allows(f->backends[index], v->model),
	    .listed = v->base != v && v->base->places[index].listed,
	};
}

struct backend *
fleet_add(struct fleet *f, const struct backend_conf *conf, const struct health_conf *health)
{
	size_t index = f->count++;

	f->backends = mem_realloc(f->backends, f->count * sizeof(*f->backends));
	f->backends[index] = backend_create(f, index, conf, health);
	MAP_FOR_EACH (it, &f->variants) {
		struct variant *v = it.value;

		v->places = mem_realloc(v->places, f->count * sizeof(*v->places));
		v->own = mem_realloc(v->own, f->count * sizeof(*v->own));
		v->own[index] = (struct own_context){0};
		add_place(f, v, index);
	}
	f->changes++;
	fleet_weigh_soon(f);
	return f->backends[index];
}

struct variant *
variant_find(const struct fleet *f, const char *model)
{
	return map_find(&f->variants, twins_elder(&f->twins, model));
}

static struct variant *
variant_create(struct fleet *f, const char *model, struct variant *base, const char *key)
{
	struct variant *v = NEW(struct variant);

	v->model = mem_strdup(model);
	v->base = base == NULL ? v : base;
	list_init(&v->lanes);
	list_init(&v->siblings);
	list_init(&v->sibling_link);
	v->places = mem_zalloc(f->count + 1, sizeof(*v->places));
	v->own = mem_zalloc(f->count + 1, sizeof(*v->own));
	for (size_t i = 0; i < f->count; i++)
		add_place(f, v, i);
	map_put(&f->variants, key, v);
	return v;
}

struct variant *
variant_get(struct fleet *f, const char *model)
{
	struct variant *v = variant_find(f, model);

	model = twins_elder(&f->twins, model);
	return v != NULL ? v : variant_create(f, model, NULL, model);
}

/* The weights are the same: what is known of one holds, more or less, for the other. */
static void
pass_on_estimates(const struct fleet *f, const struct variant *from, struct variant *to)
{
	if (!estimate_is_measured(&to->estimate))
		to->estimate = from->estimate;
	for (size_t i = 0; i < f->count; i++) {
		const struct speed *known = &from->places[i].speed;
		struct speed *s = &to->places[i].speed;

		if (s->rate_x16 == 0)
			s->rate_x16 = known->rate_x16;
		if (s->load_x16 == 0)
			s->load_x16 = known->load_x16;
	}
}

/* A line feed is in no name of a model. */
static void
add_key(struct buf *key, const char *model, const struct variant_options *options)
{
	buf_adds(key, model);
	for (int o = 0; o < VARIANT_OPTIONS; o++)
		if (variant_options_has(options, (enum variant_option)o))
			buf_addf(key, "\n%d=%d", o, options->values[o]);
}

struct variant *
variant_get_with(struct fleet *f, const char *model, const struct variant_options *options)
{
	struct buf key = {0};
	struct variant *v;

	if (options->given == 0)
		return variant_get(f, model);
	model = twins_elder(&f->twins, model);
	add_key(&key, model, options);
	v = map_find(&f->variants, buf_text(&key));
	if (v == NULL) {
		v = variant_create(f, model, variant_get(f, model), buf_text(&key));
		v->options = *options;
		list_add_last(&v->base->siblings, &v->sibling_link);
		pass_on_estimates(f, v->base, v);
	}
	buf_finish(&key);
	return v;
}

struct variant *
variant_retain(struct fleet *f, const char *model)
{
	struct variant *v = variant_get(f, model);

	v->jobs++;
	return v;
}

void
variant_release(struct fleet *f, struct variant **vp)
{
	struct variant *v = *vp;

	*vp = NULL;
	assert(v->jobs > 0);
	v->jobs--;
	variant_drop_unused(f, v);
}

static void
drop(struct fleet *f, struct variant *v)
{
	struct buf key = {0};

	assert(list_empty(&v->lanes));
	add_key(&key, v->model, &v->options);
	map_take(&f->variants, buf_text(&key));
	buf_finish(&key);
	list_remove(&v->sibling_link);
	if (v->base != v)
		pass_on_estimates(f, v, v->base);
	variant_free(v);
}

void
variant_drop_unused(struct fleet *f, struct variant *v)
{
	struct variant *base = v->base;

	if (v->jobs > 0 || v->places_known > 0 || !list_empty(&v->siblings))
		return;
	drop(f, v);
	if (base != v)
		variant_drop_unused(f, base);
}

int32_t
variant_own_context(const struct fleet *f, const struct variant *base)
{
	struct own_context least = {0};

	for (size_t i = 0; i < f->count; i++) {
		struct own_context own = base->own[i];
		bool better = own.measured == least.measured ? own.num_ctx < least.num_ctx : own.measured;

		if (own.num_ctx > 0 && (least.num_ctx == 0 || better))
			least = own;
	}
	return least.num_ctx;
}

int32_t
variant_trained_context(const struct fleet *f, const struct variant *base)
{
	int32_t most = 0;

	for (size_t i = 0; i < f->count; i++)
		if (base->own[i].trained > most)
			most = base->own[i].trained;
	return most;
}

struct variant *
variant_find_sibling_on(const struct variant *v, const struct backend *b)
{
	struct variant *base = v->base, *s;

	if (base != v && base->places[b->index].residency != ABSENT)
		return base;
	LIST_FOR_EACH (s, &base->siblings, struct variant, sibling_link)
		if (s != v && s->places[b->index].residency != ABSENT)
			return s;
	return NULL;
}

/* That a model is listed keeps its base alone. */
static bool
is_known(const struct variant *v, const struct place *p)
{
	return (v->base == v && p->listed) || p->residency != ABSENT;
}

void
variant_set_listed(struct variant *v, const struct backend *b, bool listed)
{
	struct place *p = &v->places[b->index];
	struct variant *s;

	assert(v->base == v);
	v->places_known -= is_known(v, p);
	p->listed = listed && p->allowed;
	v->places_known += is_known(v, p);
	LIST_FOR_EACH (s, &v->siblings, struct variant, sibling_link)
		s->places[b->index].listed = p->listed;
}

void
variant_set_residency(struct variant *v, struct backend *b, enum residency residency)
{
	struct place *p = &v->places[b->index];

	v->places_known -= is_known(v, p);
	/* What must not be unloaded may be loaded, and the other way round. */
	if (p->residency != residency && (p->residency == LOADED || residency == LOADED))
		p->quarantine_end_ms = 0;
	if (p->residency != ABSENT)
		backend_drop_resident(b, v);
	v->held += (residency != ABSENT) - (p->residency != ABSENT);
	p->residency = residency;
	if (p->residency != ABSENT)
		backend_add_resident(b, v);
	fleet_weigh_now(b->fleet);
	p->ours = p->ours && residency != ABSENT;
	v->places_known += is_known(v, p);
}
