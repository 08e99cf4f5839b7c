/* Where everything stands in a YAML text. */
#include "outline.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The deepest key of any configuration is at 5. */
enum { MOST_DEPTH = 16, MOST_PLACES = 50000 };

struct walk {
	yaml_parser_t parser;
	struct outline *outline;
	struct report *report;
	const char *file;
	struct place *open[MOST_DEPTH]; /* from the root to where the parser is */
	size_t depth;
	char *key;            /* owned; read, its value not yet */
	struct origin key_at; /* of `key` */
	size_t documents;
	bool stop;
	bool failed; /* and stopped */
};

static struct origin
origin_of(const struct walk *w, yaml_mark_t mark)
{
	return (struct origin){FROM_FILE, w->file, (int)mark.line + 1, (int)mark.column + 1};
}

/* The text cannot be read on. */
static void
give_up(struct walk *w, yaml_mark_t mark, const char *what)
{
	struct origin at = origin_of(w, mark);

	report_add(w->report, &at, "", "%s", what);
	w->stop = w->failed = true;
}

static void
place_destroy(struct place *p)
{
	struct place *child;

	LIST_FOR_EACH (child, &p->children, struct place, link)
		place_destroy(child);
	list_remove(&p->link);
	map_finish(&p->by_key);
	free(p->key);
	free(p->text);
	free(p);
}

static void
join_mapping(struct walk *w, struct place *parent, struct place *p)
{
	p->key = w->key;
	p->key_at = w->key_at;
	w->key = NULL;
	p->is_repeated = map_find(&parent->by_key, p->key) != NULL;
	if (!p->is_repeated)
		map_put(&parent->by_key, p->key, p);
}

static struct place *
add_place(struct walk *w, enum place_kind kind, yaml_mark_t mark)
{
	struct place *parent = w->depth == 0 ? NULL : w->open[w->depth - 1];
	struct place *p = NEW(struct place);

	p->kind = kind;
	p->at = p->key_at = origin_of(w, mark);
	list_init(&p->children);
	list_init(&p->link);
	if (parent == NULL)
		w->outline->root = p;
	else
		list_add_last(&parent->children, &p->link);
	if (parent != NULL && parent->kind == PLACE_MAPPING)
		join_mapping(w, parent, p);
	if (++w->outline->count == MOST_PLACES)
		give_up(w, mark, "too many values for a configuration");
	return p;
}

static bool
wants_key(const struct walk *w)
{
	return w->depth > 0 && w->open[w->depth - 1]->kind == PLACE_MAPPING && w->key == NULL;
}

static void
open_place(struct walk *w, enum place_kind kind, yaml_mark_t mark)
{
	if (wants_key(w)) {
		give_up(w, mark, "a key must be a text");
		return;
	}
	if (w->depth == MOST_DEPTH) {
		give_up(w, mark, "nested too deeply for a configuration");
		return;
	}
	/* In two steps: add_place looks at the depth. */
	w->open[w->depth] = add_place(w, kind, mark);
	w->depth++;
}

static void
close_place(struct walk *w)
{
	w->depth--;
}

static enum place_kind
scalar_kind(const yaml_event_t *e)
{
	static const char *const nothings[] = {"", "~", "null", "Null", "NULL"};
	const char *value = (const char *)e->data.scalar.value;

	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return PLACE_TEXT;
	for (size_t i = 0; i < sizeof(nothings) / sizeof(nothings[0]); i++)
		if (strcmp(value, nothings[i]) == 0)
			return PLACE_NOTHING;
	return PLACE_TEXT;
}

static void
on_scalar(struct walk *w, const yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;

	/* libcyaml takes values for C strings. */
	if (strlen(value) != e->data.scalar.length) {
		give_up(w, e->start_mark, "a NUL in a text");
		return;
	}
	if (!wants_key(w)) {
		enum place_kind kind = scalar_kind(e);
		struct place *p = add_place(w, kind, e->start_mark);

		p->text = kind == PLACE_TEXT ? mem_strdup(value) : NULL;
		return;
	}
	w->key = mem_strdup(value);
	w->key_at = origin_of(w, e->start_mark);
}

static void
refuse_property(struct walk *w, const yaml_event_t *e, const yaml_char_t *anchor,
                const yaml_char_t *tag)
{
	if (anchor != NULL)
		give_up(w, e->start_mark, "anchors and aliases are not used here; write the value out");
	else if (tag != NULL)
		give_up(w, e->start_mark, "tags are not used here; the key tells the type");
}

static void
on_document(struct walk *w, const yaml_event_t *e)
{
	if (++w->documents > 1)
		give_up(w, e->start_mark, "a second document; a configuration is a single one");
}

static void
on_event(struct walk *w, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT: return;
	case YAML_STREAM_END_EVENT: w->stop = true; return;
	case YAML_DOCUMENT_START_EVENT: on_document(w, e); return;
	case YAML_ALIAS_EVENT: refuse_property(w, e, e->data.alias.anchor, NULL); return;
	case YAML_SCALAR_EVENT:
		refuse_property(w, e, e->data.scalar.anchor, e->data.scalar.tag);
		if (!w->stop)
			on_scalar(w, e);
		return;
	case YAML_SEQUENCE_START_EVENT:
		refuse_property(w, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
		if (!w->stop)
			open_place(w, PLACE_LIST, e->start_mark);
		return;
	case YAML_MAPPING_START_EVENT:
		refuse_property(w, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
		if (!w->stop)
			open_place(w, PLACE_MAPPING, e->start_mark);
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: close_place(w); return;
	}
	abort();
}

/* The reader knows its place as an offset in bytes alone. */
static yaml_mark_t
mark_at_offset(struct str text, size_t offset)
{
	yaml_mark_t mark = {.index = offset};

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static void
on_syntax_error(struct walk *w, struct str text)
{
	const yaml_parser_t *p = &w->parser;
	struct buf what = {0};
	yaml_mark_t mark = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR)
		abort();
	if (p->error == YAML_READER_ERROR)
		mark = mark_at_offset(text, p->problem_offset);
	buf_addf(&what, "no YAML: %s", p->problem);
	if (p->context != NULL)
		buf_addf(&what, " %s", p->context);
	give_up(w, mark, buf_text(&what));
	buf_finish(&what);
}

bool
outline_parse(struct outline *o, struct str text, const char *file, struct report *report)
{
	struct walk w = {.outline = o, .report = report, .file = file};
	yaml_event_t event;

	*o = (struct outline){0};
	if (!yaml_parser_initialize(&w.parser))
		abort();
	yaml_parser_set_input_string(&w.parser, (const unsigned char *)text.ptr, text.len);
	while (!w.stop) {
		if (!yaml_parser_parse(&w.parser, &event)) {
			on_syntax_error(&w, text);
			break;
		}
		on_event(&w, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&w.parser);
	free(w.key);
	return !w.failed;
}

void
outline_finish(struct outline *o)
{
	if (o->root != NULL)
		place_destroy(o->root);
	*o = (struct outline){0};
}

const struct place *
outline_find(const struct place *mapping, const char *path)
{
	struct str rest = str_of(path), part;

	while (mapping != NULL && str_split(&rest, '.', &part)) {
		char *key = mem_strndup(part.ptr, part.len);

		mapping = map_find(&mapping->by_key, key);
		free(key);
	}
	return mapping;
}
