/* The rules for models. */
#include "app/rules.h"

#include "base/str.h"
#include "base/unit.h"

#include <stdlib.h>

const struct model_settings *
rules_find(const struct settings *s, const char *model)
{
	static const struct model_settings none = {.num_ctx.unify = true, .cache = CACHE_MODE_INHERIT};

	for (size_t i = 0; i < s->model_count; i++)
		if (str_glob_model(s->models[i].match, model))
			return &s->models[i];
	return &none;
}

int64_t
rules_load_ms(const struct settings *s, const char *model)
{
	const struct model_settings *rule = rules_find(s, model);

	return rule->load > 0 ? rule->load : s->timeouts.load;
}

int64_t
rules_keep_alive_s(const struct settings *s, const char *model)
{
	const struct model_settings *rule = rules_find(s, model);
	const char *text = rule->keep_alive != NULL ? rule->keep_alive : s->keep_alive;
	int64_t seconds;

	if (text == NULL)
		return 0;
	if (!unit_parse_keep_alive_s(str_of(text), &seconds))
		abort(); /* the configuration was checked */
	return seconds;
}
