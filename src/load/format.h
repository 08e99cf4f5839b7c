/* Numbers as people read them. */
#ifndef LOAD_FORMAT_H
#define LOAD_FORMAT_H

#include "base/buf.h"

#include <stdint.h>

/* "0.45 ms", "12.3 ms", "1.23 s", "2 m 05 s". */
void format_add_us(struct buf *out, double us);
/* "1,234,567". */
void format_add_count(struct buf *out, int64_t n);
/* Three figures and what is before the point: "0.123", "12.3", "1,234". */
void format_add_number(struct buf *out, double x);
/* Adds `text` with what HTML reads otherwise escaped. */
void format_add_html(struct buf *out, const char *text);
/* How many columns a text of UTF-8 takes in a terminal, where each character takes one. */
int format_columns(const char *text);

#endif
