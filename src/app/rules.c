/* The rules for models. */
#include "app/rules.h"

#include "base/str.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static bool
matches(const char *glob, const char *model)
{
	static const char tag[] = ":latest";
	size_t len = strlen(model), tag_len = strlen(tag);
	char bare[1024];

	if (str_glob(glob, model))
		return true;
	if (len < tag_len || len >= sizeof(bare) || strcmp(model + len - tag_len, tag) != 0)
		return false;
	memcpy(bare, model, len - tag_len);
	bare[len - tag_len] = '\0';
	return str_glob(glob, bare);
}

const struct model_settings *
rules_find(const struct settings *s, const char *model)
{
	static const struct model_settings none = {.num_ctx.unify = true};

	for (size_t i = 0; i < s->model_count; i++)
		if (matches(s->models[i].match, model))
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
