/*
 * The configuration file: any text loads or is refused with a place; what loads is shown
 * as YAML that loads again and means the same.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "check.h"
#include "conf/settings.h"
#include "file.h"
#include "record.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *const environment[] = {(char[]){"NAME=value"}, (char[]){"EMPTY="}, NULL};

static void
check_complaints(const struct report *r, const struct buf *text)
{
	/* Every line names the file; a message is never empty. */
	for (const char *at = buf_text(text); *at != '\0'; at = strchr(at, '\n') + 1)
		if (strncmp(at, "fuzz.yaml:", 10) != 0 && strncmp(at, "and ", 4) != 0 && r->count > 0)
			abort();
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
	check_complaints(&report, &why);
	loaded = report.count == 0;
	buf_finish(&why);
	report_finish(&report);
	record_finish(&root);
	return loaded;
}

/* As the view shows secrets. */
static void
mask(struct settings *s)
{
	for (size_t i = 0; i < s->backend_count; i++)
		if (s->backends[i].api_key != NULL) {
			free(s->backends[i].api_key);
			s->backends[i].api_key = mem_strdup("********");
		}
}

static void
check_view(struct settings *s)
{
	struct settings again = {0};
	struct buf yaml = {0};

	settings_add_yaml(s, &yaml);
	mask(s);
	if (!load(&again, yaml.data, yaml.len))
		abort();
	for (size_t i = 0; i < settings_table.count; i++)
		if (!value_equal(&settings_table.rows[i], s, &again))
			abort();
	settings_finish(&again);
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
