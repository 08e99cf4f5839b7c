/* A configuration as texts, through libcyaml. */
#include "sheet.h"

#include "base/mem.h"

#include <cyaml/cyaml.h>
#include <stdlib.h>
#include <string.h>

/* Fields end with an empty one, so a table needs one a row and two for each group. */
enum { MOST_FIELDS = 192, MOST_VALUES = 8, LONGEST_NAME = 32 };

/* A schema and all that it points to. */
struct schema {
	cyaml_schema_value_t root;
	cyaml_schema_field_t fields[MOST_FIELDS];
	cyaml_schema_value_t values[MOST_VALUES];
	char names[MOST_FIELDS][LONGEST_NAME];
	size_t field_count;
	size_t value_count;
};

static void *
allocate(void *ctx, void *old, size_t size)
{
	if (size == 0) {
		free(old);
		return NULL;
	}
	return mem_realloc(old, size);
}

/* Without a log: what a user can get wrong was found before, with its place. */
static const cyaml_config_t config = {
    .mem_fn = allocate,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS | CYAML_CFG_NO_ALIAS | CYAML_CFG_STYLE_BLOCK,
};

/* Quoted, so that a name like "null" or "10" is written as the text that it is. */
static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER | CYAML_FLAG_SCALAR_QUOTE_DOUBLE, char *, 0,
                       CYAML_UNLIMITED),
};

/* ---- the schema, made of the table ---- */

static cyaml_schema_field_t *
reserve_fields(struct schema *s, size_t count)
{
	cyaml_schema_field_t *first = &s->fields[s->field_count];

	if (s->field_count + count > MOST_FIELDS)
		abort();
	s->field_count += count;
	return first;
}

static cyaml_schema_value_t mapping_value(struct schema *s, const struct table *t,
                                          enum cyaml_flag flags);

static const cyaml_schema_value_t *
record_value(struct schema *s, const struct table *t)
{
	cyaml_schema_value_t *value = &s->values[s->value_count++];

	if (s->value_count > MOST_VALUES)
		abort();
	*value = mapping_value(s, t, CYAML_FLAG_DEFAULT);
	return value;
}

static void
fill_leaf(struct schema *s, cyaml_schema_field_t *f, const struct row *row, size_t index)
{
	uint32_t cell = (uint32_t)(index * sizeof(struct cell));
	bool is_list = row->kind == KIND_TEXTS;

	if (row->kind == KIND_PAIRS) {
		/* Keys that nobody knows: passed over as it loads, and left out as it saves. */
		f->data_offset = cell + (uint32_t)offsetof(struct cell, items);
		f->value.type = CYAML_MAPPING;
		f->value.flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL;
		f->value.data_size = 1;
		f->value.mapping.fields = reserve_fields(s, 1);
		return;
	}
	if (!is_list && row->kind != KIND_RECORDS) {
		f->value = text_value;
		f->value.flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL;
		if (row->kind == KIND_TEXT)
			f->value.flags |= CYAML_FLAG_SCALAR_QUOTE_DOUBLE;
		f->data_offset = cell + (uint32_t)offsetof(struct cell, text);
		return;
	}
	f->data_offset = cell + (uint32_t)offsetof(struct cell, items);
	f->count_offset = cell + (uint32_t)offsetof(struct cell, count);
	f->count_size = sizeof(((struct cell *)0)->count);
	f->value.type = CYAML_SEQUENCE;
	f->value.flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL;
	f->value.data_size =
	    (uint32_t)(is_list ? sizeof(char *) : row->of->count * sizeof(struct cell));
	f->value.sequence.entry = is_list ? &text_value : record_value(s, row->of);
	f->value.sequence.max = CYAML_UNLIMITED;
}

static size_t
name_len(const char *path)
{
	return strcspn(path, ".");
}

/* How many rows from `from` on have the same name at `skip`. */
static size_t
run_length(const struct table *t, size_t from, size_t end, size_t skip)
{
	const char *path = t->rows[from].path + skip;
	size_t n = 1;

	while (from + n < end && strncmp(t->rows[from + n].path + skip, path, name_len(path) + 1) == 0)
		n++;
	return n;
}

/* The fields of rows `from` to `end`, whose paths are alike up to `skip`. A group is a mapping at
 * the offset of the whole: its cells are found by their own offsets. */
static const cyaml_schema_field_t *
make_fields(struct schema *s, const struct table *t, size_t from, size_t end, size_t skip)
{
	cyaml_schema_field_t *first, *f;
	size_t count = 0, run;

	for (size_t i = from; i < end; i += run_length(t, i, end, skip))
		count++;
	first = f = reserve_fields(s, count + 1);
	for (size_t i = from; i < end; i += run, f++) {
		const char *path = t->rows[i].path + skip;
		size_t len = name_len(path);
		char *name = s->names[f - s->fields];

		run = run_length(t, i, end, skip);
		if (len >= LONGEST_NAME)
			abort();
		memcpy(name, path, len);
		f->key = name;
		if (path[len] == '\0') {
			fill_leaf(s, f, &t->rows[i], i);
			continue;
		}
		f->value.type = CYAML_MAPPING;
		f->value.flags = CYAML_FLAG_OPTIONAL;
		f->value.data_size = (uint32_t)(t->count * sizeof(struct cell));
		f->value.mapping.fields = make_fields(s, t, i, i + run, skip + len + 1);
	}
	return first;
}

static cyaml_schema_value_t
mapping_value(struct schema *s, const struct table *t, enum cyaml_flag flags)
{
	return (cyaml_schema_value_t){
	    .type = CYAML_MAPPING,
	    .flags = flags,
	    .data_size = (uint32_t)(t->count * sizeof(struct cell)),
	    .mapping.fields = make_fields(s, t, 0, t->count, 0),
	};
}

static struct schema *
schema_create(void)
{
	struct schema *s = NEW(struct schema);

	s->root = mapping_value(s, &settings_table, CYAML_FLAG_POINTER);
	return s;
}

/* ---- what it is for ---- */

struct cell *
sheet_load(struct str text, struct buf *why)
{
	struct schema *s = schema_create();
	cyaml_data_t *cells = NULL;
	cyaml_err_t err;

	err = cyaml_load_data((const uint8_t *)text.ptr, text.len, &config, &s->root, &cells, NULL);
	free(s);
	if (err != CYAML_OK)
		buf_adds(why, cyaml_strerror(err));
	else if (cells == NULL)
		/* Nothing but unknown keys in it. */
		cells = mem_zalloc(settings_table.count, sizeof(struct cell));
	return cells;
}

void
sheet_save(const struct cell *cells, struct buf *out)
{
	struct schema *s = schema_create();
	char *text = NULL;
	size_t len = 0;

	if (cyaml_save_data(&text, &len, &config, &s->root, cells, 0) != CYAML_OK)
		abort();
	buf_add(out, text, len);
	free(text);
	free(s);
}

void
sheet_destroy(struct cell *cells)
{
	struct schema *s = schema_create();

	if (cells != NULL && cyaml_free(&config, &s->root, cells, 0) != CYAML_OK)
		abort();
	free(s);
}

struct cell *
sheet_record(const struct cell *cell, const struct row *row, size_t i)
{
	return (struct cell *)cell->items + i * row->of->count;
}
