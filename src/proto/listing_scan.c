/*
 * Reads listings with the strict scanner: one pass, no tree, and the offsets of
 * the entries, which a tree would lose. Depths: the list is at 1, an entry at 2,
 * its members at 3.
 */
#include "listing_scan.h"

#include "proto/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Nodes are trusted, but not to be well: what is kept of their answers is bounded. */
enum { NODES_MAX = 1000000, ENTRIES_MAX = 10000, TEXT_MAX = MODEL_NAME_MAX };

enum member {
	MEMBER_OTHER,
	MEMBER_NAME,
	MEMBER_AGAIN,
	MEMBER_MODIFIED,
	MEMBER_CONTEXT,
	MEMBER_TRAINED,
	MEMBER_DIGEST
};

/* A text that is put together from pieces; a longer one is cut, and marked. */
struct text {
	size_t len;
	bool cut;
	char bytes[TEXT_MAX];
};

struct listing_scan {
	struct json_scanner *json;
	struct str body;
	const struct listing_shape *shape;
	void (*fn)(const struct listing_entry *, void *arg);
	void *arg;
	bool at_list;  /* the member at the top is the list */
	bool had_list; /* and it was an array or null */
	int entries;
	enum member member;
	bool in_details; /* the member of the entry is "details" */
	uint64_t entry_begin;
	uint64_t text_begin; /* of the last text that is a member of it */
	struct listing_entry entry;
	struct text text; /* of the last key or string */
};

static void
text_put(struct text *t, enum json_event event, struct str piece)
{
	if (event == JSON_KEY_BEGIN || event == JSON_STRING_BEGIN) {
		t->len = 0;
		t->cut = false;
		return;
	}
	t->cut = t->cut || piece.len >= TEXT_MAX - t->len;
	if (t->cut)
		return;
	memcpy(t->bytes + t->len, piece.ptr, piece.len);
	t->len += piece.len;
}

static bool
text_is(const struct text *t, const char *want)
{
	return !t->cut && str_eq((struct str){t->bytes, t->len}, want);
}

/* RFC 3339, as Go writes it; INT64_MIN when it is none. */
static int64_t
parse_time_s(struct text *t)
{
	struct tm tm = {0};
	int used = 0, hours = 0, minutes = 0, east_s;
	const char *zone;

	t->bytes[t->len] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): two or four digits fit */
	if (t->cut || sscanf(t->bytes, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
	                     &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6)
		return INT64_MIN;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	zone = t->bytes + used;
	if (*zone == '.')
		zone += 1 + strspn(zone + 1, "0123456789");
	/* NOLINTNEXTLINE(cert-err34-c): two digits fit */
	if ((*zone == '+' || *zone == '-') && sscanf(zone + 1, "%2d:%2d", &hours, &minutes) != 2)
		return INT64_MIN;
	east_s = hours * 3600 + minutes * 60;
	return (int64_t)timegm(&tm) - (*zone == '-' ? -east_s : east_s);
}

static void
begin_entry(struct listing_scan *s, uint64_t offset)
{
	s->in_details = false;
	s->entry_begin = offset;
	s->entry.name[0] = '\0';
	memset(s->entry.said, 0, sizeof(s->entry.said));
	s->entry.modified_s = INT64_MIN;
	s->entry.context_length = 0;
	s->entry.trained_length = 0;
	s->entry.digest = 0;
	s->entry.has_backend = false;
	s->member = MEMBER_OTHER;
}

static bool
end_entry(struct listing_scan *s, uint64_t offset)
{
	if (++s->entries > ENTRIES_MAX)
		return false;
	s->entry.raw = (struct str){s->body.ptr + s->entry_begin, (size_t)(offset - s->entry_begin)};
	s->fn(&s->entry, s->arg);
	return true;
}

static void
end_member_key(struct listing_scan *s)
{
	s->member = MEMBER_OTHER;
	s->in_details = text_is(&s->text, "details");
	if (text_is(&s->text, s->shape->name))
		s->member = MEMBER_NAME;
	else if (s->shape->again != NULL && text_is(&s->text, s->shape->again))
		s->member = MEMBER_AGAIN;
	else if (text_is(&s->text, s->shape->modified))
		s->member = MEMBER_MODIFIED;
	else if (text_is(&s->text, "context_length"))
		s->member = MEMBER_CONTEXT;
	else if (text_is(&s->text, "digest"))
		s->member = MEMBER_DIGEST;
	else if (text_is(&s->text, "backend"))
		s->entry.has_backend = true;
}

/* More of them than there can be are a fault of the node's; the first ones are taken. */
static void
add_said(struct listing_scan *s, uint64_t end)
{
	for (size_t i = 0; i < LISTING_NAMES_MAX; i++)
		if (s->entry.said[i].ptr == NULL) {
			s->entry.said[i] =
			    (struct str){s->body.ptr + s->text_begin, (size_t)(end - s->text_begin)};
			return;
		}
}

