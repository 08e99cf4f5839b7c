/* One struct that a table describes, while it is being filled. */
#include "record.h"

#include "base/mem.h"
#include "value.h"

#include <stdlib.h>

static void
set_defaults(struct record *r)
{
	static const struct origin nobody = {FROM_DEFAULT, NULL, 0, 0};
	struct report report = {0};

	for (size_t i = 0; i < r->table->count; i++) {
		const struct row *row = &r->table->rows[i];

		if (row->initial != NULL)
			record_set_any(r, i, &nobody, str_of(row->initial), &report);
	}
	/* A default that its own row refuses is a mistake in the table. */
	if (report.count > 0)
		abort();
}

void
record_init(struct record *r, const struct table *t, void *base)
{
	*r = (struct record){.table = t, .root_base = base};
	r->slots = mem_zalloc(t->count, sizeof(r->slots[0]));
	set_defaults(r);
}

static void
drop_records(struct slot *slot)
{
	for (size_t i = 0; i < slot->record_count; i++) {
		record_finish(slot->records[i]);
		free(slot->records[i]);
	}
	free(slot->records);
	slot->records = NULL;
	slot->record_count = 0;
}

void
record_finish(struct record *r)
{
	for (size_t i = 0; i < r->table->count; i++)
		drop_records(&r->slots[i]);
	free(r->slots);
	*r = (struct record){0};
}

/* Found anew each time: the array that it lives in moves as it grows. */
void *
record_base(const struct record *r)
{
	if (r->parent == NULL)
		return r->root_base;
	return value_record(&r->parent->table->rows[r->parent_row], record_base(r->parent), r->index);
}

void
record_add_path(const struct record *r, const char *path, struct buf *out)
{
	if (r->parent != NULL) {
		record_add_path(r->parent, r->parent->table->rows[r->parent_row].path, out);
		buf_addf(out, "[%zu]%s", r->index, path[0] == '\0' ? "" : ".");
	}
	buf_adds(out, path);
}

void
record_complain(const struct record *r, const struct origin *from, const char *path,
                struct report *report, const char *fmt, ...)
{
	struct buf full = {0}, message = {0};
	va_list args;

	record_add_path(r, path, &full);
	va_start(args, fmt);
	buf_addv(&message, fmt, args);
	va_end(args);
	report_add(report, from, buf_text(&full), "%s", buf_text(&message));
	buf_finish(&full);
	buf_finish(&message);
}

/* `set` is value_set or value_add_item. */
static void
put(struct record *r, size_t i, const struct origin *from, struct str text, struct report *report,
    bool (*set)(const struct row *, void *, struct str, struct buf *))
{
	const struct row *row = &r->table->rows[i];
	struct buf why = {0};

	if (!set(row, record_base(r), text, &why))
		record_complain(r, from, row->path, report, "%s", buf_text(&why));
	buf_finish(&why);
	/* Also where it failed: whatever is checked later does not blame the default. */
	r->slots[i].origin = *from;
}

void
record_set(struct record *r, size_t row, const struct origin *from, struct str text,
           struct report *report)
{
	put(r, row, from, text, report, value_set);
}

void
record_clear_list(struct record *r, size_t row, const struct origin *from)
{
	drop_records(&r->slots[row]);
	value_clear_list(&r->table->rows[row], record_base(r));
	r->slots[row].origin = *from;
}

void
record_add_item(struct record *r, size_t row, const struct origin *from, struct str text,
                struct report *report)
{
	put(r, row, from, text, report, value_add_item);
}

void
record_add_pair(struct record *r, size_t i, const struct origin *from, struct str name,
                struct str text, struct report *report)
{
	const struct row *row = &r->table->rows[i];
	struct buf why = {0};

	if (!value_add_pair(row, record_base(r), name, text, &why))
		record_complain(r, from, row->path, report, "%s", buf_text(&why));
	buf_finish(&why);
	r->slots[i].origin = *from;
}

struct record *
record_add_record(struct record *r, size_t row, const struct origin *from)
{
	const struct row *list = &r->table->rows[row];
	struct slot *slot = &r->slots[row];
	struct record *child = NEW(struct record);
	struct record **records;

	(void)value_add_record(list, record_base(r));
	records = mem_realloc(slot->records, (slot->record_count + 1) * sizeof(void *));
	slot->records = records;
	records[slot->record_count] = child;
	*child = (struct record){
	    .table = list->of,
	    .parent = r,
	    .parent_row = row,
	    .index = slot->record_count++,
	    .origin = *from,
	};
	child->slots = mem_zalloc(list->of->count, sizeof(child->slots[0]));
	set_defaults(child);
	return child;
}

void
record_add_any(struct record *r, size_t row, const struct origin *from, struct str text,
               struct report *report)
{
	const struct row *list = &r->table->rows[row];
	struct record *child;
	struct str name;

	if (list->kind == KIND_TEXTS) {
		record_add_item(r, row, from, text, report);
		return;
	}
	if (list->kind == KIND_PAIRS) {
		(void)str_split(&text, '=', &name);
		if (text.ptr == NULL) {
			record_complain(r, from, list->path, report, "\"%.*s\" is no pair; give name=text",
			                STR_ARG(name));
			return;
		}
		record_add_pair(r, row, from, str_trim(name), str_trim(text), report);
		return;
	}
	if (list->of->single_row == NO_SINGLE_ROW) {
		record_complain(r, from, list->path, report, "is told in the file alone");
		return;
	}
	child = record_add_record(r, row, from);
	record_set(child, child->table->single_row, from, text, report);
}

void
record_set_any(struct record *r, size_t row, const struct origin *from, struct str text,
               struct report *report)
{
	struct str part;

	if (!table_is_list(&r->table->rows[row])) {
		record_set(r, row, from, text, report);
		return;
	}
	record_clear_list(r, row, from);
	if (r->table->rows[row].kind == KIND_PAIRS && text.len == 0)
		return;
	while (str_split(&text, ',', &part))
		record_add_any(r, row, from, str_trim(part), report);
}
