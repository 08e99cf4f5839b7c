/* The nodes and the variants: who owns them and when a variant goes. */
#include "fleet.h"

#include "base/mem.h"
#include "node.h"

#include <assert.h>
#include <stdlib.h>

static void
variant_free(struct variant *v)
{
	free(v->model);
	free(v->places);
	free(v);
}

void
fleet_finish(struct fleet *f)
{
	MAP_FOR_EACH (it, &f->variants)
		variant_free(it.value);
	map_finish(&f->variants);
	for (size_t i = 0; i < f->count; i++)
		backend_destroy(f->backends[i]);
	free(f->backends);
	*f = (struct fleet){0};
}

static void
add_place(const struct fleet *f, struct variant *v, size_t index)
{
	v->places[index] = (struct place){.allowed = backend_allows(f->backends[index], v->model)};
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
		add_place(f, v, index);
	}
	f->changes++;
	return f->backends[index];
}

struct variant *
variant_find(const struct fleet *f, const char *model)
{
	return map_find(&f->variants, model);
}

struct variant *
variant_get(struct fleet *f, const char *model)
{
	struct variant *v = variant_find(f, model);

	if (v != NULL)
		return v;
	v = NEW(struct variant);
	v->model = mem_strdup(model);
	list_init(&v->lanes);
	v->places = mem_zalloc(f->count + 1, sizeof(*v->places));
	for (size_t i = 0; i < f->count; i++)
		add_place(f, v, i);
	map_put(&f->variants, model, v);
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

void
variant_drop_unused(struct fleet *f, struct variant *v)
{
	if (v->jobs > 0 || v->places_known > 0)
		return;
	assert(list_empty(&v->lanes));
	map_take(&f->variants, v->model);
	variant_free(v);
}

static bool
is_known(const struct place *p)
{
	return p->listed || p->residency != ABSENT;
}

void
variant_set_listed(struct variant *v, const struct backend *b, bool listed)
{
	struct place *p = &v->places[b->index];

	v->places_known -= is_known(p);
	p->listed = listed && p->allowed;
	v->places_known += is_known(p);
}

void
variant_set_residency(struct variant *v, struct backend *b, enum residency residency)
{
	struct place *p = &v->places[b->index];

	v->places_known -= is_known(p);
	b->resident -= p->residency != ABSENT;
	p->residency = residency;
	b->resident += p->residency != ABSENT;
	v->places_known += is_known(p);
}
