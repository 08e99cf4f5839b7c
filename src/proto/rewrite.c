/*
 * Changing single members of a body. The edits become patches, in the order of their places;
 * between them the body is copied.
 */
#include "proto/rewrite.h"

#include <assert.h>
#include <stdlib.h>

struct patch {
	struct body_span at; /* what it replaces; empty: it goes before that byte */
	struct str text;
};

/* One for each edit, and what goes into the two objects. */
enum { PATCHES_MAX = BODY_MEMBERS + 2 };

struct patches {
	struct patch items[PATCHES_MAX]; /* by place */
	size_t count;
};

static void
add_patch(struct patches *p, struct body_span at, struct str text)
{
	size_t i = p->count++;

	assert(p->count <= PATCHES_MAX);
	for (; i > 0 && p->items[i - 1].at.begin > at.begin; i--)
		p->items[i] = p->items[i - 1];
	p->items[i] = (struct patch){at, text};
}

static struct body_span
span_of(const struct body_facts *f, enum body_member m)
{
	if (m == BODY_MODEL)
		return f->model_at;
	return m == BODY_KEEP_ALIVE ? f->keep_alive_at : f->numbers[m].at;
}

static bool
is_there(const struct body_facts *f, enum body_member m)
{
	struct body_span at = span_of(f, m);

	return at.end > at.begin;
}

static bool
is_option(enum body_member m)
{
	return m <= BODY_LAST_OPTION;
}

bool
rewrite_can(const struct body_facts *f, enum body_member m)
{
	if (m == BODY_MODEL || m == BODY_KEEP_ALIVE)
		return true;
	return f->numbers[m].is != BODY_ODD && (!is_option(m) || f->options != BODY_ODD);
}

static void
add_member(struct buf *out, const struct rewrite_edit *e)
{
	if (out->len > 0)
		buf_addc(out, ',');
	buf_addf(out, "\"%s\":%.*s", body_member_name(e->member), STR_ARG(e->value));
}

static bool
is_empty_object(struct str body, struct body_span at)
{
	uint64_t i = at.begin + 1;

	while (strchr(" \t\r\n", body.ptr[i]) != NULL)
		i++;
	return body.ptr[i] == '}';
}

/* Makes an object of members. */
static void
wrap(struct buf *members)
{
	struct buf object = {0};

	buf_addf(&object, "{%s}", buf_text(members));
	buf_finish(members);
	*members = object;
}

/* What goes under "options", with as much around it as is not there. */
static void
place_options(struct patches *p, struct str body, const struct body_facts *f, struct buf *members,
              struct buf *top)
{
	struct body_span inside = {f->options_at.begin + 1, f->options_at.begin + 1};

	if (members->len == 0)
		return;
	switch (f->options) {
	case BODY_ABSENT:
		buf_addf(top, "%s\"options\":{%s}", top->len > 0 ? "," : "", buf_text(members));
		return;
	case BODY_NULL:
		wrap(members);
		add_patch(p, f->options_at, (struct str){members->data, members->len});
		return;
	case BODY_GIVEN:
		if (!is_empty_object(body, f->options_at))
			buf_addc(members, ',');
		add_patch(p, inside, (struct str){members->data, members->len});
		return;
	case BODY_ODD: break;
	}
	abort();
}

/* A body has a model at least, so that its object is not empty. */
static void
place_top(struct patches *p, const struct body_facts *f, struct buf *members)
{
	if (members->len == 0)
		return;
	buf_addc(members, ',');
	add_patch(p, (struct body_span){f->object_at + 1, f->object_at + 1},
	          (struct str){members->data, members->len});
}

static void
add_patched(struct str body, const struct patches *p, struct buf *out)
{
	uint64_t at = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct patch *patch = &p->items[i];

		buf_add(out, body.ptr + at, patch->at.begin - at);
		buf_add(out, patch->text.ptr, patch->text.len);
		at = patch->at.end;
	}
	buf_add(out, body.ptr + at, body.len - at);
}

void
rewrite_add(struct str body, const struct body_facts *f, const struct rewrite_edit *edits,
            size_t count, struct buf *out)
{
	struct patches patches = {.count = 0};
	struct buf top = {0}, options = {0};

	for (size_t i = 0; i < count; i++) {
		const struct rewrite_edit *e = &edits[i];

		assert(rewrite_can(f, e->member));
		if (is_there(f, e->member))
			add_patch(&patches, span_of(f, e->member), e->value);
		else
			add_member(is_option(e->member) ? &options : &top, e);
	}
	place_options(&patches, body, f, &options, &top);
	place_top(&patches, f, &top);
	add_patched(body, &patches, out);
	buf_finish(&options);
	buf_finish(&top);
}
