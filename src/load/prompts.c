/* Files of prompts. */
#include "prompts.h"

#include "base/mem.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 16 * 1024 * 1024, PROMPTS_MAX = 1000000 };

static char *
get_text(const cJSON *json, const char *key)
{
	const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsString(it) && it->valuestring[0] != '\0' ? mem_strdup(it->valuestring) : NULL;
}

static int64_t
get_count(const cJSON *json)
{
	static const char *const names[] = {"num_predict", "max_tokens", "output_tokens"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, names[i]);

		if (cJSON_IsNumber(it) && it->valuedouble >= 1 && it->valuedouble < 1e9)
			return (int64_t)it->valuedouble;
	}
	return 0;
}

static const char *
read_json(struct prompt *p, const char *line, bool takes_messages)
{
	cJSON *json = cJSON_Parse(line);
	const cJSON *messages = cJSON_GetObjectItemCaseSensitive(json, "messages");
	const char *wrong = NULL;
	char *text = NULL;

	if (json == NULL)
		return "it begins like JSON and is none";
	p->text = get_text(json, "prompt");
	p->model = get_text(json, "model");
	p->output_tokens = get_count(json);
	if (cJSON_IsArray(messages) && takes_messages) {
		text = cJSON_PrintUnformatted(messages);
		p->messages = mem_strdup(text);
		cJSON_free(text);
	} else if (p->text == NULL) {
		wrong = cJSON_IsArray(messages) ? "this API takes a \"prompt\", no messages"
		                                : "a \"prompt\" or \"messages\" is needed";
	}
	cJSON_Delete(json);
	return wrong;
}

static const char *
add(struct prompts *p, const char *line, bool takes_messages)
{
	struct prompt *it;

	if (p->count == PROMPTS_MAX)
		return "more than a million prompts";
	if ((p->count & (p->count - 1)) == 0)
		p->all = mem_realloc(p->all, (p->count == 0 ? 1 : p->count * 2) * sizeof(p->all[0]));
	it = &p->all[p->count++];
	*it = (struct prompt){0};
	if (*line == '{')
		return read_json(it, line, takes_messages);
	it->text = mem_strdup(line);
	return NULL;
}

bool
prompts_read(struct prompts *p, const char *path, bool takes_messages, struct buf *why)
{
	FILE *f = fopen(path, "r");
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0;
	int number = 0;

	*p = (struct prompts){0};
	if (f == NULL) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	while (wrong == NULL && getline(&line, &room, f) >= 0) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (strlen(line) > LINE_BYTES_MAX)
			wrong = "the line is too long";
		else if (*line != '\0')
			wrong = add(p, line, takes_messages);
	}
	if (wrong == NULL && p->count == 0)
		wrong = "there is no prompt in it";
	if (wrong != NULL)
		buf_addf(why, "%s:%d: %s", path, number, wrong);
	free(line);
	fclose(f);
	return wrong == NULL;
}

void
prompts_finish(struct prompts *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->all[i].text);
		free(p->all[i].messages);
		free(p->all[i].model);
	}
	free(p->all);
	*p = (struct prompts){0};
}
