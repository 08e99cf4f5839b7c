/*
 * A configuration as texts: one cell for each row of a table, nested as the YAML is.
 * libcyaml fills it from YAML and writes it as YAML, by a schema made of the table.
 */
#ifndef CONF_SHEET_H
#define CONF_SHEET_H

#include "base/buf.h"
#include "base/str.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>

/* NULL where the key is absent, and `items` also for an empty list that was read. */
struct cell {
	char *text;     /* owned; of a single value */
	void *items;    /* owned; char *, each owned too, or records: cells of the row's table */
	uint32_t count; /* of items */
};

/* The cells of `settings_table`. The text must have passed outline_parse, and be no empty one;
 * unknown keys are passed over. NULL: `why` has libcyaml's reason. */
struct cell *sheet_load(struct str text, struct buf *why);
void sheet_save(const struct cell *cells, struct buf *out);
void sheet_destroy(struct cell *cells);
/* The cells of record `i`. */
struct cell *sheet_record(const struct cell *cell, const struct row *row, size_t i);

#endif
