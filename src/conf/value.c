/* One value: from text to the struct, and back. */
#include "value.h"

#include "base/mem.h"
#include "conf/settings.h"
#include "number.h"
#include "syntax.h"

#include <stdlib.h>
#include <string.h>

static void *
at(void *base, size_t offset)
{
	return (char *)base + offset;
}

static const void *
peek(const void *base, size_t offset)
{
	return (const char *)base + offset;
}

/* ---- reading ---- */

static const char *
kind_name(enum kind kind)
{
	switch (kind) {
	case KIND_DURATION: return "duration";
	case KIND_SIZE: return "size";
	case KIND_INTEGER: return "whole number";
	case KIND_RATIO: return "ratio";
	case KIND_BOOL: return "truth value";
	case KIND_WORD:
	case KIND_TEXT: return "text";
	case KIND_TEXTS: return "list";
	case KIND_PAIRS: return "mapping";
	case KIND_RECORDS: return "list of mappings";
	}
	abort();
}

/* Who stands in front of a host there may have a password. */
static struct str
without_user(struct str text, struct buf *shown)
{
	const char *host = memrchr(text.ptr, '@', text.len);

	if (host == NULL)
		return text;
	buf_adds(shown, "***");
	buf_add(shown, host, (size_t)(text.ptr + text.len - host));
	return (struct str){shown->data, shown->len};
}

/* The offending text as the messages show it; a secret is never shown. */
static void
add_quoted(const struct row *row, struct str text, struct buf *why)
{
	enum { SHOWN = 80 };
	struct buf shown = {0};

	if (row->check == syntax_url)
		text = without_user(text, &shown);
	if (row->secret)
		buf_adds(why, "the secret");
	else if (text.len > SHOWN)
		buf_adds(why, "this long text");
	else
		buf_add_json(why, text.ptr, text.len);
	buf_addc(why, ' ');
	buf_finish(&shown);
}

static bool
set_number(const struct row *row, void *base, struct str text, struct buf *why)
{
	int64_t value;
	bool is_number = number_parse(row->kind, text, &value);

	if (is_number && value >= row->least && value <= row->most) {
		*(int64_t *)at(base, row->offset) = value;
		return true;
	}
	add_quoted(row, text, why);
	if (!is_number)
		buf_addf(why, "is no %s", kind_name(row->kind));
	else
		buf_adds(why, value < row->least ? "is too small" : "is too large");
	number_add_range(row, why);
	return false;
}

static bool
set_bool(const struct row *row, void *base, struct str text, struct buf *why)
{
	if (str_eq(text, "true") || str_eq(text, "false")) {
		*(bool *)at(base, row->offset) = str_eq(text, "true");
		return true;
	}
	add_quoted(row, text, why);
	buf_adds(why, "is neither true nor false");
	return false;
}

static bool
set_word(const struct row *row, void *base, struct str text, struct buf *why)
{
	for (int i = 0; row->words[i] != NULL; i++)
		if (str_eq(text, row->words[i])) {
			/* The enums of the settings have the size of an int. */
			memcpy(at(base, row->offset), &i, sizeof(i));
			return true;
		}
	add_quoted(row, text, why);
	buf_adds(why, "is not known; give ");
	for (int i = 0; row->words[i] != NULL; i++)
		buf_addf(why, "%s%s",
		         i == 0                      ? ""
		         : row->words[i + 1] == NULL ? " or "
		                                     : ", ",
		         row->words[i]);
	return false;
}

/* A NUL would end the text earlier than its author thinks; no text needs a control character. */
static bool
check_text(const struct row *row, struct str text, struct buf *why)
{
	struct buf reason = {0};
	bool fine = true;

	for (size_t i = 0; i < text.len && fine; i++)
		fine = (unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7f;
	if (text.len == 0)
		buf_adds(why, "is empty; give it a value, or leave the key out");
	else if (!fine)
		buf_adds(why, "the text has a control character in it");
	else if (!row->check(text, &reason)) {
		add_quoted(row, text, why);
		buf_adds(why, buf_text(&reason));
		fine = false;
	}
	buf_finish(&reason);
	return fine && text.len > 0;
}

static bool
set_text(const struct row *row, void *base, struct str text, struct buf *why)
{
	char **slot = at(base, row->offset);

	if (!check_text(row, text, why))
		return false;
	free(*slot);
	*slot = mem_strndup(text.ptr, text.len);
	return true;
}

bool
value_set(const struct row *row, void *base, struct str text, struct buf *why)
{
	switch (row->kind) {
	case KIND_DURATION:
	case KIND_SIZE:
	case KIND_INTEGER:
	case KIND_RATIO: return set_number(row, base, text, why);
	case KIND_BOOL: return set_bool(row, base, text, why);
	case KIND_WORD: return set_word(row, base, text, why);
	case KIND_TEXT: return set_text(row, base, text, why);
	case KIND_TEXTS:
	case KIND_PAIRS:
	case KIND_RECORDS: break;
	}
	abort();
}

/* ---- lists ---- */

bool
value_add_item(const struct row *row, void *base, struct str text, struct buf *why)
{
	struct text_list *list = at(base, row->offset);

	if (!check_text(row, text, why))
		return false;
	list->items = mem_realloc(list->items, (list->count + 1) * sizeof(list->items[0]));
	list->items[list->count++] = mem_strndup(text.ptr, text.len);
	return true;
}

static void
clear_texts(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

bool
value_add_pair(const struct row *row, void *base, struct str name, struct str text, struct buf *why)
{
	struct text_map *map = at(base, row->offset);

	if (!check_text(row, name, why) || !check_text(row, text, why))
		return false;
	for (size_t i = 0; i < map->count; i++)
		if (str_eq_nocase(name, map->items[i].name)) {
			add_quoted(row, name, why);
			buf_adds(why, "is here twice");
			return false;
		}
	map->items = mem_realloc(map->items, (map->count + 1) * sizeof(map->items[0]));
	map->items[map->count++] = (struct text_pair){
	    .name = mem_strndup(name.ptr, name.len),
	    .value = mem_strndup(text.ptr, text.len),
	};
	return true;
}

static void
clear_pairs(struct text_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->items[i].name);
		free(map->items[i].value);
	}
	free(map->items);
	*map = (struct text_map){0};
}

