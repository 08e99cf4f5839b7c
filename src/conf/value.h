/*
 * One value: from text to the struct that a row describes, and back.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/buf.h"
#include "base/str.h"
#include "table.h"

#include <stdbool.h>

/* Sets it; a former text is freed. Not for lists. False: nothing was changed, and `why` has the
 * text (unless secret), what is wrong with it and what would be right. */
bool value_set(const struct row *row, void *base, struct str text, struct buf *why);
/* Adds one text to a list. */
bool value_add_item(const struct row *row, void *base, struct str text, struct buf *why);
/* Adds one pair; a name that is there already is refused. */
bool value_add_pair(const struct row *row, void *base, struct str name, struct str text,
                    struct buf *why);
void value_clear_list(const struct row *row, void *base);

/* Writes it so that value_set reads it back the same. Not for lists; false: there is none. */
bool value_add_text(const struct row *row, const void *base, struct buf *out);
const struct text_list *value_texts(const struct row *row, const void *base);
const struct text_map *value_pairs(const struct row *row, const void *base);
int64_t value_number(const struct row *row, const void *base);

/* The records of a KIND_RECORDS row. */
size_t value_record_count(const struct row *row, const void *base);
void *value_record(const struct row *row, const void *base, size_t i);
/* Makes room for one more, zeroed, and returns it; pointers to the others are invalid then. */
void *value_add_record(const struct row *row, void *base);

bool value_equal(const struct row *row, const void *a, const void *b);
/* Frees what the structs own. */
void value_finish_all(const struct table *t, void *base);

#endif
