/* Plots as SVG. */
#include "plot.h"

#include "format.h"

#include <math.h>

enum { WIDTH = 720, HEIGHT = 260, LEFT = 64, RIGHT = 26, TOP = 10, BOTTOM = 30, TICKS = 5 };

static double
share(const struct axis *a, double value)
{
	double at = a->logarithmic ? log(value / a->low) / log(a->high / a->low)
	                           : (value - a->low) / (a->high - a->low);

	return at < 0 ? 0 : at > 1 ? 1 : at;
}

static double
x_of(const struct plot *p, double value)
{
	return LEFT + share(&p->x, value) * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const struct plot *p, double value)
{
	return HEIGHT - BOTTOM - share(&p->y, value) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, at least `x`. */
static double
round_up(double x)
{
	double base = pow(10, floor(log10(x)));

	if (x <= base * 1.0001)
		return base;
	return x <= 2 * base ? 2 * base : x <= 5 * base ? 5 * base : 10 * base;
}

static double
step_of(const struct axis *a)
{
	return round_up((a->high - a->low) / TICKS);
}

void
axis_fit(struct axis *a, double low, double high)
{
	if (a->logarithmic) {
		low = low > 0 ? low : 1;
		high = high > low * 1.5 ? high : low * 1.5;
		a->low = round_up(low / 2.5);
		a->high = round_up(high);
		return;
	}
	a->low = low;
	a->high = high > low ? high : low + 1;
	a->high = low + ceil((a->high - low) / step_of(a) - 1e-9) * step_of(a);
}

/* The next one of 1, 2, 5, 10, ... */
static double
next_step(double value)
{
	double base = pow(10, floor(log10(value) + 1e-9)), first = value / base;

	return first < 1.5 ? 2 * base : first < 3 ? 5 * base : 10 * base;
}

static void
add_y_line(struct plot *p, double value)
{
	double y = y_of(p, value);

	buf_addf(p->out,
	         "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
	         "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">",
	         LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4);
	p->y.add_label(p->out, value);
	buf_adds(p->out, "</text>\n");
}

static void
add_x_label(struct plot *p, double value)
{
	buf_addf(p->out, "<text class=\"tick\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">",
	         x_of(p, value), HEIGHT - 10);
	p->x.add_label(p->out, value);
	buf_adds(p->out, "</text>\n");
}

static void
walk_axis(struct plot *p, const struct axis *a, void (*add)(struct plot *p, double value))
{
	double step = step_of(a);

	if (a->logarithmic) {
		bool many = a->high / a->low > 1e4;

		double v = a->low;

		while (v <= a->high * 1.0001) {
			if (!many || fabs(log10(v) - round(log10(v))) < 1e-6)
				add(p, v);
			v = next_step(v);
		}
		return;
	}
	for (int i = 0; a->low + i * step <= a->high + step * 1e-6; i++)
		add(p, a->low + i * step);
}

void
plot_begin(struct plot *p, const char *what)
{
	buf_addf(p->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
	format_add_html(p->out, what);
	buf_adds(p->out, "\">\n");
	walk_axis(p, &p->y, add_y_line);
	walk_axis(p, &p->x, add_x_label);
	buf_addf(p->out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT,
	         WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
}

static void
add_path(struct plot *p, const struct point *points, size_t count)
{
	bool drawn = false;

	for (size_t i = 0; i < count; i++) {
		if (isnan(points[i].y)) {
			drawn = false;
			continue;
		}
		buf_addf(p->out, "%s%.1f %.1f", drawn ? "L" : "M", x_of(p, points[i].x),
		         y_of(p, points[i].y));
		drawn = true;
	}
}

void
plot_line(struct plot *p, const char *class, const struct point *points, size_t count)
{
	buf_addf(p->out, "<path class=\"line %s\" d=\"", class);
	add_path(p, points, count);
	buf_adds(p->out, "\"/>\n");
}

void
plot_area(struct plot *p, const char *class, const struct point *points, size_t count)
{
	if (count == 0)
		return;
	buf_addf(p->out, "<path class=\"area %s\" d=\"", class);
	add_path(p, points, count);
	buf_addf(p->out, "L%.1f %dL%.1f %dZ\"/>\n", x_of(p, points[count - 1].x), HEIGHT - BOTTOM,
	         x_of(p, points[0].x), HEIGHT - BOTTOM);
}

static void
add_about(struct plot *p, const char *about)
{
	if (about == NULL) {
		buf_adds(p->out, "/>\n");
		return;
	}
	buf_adds(p->out, "><title>");
	format_add_html(p->out, about);
	buf_adds(p->out, "</title>");
}

void
plot_dot(struct plot *p, const char *class, struct point at, const char *about)
{
	buf_addf(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\"", class, x_of(p, at.x),
	         y_of(p, at.y));
	add_about(p, about);
	if (about != NULL)
		buf_adds(p->out, "</circle>\n");
}

void
plot_tick(struct plot *p, const char *class, double x, const char *about)
{
	buf_addf(p->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"2\" height=\"9\"", class,
	         x_of(p, x) - 1, HEIGHT - BOTTOM - 9);
	add_about(p, about);
	if (about != NULL)
		buf_adds(p->out, "</rect>\n");
}

void
plot_end(struct plot *p)
{
	buf_adds(p->out, "</svg>\n");
}

void
plot_add_ms(struct buf *out, double ms)
{
	if (ms >= 60000)
		buf_addf(out, "%g min", ms / 60000);
	else if (ms >= 1000)
		buf_addf(out, "%g s", ms / 1000);
	else
		buf_addf(out, "%g ms", round(ms * 1e6) / 1e6);
}

void
plot_add_plain(struct buf *out, double x)
{
	if (x >= 10000)
		format_add_count(out, (int64_t)x);
	else
		buf_addf(out, "%g", round(x * 1e6) / 1e6);
}
