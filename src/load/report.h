/* The page of a run: one HTML file with its plots in it, light and dark. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "compare.h"
#include "tally.h"

#include "base/buf.h"

/* `other` may be NULL. */
void report_add_page(struct buf *out, const struct tally *t, const char *url,
                     const struct comparison *other);

#endif
