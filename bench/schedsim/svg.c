/* The picture: from a second to a hundred thousand, one line a policy. */
#include "report.h"

#include <math.h>

enum {
	LABELS = 130,
	PLOT = 560,
	WIDTH = LABELS + PLOT + 30,
	ROW = 18,
	PANEL_HEAD = 44,
	PANEL_FOOT = 26,
	TOP = 36,
	DECADES = 5,
};

static double
x_of(double seconds)
{
	double decades = log10(seconds < 1 ? 1 : seconds);

	return LABELS + PLOT * (decades > DECADES ? DECADES : decades) / DECADES;
}

static bool
is_same_panel(const struct result *a, const struct result *b)
{
	return a->workload == b->workload && fabs(a->rate - b->rate) < 1e-9;
}

static size_t
panel_end(const struct study *s, size_t from)
{
	size_t i = from + 1;

	while (i < s->count && is_same_panel(&s->results[i], &s->results[from]))
		i++;
	return i;
}

static int
panel_height(size_t rows)
{
	return PANEL_HEAD + ROW * (int)rows + PANEL_FOOT;
}

static void
draw_axis(FILE *out, int top, int bottom)
{
	for (int d = 0; d <= DECADES; d++) {
		double x = x_of(pow(10, d));

		fprintf(out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#ddd'/>\n", x, top, x,
		        bottom);
		fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle' fill='#666'>%.0f s</text>\n", x,
		        bottom + 14, pow(10, d));
	}
}

static void
draw_row(FILE *out, const struct result *r, int y)
{
	const char *color = r->who == DROVER ? "#b5371f" : "#3b5b7a";
	double p50 = r->mean.of[METRIC_P50], p95 = r->mean.of[METRIC_P95], p99 = r->mean.of[METRIC_P99];

	fprintf(out, "<text x='%d' y='%d' text-anchor='end'>%s</text>\n", LABELS - 10, y + 4,
	        contender_of(r->who)->name);
	if (isnan(p50))
		return;
	fprintf(out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='%s' stroke-width='2'/>\n",
	        x_of(p50), y, x_of(p99), y, color);
	fprintf(out, "<circle cx='%.1f' cy='%d' r='4' fill='%s'/>\n", x_of(p50), y, color);
	fprintf(out, "<rect x='%.1f' y='%d' width='6' height='10' fill='%s'/>\n", x_of(p95) - 3, y - 5,
	        color);
	fprintf(out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='%s' stroke-width='2'/>\n",
	        x_of(p99), y - 5, x_of(p99), y + 5, color);
}

static void
draw_panel(FILE *out, const struct result *rows, size_t count, int top)
{
	int first = top + PANEL_HEAD;

	fprintf(out, "<text x='%d' y='%d' font-weight='bold'>%s at %g</text>\n", LABELS, top + 24,
	        rows->workload->name, rows->rate);
	draw_axis(out, first - ROW / 2, first + ROW * (int)count - ROW / 2);
	for (size_t i = 0; i < count; i++)
		draw_row(out, &rows[i], first + ROW * (int)i);
}

void
report_svg(const struct study *s, FILE *out)
{
	int height = TOP;

	for (size_t i = 0; i < s->count; i = panel_end(s, i))
		height += panel_height(panel_end(s, i) - i);
	fprintf(out,
	        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
	        "font-family='sans-serif' font-size='12'>\n"
	        "<rect width='100%%' height='100%%' fill='white'/>\n"
	        "<text x='%d' y='22' font-size='14'>Seconds to the whole answer: median (dot), "
	        "p95 (block), p99 (end)</text>\n",
	        WIDTH, height, LABELS);
	for (size_t i = 0, top = TOP; i < s->count;) {
		size_t end = panel_end(s, i);

		draw_panel(out, &s->results[i], end - i, (int)top);
		top += (size_t)panel_height(end - i);
		i = end;
	}
	fprintf(out, "</svg>\n");
}