static void
end_member_text(struct listing_scan *s, uint64_t offset)
{
	struct str text = {s->text.bytes, s->text.len};

	if (s->member == MEMBER_NAME || s->member == MEMBER_AGAIN)
		add_said(s, offset);
	if (s->member == MEMBER_NAME && (s->text.cut || !model_name_canonical(text, s->entry.name)))
		s->entry.name[0] = '\0';
	if (s->member == MEMBER_MODIFIED)
		s->entry.modified_s = parse_time_s(&s->text);
	if (s->member == MEMBER_DIGEST && text.len > 0 && !s->text.cut)
		s->entry.digest = str_hash(text, 0);
}

static void
on_member(struct listing_scan *s, enum json_event event, struct str text, uint64_t offset)
{
	uint64_t number;

	if (event == JSON_KEY_END)
		end_member_key(s);
	else if (event == JSON_STRING_BEGIN)
		s->text_begin = offset;
	else if (event == JSON_STRING_END)
		end_member_text(s, offset);
	else if (event != JSON_NUMBER || !str_to_u64(text, &number))
		return;
	else if (s->member == MEMBER_MODIFIED)
		s->entry.modified_s = (int64_t)number;
	else if (s->member == MEMBER_CONTEXT)
		s->entry.context_length = (int64_t)number;
}

static void
on_detail(struct listing_scan *s, enum json_event event, struct str text)
{
	uint64_t number;

	if (event == JSON_KEY_END)
		s->member = text_is(&s->text, "context_length") ? MEMBER_TRAINED : MEMBER_OTHER;
	else if (event == JSON_NUMBER && s->member == MEMBER_TRAINED && str_to_u64(text, &number))
		s->entry.trained_length = (int64_t)number;
}

static bool
on_top(struct listing_scan *s, enum json_event event)
{
	if (event == JSON_KEY_END)
		s->at_list = text_is(&s->text, s->shape->list);
	else if (s->at_list && (event == JSON_ARRAY_BEGIN || event == JSON_NULL))
		s->had_list = true;
	return true;
}

static bool
on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct listing_scan *s = arg;
	int depth = json_scanner_depth(s->json);

	if (event == JSON_KEY_BEGIN || event == JSON_KEY_PIECE || event == JSON_STRING_BEGIN ||
	    event == JSON_STRING_PIECE)
		text_put(&s->text, event, text);
	if (depth == 0)
		return event == JSON_OBJECT_BEGIN || event == JSON_OBJECT_END;
	if (depth == 1)
		return on_top(s, event);
	if (!s->at_list)
		return true;
	if (depth == 2 && event == JSON_OBJECT_END)
		return end_entry(s, offset);
	if (depth == 2 && event == JSON_OBJECT_BEGIN)
		begin_entry(s, offset);
	else if (depth == 3)
		on_member(s, event, text, offset);
	else if (depth == 4 && s->in_details)
		on_detail(s, event, text);
	return true;
}

static bool
scan(struct str body, json_callback cb, void *arg, struct json_scanner **json)
{
	bool ok;

	*json = json_scanner_create(cb, arg, NODES_MAX);
	ok = json_scanner_feed(*json, body) && json_scanner_end(*json);
	json_scanner_destroy(json);
	return ok;
}

bool
listing_scan(struct str body, const struct listing_shape *shape,
             void (*fn)(const struct listing_entry *, void *arg), void *arg)
{
	struct listing_scan s = {.body = body, .shape = shape, .fn = fn, .arg = arg};

	return scan(body, on_json, &s, &s.json) && s.had_list;
}

/* The member that is looked for. */
struct text_scan {
	struct json_scanner *json;
	const char *key;
	bool at_key;
	bool found;
	struct text text;
	char *out;
	size_t size;
};

static bool
on_text_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct text_scan *s = arg;

	(void)offset;
	if (json_scanner_depth(s->json) != 1)
		return true;
	if (event == JSON_KEY_END) {
		s->at_key = text_is(&s->text, s->key);
	} else if (event == JSON_STRING_END && s->at_key) {
		s->found = !s->text.cut && s->text.len < s->size;
		if (s->found) {
			memcpy(s->out, s->text.bytes, s->text.len);
			s->out[s->text.len] = '\0';
		}
	} else if (event == JSON_KEY_BEGIN || event == JSON_KEY_PIECE || event == JSON_STRING_BEGIN ||
	           event == JSON_STRING_PIECE) {
		text_put(&s->text, event, text);
	}
	return true;
}

bool
/* NOLINTNEXTLINE(readability-non-const-parameter): written to by way of `s` */
listing_scan_text(struct str body, const char *key, char *out, size_t size)
{
	struct text_scan s = {.key = key, .out = out, .size = size};

	return scan(body, on_text_json, &s, &s.json) && s.found;
}