/* The array is of a struct that only the table knows: its pointer is copied as bytes. */
static char *
records_of(const struct row *row, const void *base)
{
	char *records;

	memcpy(&records, peek(base, row->offset), sizeof(records));
	return records;
}

static void
set_records(const struct row *row, void *base, const void *records, size_t count)
{
	memcpy(at(base, row->offset), &records, sizeof(records));
	*(size_t *)at(base, row->count_offset) = count;
}

static void
clear_records(const struct row *row, void *base)
{
	for (size_t i = 0; i < value_record_count(row, base); i++)
		value_finish_all(row->of, value_record(row, base, i));
	free(records_of(row, base));
	set_records(row, base, NULL, 0);
}

void
value_clear_list(const struct row *row, void *base)
{
	if (row->kind == KIND_RECORDS)
		clear_records(row, base);
	else if (row->kind == KIND_PAIRS)
		clear_pairs(at(base, row->offset));
	else
		clear_texts(at(base, row->offset));
}

const struct text_list *
value_texts(const struct row *row, const void *base)
{
	return peek(base, row->offset);
}

const struct text_map *
value_pairs(const struct row *row, const void *base)
{
	return peek(base, row->offset);
}

size_t
value_record_count(const struct row *row, const void *base)
{
	return *(const size_t *)peek(base, row->count_offset);
}

void *
value_record(const struct row *row, const void *base, size_t i)
{
	return records_of(row, base) + i * row->of->size;
}

void *
value_add_record(const struct row *row, void *base)
{
	size_t count = value_record_count(row, base), size = row->of->size;
	char *records = mem_realloc(records_of(row, base), (count + 1) * size);

	memset(records + count * size, 0, size);
	set_records(row, base, records, count + 1);
	return records + count * size;
}

/* ---- writing ---- */

int64_t
value_number(const struct row *row, const void *base)
{
	return *(const int64_t *)peek(base, row->offset);
}

static const char *
word_of(const struct row *row, const void *base)
{
	int i;

	memcpy(&i, peek(base, row->offset), sizeof(i));
	return row->words[i];
}

bool
value_add_text(const struct row *row, const void *base, struct buf *out)
{
	const char *text;

	switch (row->kind) {
	case KIND_DURATION:
	case KIND_SIZE:
	case KIND_INTEGER:
	case KIND_RATIO: number_add(row->kind, value_number(row, base), out); return true;
	case KIND_BOOL:
		buf_adds(out, *(const bool *)peek(base, row->offset) ? "true" : "false");
		return true;
	case KIND_WORD: buf_adds(out, word_of(row, base)); return true;
	case KIND_TEXT:
		text = *(char *const *)peek(base, row->offset);
		if (text == NULL)
			return false;
		buf_adds(out, text);
		return true;
	case KIND_TEXTS:
	case KIND_PAIRS:
	case KIND_RECORDS: break;
	}
	abort();
}

static bool
texts_equal(const struct text_list *a, const struct text_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool
pairs_equal(const struct text_map *a, const struct text_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
		    strcmp(a->items[i].value, b->items[i].value) != 0)
			return false;
	return true;
}

static bool
records_equal(const struct row *row, const void *a, const void *b)
{
	if (value_record_count(row, a) != value_record_count(row, b))
		return false;
	for (size_t i = 0; i < value_record_count(row, a); i++)
		for (size_t j = 0; j < row->of->count; j++)
			if (!value_equal(&row->of->rows[j], value_record(row, a, i), value_record(row, b, i)))
				return false;
	return true;
}

static bool
written_equal(const struct row *row, const void *a, const void *b)
{
	struct buf left = {0}, right = {0};
	bool equal = value_add_text(row, a, &left) == value_add_text(row, b, &right) &&
	             strcmp(buf_text(&left), buf_text(&right)) == 0;

	buf_finish(&left);
	buf_finish(&right);
	return equal;
}

bool
value_equal(const struct row *row, const void *a, const void *b)
{
	if (row->kind == KIND_TEXTS)
		return texts_equal(value_texts(row, a), value_texts(row, b));
	if (row->kind == KIND_PAIRS)
		return pairs_equal(value_pairs(row, a), value_pairs(row, b));
	if (row->kind == KIND_RECORDS)
		return records_equal(row, a, b);
	return written_equal(row, a, b);
}

void
value_finish_all(const struct table *t, void *base)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		if (table_is_list(row)) {
			value_clear_list(row, base);
		} else if (row->kind == KIND_TEXT) {
			free(*(char **)at(base, row->offset));
			*(char **)at(base, row->offset) = NULL;
		}
	}
}
