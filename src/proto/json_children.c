/* One level of a value: a callback on the scanner that looks at depth 1 only. */
#include "json_children.h"

#include "proto/json.h"

#include <assert.h>

enum { NODES_MAX = 2000000 };

struct reader {
	struct json_children *out;
	struct json_scanner *scanner;
	struct str text;
	struct str key;
	uint64_t begin; /* of the key or value that is open */
};

static struct str
slice(const struct reader *r, uint64_t begin, uint64_t end)
{
	return (struct str){r->text.ptr + begin, end - begin};
}

static bool
add_value(struct reader *r, struct str value)
{
	struct json_children *c = r->out;

	if (c->count == JSON_CHILDREN_MAX)
		return false;
	c->items[c->count++] = (struct json_child){r->key, value};
	return true;
}

/* An event at depth 1. */
static bool
on_child(struct reader *r, enum json_event event, struct str text, uint64_t offset)
{
	switch (event) {
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN:
	case JSON_STRING_BEGIN:
	case JSON_KEY_BEGIN: r->begin = offset; return true;
	case JSON_KEY_END: r->key = slice(r, r->begin + 1, offset - 1); return true;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
	case JSON_STRING_END: return add_value(r, slice(r, r->begin, offset));
	case JSON_NUMBER: return add_value(r, slice(r, offset, offset + text.len));
	case JSON_TRUE:
	case JSON_NULL: return add_value(r, slice(r, offset, offset + 4));
	case JSON_FALSE: return add_value(r, slice(r, offset, offset + 5));
	case JSON_KEY_PIECE:
	case JSON_STRING_PIECE: return true;
	}
	return false;
}

static bool
on_event(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct reader *r = arg;
	int depth = json_scanner_depth(r->scanner);

	if (depth > 1)
		return true;
	if (depth == 1)
		return on_child(r, event, text, offset);
	r->out->object = event == JSON_OBJECT_BEGIN || event == JSON_OBJECT_END;
	return r->out->object || event == JSON_ARRAY_BEGIN || event == JSON_ARRAY_END;
}

bool
json_children_read(struct json_children *c, struct str text)
{
	struct reader r = {.out = c, .text = text};
	bool ok;

	c->count = 0;
	c->object = false;
	r.scanner = json_scanner_create(on_event, &r, NODES_MAX);
	ok = json_scanner_feed(r.scanner, text) && json_scanner_end(r.scanner);
	json_scanner_destroy(&r.scanner);
	return ok;
}

struct str
json_children_find(const struct json_children *c, const char *key)
{
	for (int i = c->count - 1; i >= 0; i--)
		if (c->items[i].key.ptr != NULL && str_eq(c->items[i].key, key))
			return c->items[i].value;
	return (struct str){NULL, 0};
}

bool
json_is_null(struct str value)
{
	return value.ptr == NULL || str_eq(value, "null");
}

bool
json_is_string(struct str value)
{
	return value.ptr != NULL && *value.ptr == '"';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str
json_inside(struct str value)
{
	bool string = json_is_string(value);

	assert(value.ptr != NULL && value.len >= 2);
	value = (struct str){value.ptr + 1, value.len - 2};
	while (!string && value.len > 0 && is_space(*value.ptr))
		value = (struct str){value.ptr + 1, value.len - 1};
	while (!string && value.len > 0 && is_space(value.ptr[value.len - 1]))
		value.len--;
	return value;
}

void
json_add_member(struct buf *out, struct str key, struct str value)
{
	if (out->len > 0 && out->data[out->len - 1] != '{')
		buf_addc(out, ',');
	buf_addc(out, '"');
	buf_add(out, key.ptr, key.len);
	buf_adds(out, "\":");
	buf_add(out, value.ptr, value.len);
}
