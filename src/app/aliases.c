/* Other names for models. */
#include "app/aliases.h"

#include "proto/model_name.h"

#include <string.h>

bool
aliases_init(struct aliases *a, const struct text_map *texts, struct buf *why)
{
	*a = (struct aliases){0};
	for (size_t i = 0; i < texts->count; i++) {
		const struct text_pair *p = &texts->items[i];
		char name[MODEL_NAME_MAX], model[MODEL_NAME_MAX];

		if (!model_name_canonical(str_of(p->name), name) ||
		    !model_name_canonical(str_of(p->value), model)) {
			buf_addf(why, "aliases: \"%s: %s\" are no names of models", p->name, p->value);
			return false;
		}
		map_put(&a->models, name, p->value);
	}
	return true;
}

void
aliases_finish(struct aliases *a)
{
	map_finish(&a->models);
}

const char *
aliases_find(const struct aliases *a, const char *name)
{
	char canonical[MODEL_NAME_MAX];

	if (map_count(&a->models) == 0 || !model_name_canonical(str_of(name), canonical))
		return NULL;
	return map_find(&a->models, canonical);
}
