/*
 * Texts of others, made fit for a terminal: a model or a key may have any name. What is no
 * printable character of the locale (an escape, a newline, a change of direction, a byte that is
 * no UTF-8) is shown as '?', and widths are columns of the screen.
 */
#ifndef TOP_TEXT_H
#define TOP_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Columns that it takes. */
int text_width(const char *text);
/* Exactly `width` columns of it: padded, at the left if `right`, or cut, with a '~' for the rest.
 */
void text_add_fit(struct buf *out, const char *text, int width, bool right);

/* At most 6 columns: 0.4s 12s 3m05s 2h07m 5d03h 999d. */
void text_add_duration(struct buf *out, int64_t ms);
/* At most 6 columns: 999999 1.0M 23.4G. */
void text_add_count(struct buf *out, int64_t value);
/* The same of bytes: 999B 1.5KiB 12.0MiB. */
void text_add_bytes(struct buf *out, int64_t bytes);
/* [||||    label], of `width` columns, filled in the proportion of the two numbers. */
void text_add_bar(struct buf *out, int width, int64_t filled, int64_t whole, const char *label);

#endif
