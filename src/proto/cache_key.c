/*
 * The canonical form, written while the events come, and its digest.
 *
 * A value is: z t f for null, true and false; n-15e-1; for -1.5; s5:hello for a
 * text; {..} with names and values, sorted by name; [..]. Texts, objects and arrays
 * longer than LONG_BYTES stand as S, O or A and their SHA-256; an array's first part,
 * each time it is longer than ARRAY_BYTES, as C and its SHA-256. Each of these is
 * free of prefixes, so a text can be read in one way only; and where something is
 * replaced by its digest follows from the value alone, never from how the input
 * was cut.
 *
 * Names are sorted as Go folds them, those that are the same field then in the
 * order in which they came: where that order could matter, it tells.
 *
 * Invariants: `text` holds the forms of what is open, `members` those of the open
 * objects, innermost last. Once `failed`, nothing is looked at any more.
 */
#include "proto/cache_key.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cache_fields.h"
#include "json_fold.h"
#include "json_number.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_BYTES = 256, ARRAY_BYTES = 4096, TEXT_BYTES_MAX = 256 * 1024 };

struct member {
	uint64_t first;   /* of its name, as far as it decides the order: json_fold_first */
	uint32_t at;      /* of its form, in `text` */
	uint32_t name_at; /* behind the length */
	uint32_t value_at;
	uint32_t end;
	bool dropped; /* it says what is said by leaving it out, or nothing about the answer */
};

struct level {
	size_t at;      /* of its bracket, in `text` */
	size_t members; /* of the first of its members; for an array, of the next object's */
	bool object;
};

struct cache_key_reader {
	enum answer_family family;
	struct sha256_hasher *hasher; /* owned */
	struct buf text;
	struct buf sorted;      /* scratch of close_object */
	struct member *members; /* owned */
	size_t member_count, member_cap;
	struct level levels[JSON_DEPTH_MAX];
	int depth;
	const struct cache_field *field; /* the top-level one that is open; NULL: not in the table */
	bool failed;
	bool temperature_zero, seeded, searches, include_usage;

	/* The text or key that is open; from LONG_BYTES on it is in the hasher. */
	char string[LONG_BYTES];
	size_t string_len;
};

/* What it holds is bounded; false: it has failed. */
static bool
has_room(struct cache_key_reader *r)
{
	r->failed = r->failed || r->text.len > TEXT_BYTES_MAX;
	return !r->failed;
}

static void
add_digest(struct cache_key_reader *r, char tag, struct sha256 digest)
{
	buf_addc(&r->text, tag);
	buf_add(&r->text, digest.bytes, SHA256_BYTES);
}

/* Puts the digest in the place of what `text` has from `at` on. */
static void
collapse(struct cache_key_reader *r, size_t at, char tag)
{
	struct sha256 d = sha256_of(r->hasher, (struct str){r->text.data + at, r->text.len - at});

	r->text.len = at;
	add_digest(r, tag, d);
}

static void
add_text(struct buf *out, struct str text)
{
	buf_addc(out, 's');
	buf_add_int(out, (int64_t)text.len);
	buf_addc(out, ':');
	buf_add(out, text.ptr, text.len);
}

/* --- texts --- */

static void
string_begin(struct cache_key_reader *r)
{
	r->string_len = 0;
}

static void
string_add(struct cache_key_reader *r, struct str piece)
{
	bool was_long = r->string_len > LONG_BYTES;

	if (!was_long && r->string_len + piece.len <= LONG_BYTES) {
		memcpy(r->string + r->string_len, piece.ptr, piece.len);
	} else {
		if (!was_long) {
			sha256_begin(r->hasher);
			sha256_add(r->hasher, (struct str){r->string, r->string_len});
		}
		sha256_add(r->hasher, piece);
	}
	r->string_len += piece.len;
}

