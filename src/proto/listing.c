/*
 * Merging of listings. An entry lives in the body of its part; only slices of it
 * are sorted and copied out.
 */
#include "proto/listing.h"

#include "base/mem.h"
#include "listing_scan.h"

#include <stdlib.h>
#include <string.h>

/* /api/ps is never sorted, and has no time of that kind. */
static const struct listing_shape native_shape = {"models", "name", "model", "modified_at"};
static const struct listing_shape v1_shape = {"data", "id", NULL, "created"};

struct slot {
	struct listing_entry entry;
	const char *backend;
	size_t index; /* among all entries, in the order of the parts */
};

struct slots {
	struct slot *items; /* owned */
	size_t count;
	size_t cap;
	const struct listing_view *view;
	const struct listing_part *part; /* that is being read */
};

/* Reading */

struct reader {
	void (*fn)(const struct listing_model *, void *arg);
	void *arg;
};

static void
pass_on(const struct listing_entry *e, void *arg)
{
	const struct reader *r = arg;
	struct listing_model model = {e->name, e->context_length, e->digest, e->trained_length};

	if (e->name[0] != '\0')
		r->fn(&model, r->arg);
}

bool
listing_read_models(struct str body, void (*fn)(const struct listing_model *, void *arg), void *arg)
{
	struct reader r = {fn, arg};

	return listing_scan(body, &native_shape, pass_on, &r);
}

bool
listing_read_version(struct str body, char *out, size_t size)
{
	return listing_scan_text(body, "version", out, size);
}

/* Compares the dotted numbers in front, and leaves what follows them. */
static int
compare_numbers(const char **a, const char **b)
{
	for (;;) {
		char *end_a, *end_b;
		unsigned long na = strtoul(*a, &end_a, 10), nb = strtoul(*b, &end_b, 10);

		*a = end_a;
		*b = end_b;
		if (na != nb)
			return na < nb ? -1 : 1;
		if (**a != '.' && **b != '.')
			return 0;
		*a += **a == '.';
		*b += **b == '.';
	}
}

int
listing_compare_versions(const char *a, const char *b)
{
	int order = compare_numbers(&a, &b);

	if (order != 0)
		return order;
	/* "-rc1" comes before the release it leads to. */
	if ((*a == '-') != (*b == '-'))
		return *a == '-' ? -1 : 1;
	return strverscmp(a, b);
}

/* Merging */

static void
add_entry(const struct listing_entry *e, void *arg)
{
	struct slots *s = arg;

	if (e->name[0] == '\0' ||
	    (s->view->shows != NULL && !s->view->shows(s->part, e->name, s->view->arg)))
		return;
	if (s->count == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->items = mem_realloc(s->items, s->cap * sizeof(s->items[0]));
	}
	s->items[s->count] = (struct slot){*e, s->part->backend, s->count};
	s->count++;
}

static struct slots
collect(const struct listing_part *parts, size_t count, const struct listing_shape *shape,
        const struct listing_view *view)
{
	struct slots s = {.view = view};

	for (size_t i = 0; i < count; i++) {
		size_t before = s.count;

		s.part = &parts[i];
		if (!listing_scan(parts[i].body, shape, add_entry, &s))
			s.count = before;
	}
	return s;
}

/* Newest first, then in the order of the parts. */
static int
by_time(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->entry.modified_s != y->entry.modified_s)
		return x->entry.modified_s > y->entry.modified_s ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int
by_name(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	int order = strcmp(x->entry.name, y->entry.name);

	return order != 0 ? order : by_time(a, b);
}

static void
drop_doubles(struct slots *s)
{
	size_t kept = 0;

	qsort(s->items, s->count, sizeof(s->items[0]), by_name);
	for (size_t i = 0; i < s->count; i++)
		if (kept == 0 || strcmp(s->items[kept - 1].entry.name, s->items[i].entry.name) != 0)
			s->items[kept++] = s->items[i];
	s->count = kept;
	qsort(s->items, s->count, sizeof(s->items[0]), by_time);
}

/* Its own name means another model. */
static bool
is_hidden(const struct listing_view *view, const char *name)
{
	for (size_t i = 0; i < view->alias_count; i++)
		if (strcmp(view->aliases[i].canonical, name) == 0)
			return true;
	return false;
}

/* The entry, with its names in other words. */
static void
add_renamed(const struct listing_entry *e, const char *name, struct buf *out)
{
	const char *at = e->raw.ptr;

	for (size_t i = 0; i < LISTING_NAMES_MAX && e->said[i].ptr != NULL; i++) {
		buf_add(out, at, (size_t)(e->said[i].ptr - at));
		buf_add_json(out, name, strlen(name));
		at = e->said[i].ptr + e->said[i].len;
	}
	buf_add(out, at, (size_t)(e->raw.ptr + e->raw.len - at));
}

static void
add_comma(struct buf *out, bool *any)
{
	if (*any)
		buf_addc(out, ',');
	*any = true;
}

static void
add_with_aliases(const struct listing_entry *e, const struct listing_view *view, struct buf *out,
                 bool *any)
{
	if (!is_hidden(view, e->name)) {
		add_comma(out, any);
		buf_add(out, e->raw.ptr, e->raw.len);
	}
	for (size_t i = 0; i < view->alias_count; i++)
		if (strcmp(view->aliases[i].model, e->name) == 0) {
			add_comma(out, any);
			add_renamed(e, view->aliases[i].name, out);
		}
}

static void
merge(const struct listing_part *parts, size_t count, const struct listing_shape *shape,
      const struct listing_view *view, struct buf *out)
{
	struct slots s = collect(parts, count, shape, view);
	bool any = false;

	if (s.count > 0)
		drop_doubles(&s);
	for (size_t i = 0; i < s.count; i++)
		add_with_aliases(&s.items[i].entry, view, out, &any);
	free(s.items);
}

void
listing_merge_tags(const struct listing_part *parts, size_t count, const struct listing_view *view,
                   struct buf *out)
{
	buf_adds(out, "{\"models\":[");
	merge(parts, count, &native_shape, view, out);
	buf_adds(out, "]}");
}

void
listing_merge_v1_models(const struct listing_part *parts, size_t count,
                        const struct listing_view *view, struct buf *out)
{
	buf_adds(out, "{\"object\":\"list\",\"data\":[");
	merge(parts, count, &v1_shape, view, out);
	buf_adds(out, "]}\n"); /* Ollama ends /v1 answers with a line feed, and no others */
}

/* The entry has a name, so that a comma is due. */
static void
add_with_backend(struct buf *out, const struct slot *slot)
{
	struct str raw = slot->entry.raw;

	if (slot->entry.has_backend) {
		buf_add(out, raw.ptr, raw.len);
		return;
	}
	buf_add(out, raw.ptr, raw.len - 1);
	buf_adds(out, ",\"backend\":");
	buf_add_json(out, slot->backend, strlen(slot->backend));
	buf_addc(out, '}');
}

void
listing_merge_ps(const struct listing_part *parts, size_t count, const struct listing_view *view,
                 struct buf *out)
{
	struct slots s = collect(parts, count, &native_shape, view);

	buf_adds(out, "{\"models\":[");
	for (size_t i = 0; i < s.count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		add_with_backend(out, &s.items[i]);
	}
	buf_adds(out, "]}");
	free(s.items);
}
