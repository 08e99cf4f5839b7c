/* Who used what. */
#include "core/tally.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct tally_row row; /* its texts are behind it */
	struct list link;
	struct list changed_link; /* in tally.changed, or in no list */
	char texts[];
};

/* The whole, or a sum of it. */
struct table {
	struct map by_name;  /* of struct entry, by hour, key and model */
	struct list entries; /* of struct entry, owned, by link; hours rise */
	struct entry *last;  /* that was found: mostly it is wanted again; NULL: none */
	size_t count;
};

struct tally {
	struct table table;
	struct list changed; /* of struct entry, by changed_link */
	int64_t keep_hours;
};

static const char *const refusal_names[TALLY_REFUSALS] = {
    [TALLY_LIMIT] = "limit",
    [TALLY_FORBIDDEN] = "forbidden",
    [TALLY_BUSY] = "busy",
    [TALLY_INVALID] = "invalid",
};

/* ---- a table ---- */

/* No name has a line feed in it. */
static void
add_name(int64_t hour, const char *key, const char *model, struct buf *out)
{
	buf_add_int(out, hour);
	buf_addc(out, '\n');
	buf_adds(out, key);
	buf_addc(out, '\n');
	buf_adds(out, model);
}

static struct entry *
entry_create(int64_t hour, const char *key, const char *model)
{
	size_t key_size = strlen(key) + 1, model_size = strlen(model) + 1;
	struct entry *e = mem_alloc(sizeof(*e) + key_size + model_size);

	*e = (struct entry){.row = {.hour = hour}};
	memcpy(e->texts, key, key_size);
	memcpy(e->texts + key_size, model, model_size);
	e->row.key = e->texts;
	e->row.model = e->texts + key_size;
	list_init(&e->link);
	list_init(&e->changed_link);
	return e;
}

static bool
is_of(const struct entry *e, int64_t hour, const char *key, const char *model)
{
	return e->row.hour == hour && strcmp(e->row.key, key) == 0 && strcmp(e->row.model, model) == 0;
}

static struct entry *
find_or_add(struct table *t, int64_t hour, const char *key, const char *model)
{
	struct buf name = {0};
	struct entry *e;

	if (t->last != NULL && is_of(t->last, hour, key, model))
		return t->last;
	add_name(hour, key, model, &name);
	e = map_find(&t->by_name, buf_text(&name));
	if (e == NULL) {
		e = entry_create(hour, key, model);
		map_put(&t->by_name, buf_text(&name), e);
		list_add_last(&t->entries, &e->link);
		t->count++;
	}
	t->last = e;
	buf_finish(&name);
	return e;
}

static void
forget(struct table *t, struct entry *e)
{
	struct buf name = {0};

	add_name(e->row.hour, e->row.key, e->row.model, &name);
	map_take(&t->by_name, buf_text(&name));
	list_remove(&e->link);
	list_remove(&e->changed_link);
	t->last = NULL;
	t->count--;
	buf_finish(&name);
	free(e);
}

static void
table_finish(struct table *t)
{
	struct entry *e;

	map_finish(&t->by_name);
	LIST_FOR_EACH (e, &t->entries, struct entry, link)
		free(e);
}

static void
add_count(struct tally_count *to, const struct tally_count *add)
{
	to->requests += add->requests;
	to->prompt_tokens += add->prompt_tokens;
	to->output_tokens += add->output_tokens;
	to->slot_ms += add->slot_ms;
	to->waited_ms += add->waited_ms;
	to->cached += add->cached;
	for (int r = 0; r < TALLY_REFUSALS; r++)
		to->refused[r] += add->refused[r];
}

/* ---- the whole ---- */

struct tally *
tally_create(int64_t keep_hours)
{
	struct tally *t = NEW(struct tally);

	t->keep_hours = keep_hours;
	list_init(&t->table.entries);
	list_init(&t->changed);
	return t;
}

