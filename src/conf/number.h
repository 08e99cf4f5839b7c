/*
 * Numbers of the settings: durations in milliseconds, sizes in bytes, ratios in hundredths, whole
 * numbers.
 */
#ifndef CONF_NUMBER_H
#define CONF_NUMBER_H

#include "base/buf.h"
#include "base/str.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>

/* False: the text is none of this kind. */
bool number_parse(enum kind kind, struct str text, int64_t *out);
/* As number_parse reads it, with its unit. */
void number_add(enum kind kind, int64_t value, struct buf *out);
/* For a complaint: what would be right. */
void number_add_range(const struct row *row, struct buf *why);

#endif