static void
string_end(struct cache_key_reader *r)
{
	if (r->string_len > LONG_BYTES)
		add_digest(r, 'S', sha256_end(r->hasher));
	else
		add_text(&r->text, (struct str){r->string, r->string_len});
}

/* --- members --- */

/* Without its length, which is another for a name of odd letters: it must not part what folds
 * alike. A name that stands as its digest is no field of anything. */
static struct str
name_of(const char *text, const struct member *m)
{
	return (struct str){text + m->name_at, m->value_at - m->name_at};
}

static void
begin_member(struct cache_key_reader *r)
{
	if (r->member_count == r->member_cap) {
		r->member_cap = r->member_cap == 0 ? 32 : 2 * r->member_cap;
		r->members = mem_realloc(r->members, r->member_cap * sizeof(*r->members));
	}
	r->members[r->member_count++] = (struct member){.at = (uint32_t)r->text.len};
	string_begin(r);
}

/* A field that is known has one name, however it is written. */
static struct str
known_name(struct cache_key_reader *r)
{
	struct str name = {r->string, r->string_len};

	if (r->depth > 1)
		return name;
	r->field = cache_field_find(r->family, name);
	return r->field == NULL ? name : str_of(r->field->name);
}

static void
end_name(struct cache_key_reader *r)
{
	struct member *m = &r->members[r->member_count - 1];

	if (r->string_len > LONG_BYTES) {
		if (r->depth == 1)
			r->field = NULL;
		string_end(r);
		m->name_at = m->at;
	} else {
		struct str name = known_name(r);

		add_text(&r->text, name);
		m->name_at = (uint32_t)(r->text.len - name.len);
	}
	m->value_at = (uint32_t)r->text.len;
	m->first = json_fold_first(name_of(r->text.data, m));
}

static bool
is_zero(struct str number)
{
	return str_eq(number, "n0e0;") || str_eq(number, "n-0e0;");
}

/* Below 0 Ollama draws a seed itself. */
static bool
is_seed(struct str value)
{
	return value.len > 1 && value.ptr[0] == 'n' && value.ptr[1] != '-';
}

static void
note_temperature(struct cache_key_reader *r, struct str value)
{
	r->temperature_zero = is_zero(value);
}

static void
note_seed(struct cache_key_reader *r, struct str value)
{
	r->seeded = is_seed(value);
}

/* Whether a member at the top says nothing that the key is to have. */
static bool
end_top_member(struct cache_key_reader *r, struct str value)
{
	const struct cache_field *f = r->field;

	if (f == NULL)
		return false;
	switch (f->rule) {
	case CACHE_SKIP:
	case CACHE_STREAM_OPTIONS: return true;
	case CACHE_TEMPERATURE: note_temperature(r, value); break;
	case CACHE_SEED: note_seed(r, value); break;
	case CACHE_KEEP:
	case CACHE_TOOLS:
	case CACHE_OPTIONS: break;
	}
	return str_eq(value, "z") || (f->absent != NULL && str_eq(value, f->absent));
}

/* Options are a map, with names to the letter; null is skipped (Options.FromMap). */
static bool
end_option(struct cache_key_reader *r, struct str name, struct str value)
{
	if (str_eq(name, "temperature"))
		note_temperature(r, value);
	else if (str_eq(name, "seed"))
		note_seed(r, value);
	return str_eq(value, "z");
}

/* A tool that the server itself looks things up with: tomorrow it finds something else. */
static bool
is_search(struct str name, struct str value)
{
	static const char search[] = "web_search";
	const char *colon = memchr(value.ptr, ':', value.len);

	return str_eq(name, "type") && *value.ptr == 's' && colon != NULL &&
	       str_starts_nocase((struct str){colon + 1, value.len - (size_t)(colon + 1 - value.ptr)},
	                         search);
}