void
tally_destroy(struct tally **tp)
{
	struct tally *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	table_finish(&t->table);
	free(t);
}

static void
drop_old(struct tally *t, int64_t hour)
{
	struct entry *first;

	while ((first = LIST_FIRST(&t->table.entries, struct entry, link)) != NULL &&
	       first->row.hour <= hour - t->keep_hours)
		forget(&t->table, first);
}

void
tally_set_keep(struct tally *t, int64_t keep_hours)
{
	struct list *entries = &t->table.entries;

	t->keep_hours = keep_hours;
	if (!list_empty(entries))
		drop_old(t, LIST_ENTRY(entries->prev, struct entry, link)->row.hour);
}

void
tally_add(struct tally *t, int64_t wall_ms, const char *key, const char *model,
          const struct tally_count *add)
{
	int64_t hour = wall_ms / TALLY_HOUR_MS;
	struct entry *last = list_empty(&t->table.entries)
	                         ? NULL
	                         : LIST_ENTRY(t->table.entries.prev, struct entry, link);
	struct entry *e;

	/* A clock that was set back: hours rise in the list, and what is late counts as of now. */
	if (last != NULL && hour < last->row.hour)
		hour = last->row.hour;
	else if (last == NULL || hour > last->row.hour)
		drop_old(t, hour);
	e = find_or_add(&t->table, hour, key, model);
	add_count(&e->row.count, add);
	if (!list_linked(&e->changed_link))
		list_add_last(&t->changed, &e->changed_link);
}

void
tally_restore(struct tally *t, const struct tally_row *row)
{
	add_count(&find_or_add(&t->table, row->hour, row->key, row->model)->row.count, &row->count);
}

void
tally_take_changed(struct tally *t, tally_fn fn, void *arg)
{
	struct entry *e;

	while ((e = LIST_FIRST(&t->changed, struct entry, changed_link)) != NULL) {
		list_remove(&e->changed_link);
		fn(&e->row, arg);
	}
}

bool
tally_has_changed(const struct tally *t)
{
	return !list_empty(&t->changed);
}

/* ---- sums ---- */

static int
compare(const void *a, const void *b)
{
	const struct tally_row *x = *(const struct tally_row *const *)a,
	                       *y = *(const struct tally_row *const *)b;
	int order = (x->hour > y->hour) - (x->hour < y->hour);

	if (order == 0)
		order = strcmp(x->key, y->key);
	return order != 0 ? order : strcmp(x->model, y->model);
}

static void
tell_in_order(const struct table *t, tally_fn fn, void *arg)
{
	const struct tally_row **rows = mem_zalloc(t->count + 1, sizeof(rows[0]));
	const struct entry *e;
	size_t n = 0;

	LIST_FOR_EACH (e, &t->entries, const struct entry, link)
		rows[n++] = &e->row;
	qsort(rows, n, sizeof(rows[0]), compare);
	for (size_t i = 0; i < n; i++)
		fn(rows[i], arg);
	free(rows);
}

void
tally_sum(const struct tally *t, int64_t since_wall_ms, unsigned by, tally_fn fn, void *arg)
{
	int64_t since = since_wall_ms / TALLY_HOUR_MS, earliest = -1;
	struct table sum = {0};
	const struct entry *e;

	list_init(&sum.entries);
	LIST_FOR_EACH (e, &t->table.entries, const struct entry, link) {
		const struct tally_row *row = &e->row;

		if (row->hour < since)
			continue;
		if (earliest < 0)
			earliest = row->hour;
		add_count(&find_or_add(&sum, by & TALLY_BY_HOUR ? row->hour : earliest,
		                       by & TALLY_BY_KEY ? row->key : "",
		                       by & TALLY_BY_MODEL ? row->model : "")
		               ->row.count,
		          &row->count);
	}
	tell_in_order(&sum, fn, arg);
	table_finish(&sum);
}

const char *
tally_refusal_name(enum tally_refusal r)
{
	return refusal_names[r];
}
