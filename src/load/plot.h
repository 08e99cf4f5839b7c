/*
 * Plots as SVG, for a page: axes with round numbers, lines, dots. Colours are
 * classes of the page's style, so that light and dark are decided there.
 */
#ifndef LOAD_PLOT_H
#define LOAD_PLOT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct axis {
	double low;
	double high;      /* above low */
	bool logarithmic; /* then low is above 0 */
	void (*add_label)(struct buf *out, double value);
};

struct plot {
	struct buf *out; /* borrowed */
	struct axis x;
	struct axis y;
};

struct point {
	double x;
	double y;
};

/* Chooses round ends around what is to be shown. */
void axis_fit(struct axis *a, double low, double high);

/* Frame and grid. `what` is said to those who cannot see it. */
void plot_begin(struct plot *p, const char *what);
/* Breaks where a point's y is NaN. */
void plot_line(struct plot *p, const char *class, const struct point *points, size_t count);
/* What is between the line and the bottom. */
void plot_area(struct plot *p, const char *class, const struct point *points, size_t count);
/* `about` is shown where the pointer is; NULL: nothing. */
void plot_dot(struct plot *p, const char *class, struct point at, const char *about);
/* A mark at the bottom. */
void plot_tick(struct plot *p, const char *class, double x, const char *about);
void plot_end(struct plot *p);

/* Labels of axes. */
void plot_add_ms(struct buf *out, double ms);
void plot_add_plain(struct buf *out, double x);

#endif