static void
end_member(struct cache_key_reader *r)
{
	struct member *m = &r->members[r->member_count - 1];
	struct str name = name_of(r->text.data, m);
	struct str value = {r->text.data + m->value_at, r->text.len - m->value_at};
	enum cache_rule rule = r->field == NULL ? CACHE_KEEP : r->field->rule;

	if (r->depth == 1)
		m->dropped = end_top_member(r, value);
	else if (r->depth == 2 && rule == CACHE_OPTIONS)
		m->dropped = end_option(r, name, value);
	else if (r->depth == 2 && rule == CACHE_STREAM_OPTIONS && json_folds_to(name, "include_usage"))
		r->include_usage = str_eq(value, "t");
	else if (r->depth == 3 && rule == CACHE_TOOLS)
		r->searches = r->searches || is_search(name, value);
	if (m->dropped) /* of its name it is still to be seen whether it comes twice */
		r->text.len = m->value_at;
	m->end = (uint32_t)r->text.len;
}

/* --- values --- */

/* A value has ended; what is around it takes it in. */
static void
end_value(struct cache_key_reader *r)
{
	const struct level *l;

	if (!has_room(r) || r->depth == 0)
		return;
	l = &r->levels[r->depth - 1];
	if (l->object)
		end_member(r);
	else if (r->text.len - l->at > ARRAY_BYTES)
		collapse(r, l->at + 1, 'C');
}

static void
open_container(struct cache_key_reader *r, bool object)
{
	r->levels[r->depth++] = (struct level){r->text.len, r->member_count, object};
	buf_addc(&r->text, object ? '{' : '[');
}

static int
compare_names(const struct member *x, const struct member *y, const char *text)
{
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return json_fold_compare(name_of(text, x), name_of(text, y));
}

static int
compare_members(const void *a, const void *b, void *text)
{
	const struct member *x = a, *y = b;
	int order = compare_names(x, y, text);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Where Go would settle which of two counts: what the key drops or reads by would be guessed. */
static bool
says_twice(const struct cache_key_reader *r, const struct member *m, size_t count)
{
	bool read = r->depth == 1 ||
	            (r->depth == 2 && r->field != NULL &&
	             (r->field->rule == CACHE_OPTIONS || r->field->rule == CACHE_STREAM_OPTIONS));

	for (size_t i = 1; read && i < count; i++)
		if (compare_names(&m[i - 1], &m[i], r->text.data) == 0)
			return true;
	return false;
}

/* Sorts the members and puts them behind the bracket again. */
static void
close_object(struct cache_key_reader *r)
{
	const struct level *l = &r->levels[r->depth - 1];
	struct member *m = r->members + l->members;
	size_t count = r->member_count - l->members;

	if (count > 0)
		qsort_r(m, count, sizeof(*m), compare_members, r->text.data);
	r->failed = r->failed || says_twice(r, m, count);
	buf_clear(&r->sorted);
	for (size_t i = 0; i < count; i++)
		if (!m[i].dropped)
			buf_add(&r->sorted, r->text.data + m[i].at, m[i].end - m[i].at);
	r->text.len = l->at + 1;
	buf_add(&r->text, r->sorted.data, r->sorted.len);
	r->member_count = l->members;
}

static void
close_container(struct cache_key_reader *r, bool object)
{
	size_t at = r->levels[r->depth - 1].at;

	if (object)
		close_object(r);
	buf_addc(&r->text, object ? '}' : ']');
	r->depth--;
	if (r->text.len - at > LONG_BYTES)
		collapse(r, at, object ? 'O' : 'A');
	end_value(r);
}

static void
add_value(struct cache_key_reader *r, char c)
{
	buf_addc(&r->text, c);
	end_value(r);
}

static void
end_key(struct cache_key_reader *r)
{
	if (has_room(r))
		end_name(r);
}

static void
end_string(struct cache_key_reader *r)
{
	string_end(r);
	end_value(r);
}

static void
add_number(struct cache_key_reader *r, struct str number)
{
	json_number_add_canonical(&r->text, number);
	end_value(r);
}

bool
cache_key_on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct cache_key_reader *r = arg;

	(void)offset;
	if (r->failed)
		return true;
	switch (event) {
	case JSON_OBJECT_BEGIN: open_container(r, true); break;
	case JSON_ARRAY_BEGIN: open_container(r, false); break;
	case JSON_OBJECT_END: close_container(r, true); break;
	case JSON_ARRAY_END: close_container(r, false); break;
	case JSON_KEY_BEGIN: begin_member(r); break;
	case JSON_STRING_BEGIN: string_begin(r); break;
	case JSON_KEY_PIECE:
	case JSON_STRING_PIECE: string_add(r, text); break;
	case JSON_KEY_END: end_key(r); break;
	case JSON_STRING_END: end_string(r); break;
	case JSON_NUMBER: add_number(r, text); break;
	case JSON_TRUE: add_value(r, 't'); break;
	case JSON_FALSE: add_value(r, 'f'); break;
	case JSON_NULL: add_value(r, 'z'); break;
	}
	return true;
}

