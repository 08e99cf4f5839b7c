/* The frame of a page: its style, light and dark, and its head. */
#ifndef LOAD_PAGE_H
#define LOAD_PAGE_H

#include "base/buf.h"

/* `what` was run: a line under the title, beside the time. */
void page_begin(struct buf *out, const char *title, const char *what);
void page_end(struct buf *out);
/* One box with a title; what is in it comes between the two. */
void page_begin_figure(struct buf *out, const char *title);
void page_end_figure(struct buf *out);
/* A colour and what it stands for. */
void page_add_key(struct buf *out, const char *class, const char *text);

#endif
