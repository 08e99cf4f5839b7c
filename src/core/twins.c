/* Which names are twins: those whose digests, node by node, are the same. */
#include "twins.h"

#include "base/mem.h"
#include "node.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const char *name;  /* of a listing */
	uint64_t *digests; /* owned; by backend.index; 0: not listed there, or not allowed */
	size_t count;
	bool unsure; /* a node lists it and does not say its digest */
};

struct rows {
	struct map by_name;  /* of struct row, owned */
	struct row **sorted; /* owned */
	size_t count;
};

void
twins_finish(struct twins *t)
{
	MAP_FOR_EACH (it, &t->elders)
		free(it.value);
	map_finish(&t->elders);
}

const char *
twins_elder(const struct twins *t, const char *name)
{
	const char *elder = map_find(&t->elders, name);

	return elder == NULL ? name : elder;
}

static struct row *
row_of(struct rows *rows, const char *name, size_t backends)
{
	struct row *row = map_find(&rows->by_name, name);

	if (row != NULL)
		return row;
	row = NEW(struct row);
	row->name = name;
	row->count = backends;
	row->digests = mem_zalloc(backends, sizeof(row->digests[0]));
	map_put(&rows->by_name, name, row);
	return row;
}

static void
collect(struct rows *rows, const struct fleet *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct backend *b = f->backends[i];

		for (size_t m = 0; m < b->listing_count; m++) {
			const struct listing_row *listed = &b->listing[m];
			struct row *row = row_of(rows, listed->name, f->count);

			row->unsure |= listed->digest == 0;
			if (backend_allows(b, listed->name))
				row->digests[i] = listed->digest;
		}
	}
}

static int
compare_digests(const struct row *a, const struct row *b)
{
	return memcmp(a->digests, b->digests, a->count * sizeof(a->digests[0]));
}

static int
compare(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
	int order = compare_digests(x, y);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static bool
is_allowed_somewhere(const struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->digests[i] != 0)
			return true;
	return false;
}

static void
sort(struct rows *rows)
{
	rows->sorted = mem_zalloc(map_count(&rows->by_name) + 1, sizeof(rows->sorted[0]));
	MAP_FOR_EACH (it, &rows->by_name) {
		struct row *row = it.value;

		if (!row->unsure && is_allowed_somewhere(row))
			rows->sorted[rows->count++] = row;
	}
	qsort(rows->sorted, rows->count, sizeof(rows->sorted[0]), compare);
}

static void
rows_finish(struct rows *rows)
{
	MAP_FOR_EACH (it, &rows->by_name) {
		free(((struct row *)it.value)->digests);
		free(it.value);
	}
	map_finish(&rows->by_name);
	free(rows->sorted);
}

static struct twins
find_twins(const struct rows *rows)
{
	const struct row *elder = NULL;
	struct twins t = {0};

	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = rows->sorted[i];

		if (elder != NULL && compare_digests(elder, row) == 0)
			map_put(&t.elders, row->name, mem_strdup(elder->name));
		else
			elder = row;
	}
	return t;
}

static bool
are_equal(const struct twins *a, const struct twins *b)
{
	if (map_count(&a->elders) != map_count(&b->elders))
		return false;
	MAP_FOR_EACH (it, &a->elders) {
		const char *other = map_find(&b->elders, it.key);

		if (other == NULL || strcmp(other, it.value) != 0)
			return false;
	}
	return true;
}

bool
twins_review(struct twins *t, const struct fleet *f)
{
	struct rows rows = {0};
	struct twins now;
	bool changed;

	collect(&rows, f);
	sort(&rows);
	now = find_twins(&rows);
	rows_finish(&rows);
	changed = !are_equal(t, &now);
	twins_finish(t);
	*t = now;
	return changed;
}