struct cache_key_reader *
cache_key_reader_create(enum answer_family family)
{
	struct cache_key_reader *r = mem_alloc(sizeof(*r));

	r->hasher = sha256_hasher_create();
	r->text = r->sorted = (struct buf){0};
	r->members = NULL;
	r->member_cap = 0;
	cache_key_reader_restart(r, family);
	return r;
}

void
cache_key_reader_restart(struct cache_key_reader *r, enum answer_family family)
{
	r->family = family;
	buf_clear(&r->text);
	r->member_count = 0;
	r->depth = 0;
	r->field = NULL;
	r->failed = false;
	r->temperature_zero = r->seeded = r->searches = r->include_usage = false;
	r->string_len = 0;
}

void
cache_key_reader_destroy(struct cache_key_reader **rp)
{
	struct cache_key_reader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	sha256_hasher_destroy(&r->hasher);
	buf_finish(&r->text);
	buf_finish(&r->sorted);
	free(r->members);
	free(r);
}

static bool
is_embedding(enum answer_family family)
{
	return family == ANSWER_EMBED || family == ANSWER_EMBEDDINGS ||
	       family == ANSWER_OPENAI_EMBEDDINGS;
}

void
cache_key_add_about(struct buf *out, enum answer_family family, struct str model, struct str scope)
{
	buf_adds(out, "drover 1 ");
	buf_add_int(out, family);
	buf_addc(out, ' ');
	add_text(out, model);
	add_text(out, scope);
}

bool
cache_key_reader_end(struct cache_key_reader *r, struct str about, struct cache_key *out)
{
	if (r->failed || r->depth != 0 || r->text.len == 0)
		return false;
	sha256_begin(r->hasher);
	sha256_add(r->hasher, about);
	sha256_add(r->hasher, (struct str){r->text.data, r->text.len});
	out->digest = sha256_end(r->hasher);
	out->deterministic =
	    is_embedding(r->family) || (!r->searches && (r->temperature_zero || r->seeded));
	out->include_usage = r->include_usage;
	return true;
}

bool
answer_family_of(const struct route *route, enum answer_family *out)
{
	static const struct {
		const char *path;
		enum answer_family family;
	} families[] = {
	    {"/api/generate", ANSWER_GENERATE},
	    {"/api/chat", ANSWER_CHAT},
	    {"/api/embed", ANSWER_EMBED},
	    {"/api/embeddings", ANSWER_EMBEDDINGS},
	    {"/v1/chat/completions", ANSWER_OPENAI_CHAT},
	    {"/v1/completions", ANSWER_OPENAI_COMPLETION},
	    {"/v1/embeddings", ANSWER_OPENAI_EMBEDDINGS},
	    {"/v1/responses", ANSWER_RESPONSES},
	    {"/v1/messages", ANSWER_MESSAGES},
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (route->kind == ROUTE_RUN && strcmp(route->path, families[i].path) == 0) {
			*out = families[i].family;
			return true;
		}
	return false;
}
