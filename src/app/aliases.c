/* Other names for models. */
#include "app/aliases.h"

#include "base/mem.h"

#include <stdlib.h>

bool
aliases_init(struct aliases *a, const struct text_map *texts, struct buf *why)
{
	*a = (struct aliases){.listed = mem_zalloc(texts->count + 1, sizeof(a->listed[0]))};
	for (size_t i = 0; i < texts->count; i++) {
		const struct text_pair *p = &texts->items[i];
		struct listing_alias *it = &a->listed[i];

		if (!model_name_canonical(str_of(p->name), it->canonical) ||
		    !model_name_canonical(str_of(p->value), it->model)) {
			buf_addf(why, "aliases: \"%s: %s\" are no names of models", p->name, p->value);
			return false;
		}
		if (map_find(&a->models, it->canonical) != NULL) {
			buf_addf(why, "aliases: \"%s\" is there twice: without a tag, :latest is meant",
			         p->name);
			return false;
		}
		it->name = p->name;
		a->count++;
		map_put(&a->models, it->canonical, p->value);
	}
	return true;
}

void
aliases_finish(struct aliases *a)
{
	map_finish(&a->models);
	free(a->listed);
}

const char *
aliases_find(const struct aliases *a, const char *name)
{
	char canonical[MODEL_NAME_MAX];

	if (map_count(&a->models) == 0 || !model_name_canonical(str_of(name), canonical))
		return NULL;
	return map_find(&a->models, canonical);
}
