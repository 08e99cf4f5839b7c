/*
 * The configuration file: any text loads or is refused with a place; what loads is shown
 * as YAML that loads again and means the same.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/mem.h"
#include "check.h"
#include "conf/settings.h"
#include "file.h"
#include "record.h"
#include "value.h"

#include <string.h>

static char *const environment[] = {(char[]){"NAME=value"}, (char[]){"EMPTY="}, NULL};

/* Every line names the file and has a message. */
static void
check_complaints(const struct report *r, const char *text)
{
	CLAIM((r->count == 0) == (*text == '\0'));
	for (; *text != '\0'; text = strchr(text, '\n') + 1)
		CLAIM(strncmp(text, "fuzz.yaml:", 10) == 0 || strncmp(text, "and ", 4) == 0);
}

/* Whether the text was accepted. */
static bool
load(struct settings *s, const char *text, size_t len)
{
	struct report report = {0};
	struct buf why = {0};
	struct record root;
	bool loaded;

	record_init(&root, &settings_table, s);
	file_apply(&root, (struct str){text, len}, "fuzz.yaml", environment, &report);
	if (report.count == 0 && s->backend_count > 0) {
		check_settle(&root, s);
		check_all(&root, s, &report);
	}
	report_write(&report, &why);
	check_complaints(&report, buf_text(&why));
	loaded = report.count == 0;
	buf_finish(&why);
	report_finish(&report);
	record_finish(&root);
	return loaded;
}

/* Gives a secret a text that can stand for a key and for a digest, each its own. */
static void
replace(char **secret, int *count)
{
	struct buf text = {0};

	if (*secret == NULL)
		return;
	buf_addf(&text, "%064d", (*count)++);
	free(*secret);
	*secret = buf_take(&text);
}

/* In the order of the view. */
static void
replace_secrets(struct settings *s)
{
	int count = 0;

	for (size_t i = 0; i < s->backend_count; i++)
		replace(&s->backends[i].api_key, &count);
	for (size_t i = 0; i < s->key_count; i++) {
		replace(&s->keys[i].key, &count);
		replace(&s->keys[i].key_sha256, &count);
	}
}

/* The same in the view, where they are masked. */
static void
replace_masks(const char *yaml, struct buf *out)
{
	static const char mask[] = "\"********\"";
	const char *at;
	int count = 0;

	for (; (at = strstr(yaml, mask)) != NULL; yaml = at + strlen(mask)) {
		buf_add(out, yaml, (size_t)(at - yaml));
		buf_addf(out, "\"%064d\"", count++);
	}
	buf_adds(out, yaml);
}

static void
check_view(struct settings *s)
{
	struct settings again = {0};
	struct buf view = {0}, yaml = {0};

	settings_add_yaml(s, &view);
	replace_masks(buf_text(&view), &yaml);
	replace_secrets(s);
	CLAIM(load(&again, yaml.data, yaml.len));
	for (size_t i = 0; i < settings_table.count; i++)
		CLAIM(value_equal(&settings_table.rows[i], s, &again));
	settings_finish(&again);
	buf_finish(&view);
	buf_finish(&yaml);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s = {0};

	if (load(&s, (const char *)data, size))
		check_view(&s);
	settings_finish(&s);
	return 0;
}
