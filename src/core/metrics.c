/*
 * Counters, histograms, and their text.
 *
 * Invariants: a series is in the list of its row and, by row and labels, in the map; its labels
 * are escaped once, when it is made, so that a scrape copies bytes and writes numbers.
 */
#include "core/metrics.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* From a token to the load of a large model: steps of 2 to 2.5, then minutes. */
static const int64_t bounds_us[] = {
    1000,     2000,      5000,      10000,     20000,      50000,      100000,
    200000,   500000,    1000000,   2000000,   5000000,    10000000,   20000000,
    60000000, 120000000, 300000000, 600000000, 1200000000, 1800000000,
};

static const char *const bound_texts[] = {
    "0.001\"} ", "0.002\"} ", "0.005\"} ", "0.01\"} ", "0.02\"} ", "0.05\"} ", "0.1\"} ",
    "0.2\"} ",   "0.5\"} ",   "1\"} ",     "2\"} ",    "5\"} ",    "10\"} ",   "20\"} ",
    "60\"} ",    "120\"} ",   "300\"} ",   "600\"} ",  "1200\"} ", "1800\"} ",
};

enum { BOUNDS = sizeof(bounds_us) / sizeof(bounds_us[0]) };

_Static_assert(sizeof(bound_texts) / sizeof(bound_texts[0]) == BOUNDS, "a text for each bound");

struct series {
	struct series *next;
	char *labels;     /* owned: a="x",b="y"; "" without labels */
	char *bucket;     /* owned: what a line of a bucket begins with, up to its bound; or NULL */
	int64_t value;    /* of a counter; of a histogram how many there were */
	int64_t sum_us;   /* of a histogram */
	int64_t counts[]; /* of a histogram: BOUNDS, each without those before; what is beyond the last
	                     is in `value` alone */
};

struct row {
	struct series *first; /* in the order in which they were made */
	struct series **last;
};

struct metrics {
	const struct metric *table;
	size_t count;
	struct row *rows; /* owned, and the series too */
	struct map by_text;
};

struct metrics_sink {
	const struct metric *metric;
	struct buf *out;
};

/* --- labels --- */

static void
add_escaped(const char *text, struct buf *out)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = str_utf8_len(text, left);

		if (n == 0) {
			buf_adds(out, "\xef\xbf\xbd");
			n = 1;
		} else if (*text == '\n') {
			buf_adds(out, "\\n");
		} else {
			if (*text == '"' || *text == '\\')
				buf_addc(out, '\\');
			buf_add(out, text, n);
		}
		text += n;
		left -= n;
	}
}

static void
add_labels(const struct metric *row, const char *const *values, struct buf *out)
{
	for (size_t i = 0; row->labels[i] != NULL; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_adds(out, row->labels[i]);
		buf_adds(out, "=\"");
		add_escaped(values[i], out);
		buf_addc(out, '"');
	}
}

/* --- series --- */

static struct series *
series_create(const struct metric *row, const char *labels)
{
	size_t counts = row->kind == METRIC_HISTOGRAM ? BOUNDS : 0;
	struct series *s = mem_zalloc(1, sizeof(*s) + counts * sizeof(s->counts[0]));
	struct buf bucket = {0};

	s->labels = mem_strdup(labels);
	if (counts > 0) {
		buf_addf(&bucket, "%s_bucket{%s%sle=\"", row->name, labels, *labels == '\0' ? "" : ",");
		s->bucket = buf_take(&bucket);
	}
	return s;
}

struct series *
metrics_series(struct metrics *m, size_t row, const char *const *values)
{
	const struct metric *metric = &m->table[row];
	struct buf text = {0};
	struct series *s;
	size_t labels_at;

	assert(row < m->count && metric->collect == NULL);
	buf_adds(&text, metric->name);
	buf_addc(&text, '{');
	labels_at = text.len;
	add_labels(metric, values, &text);
	s = map_find(&m->by_text, buf_text(&text));
	if (s == NULL) {
		s = series_create(metric, buf_text(&text) + labels_at);
		*m->rows[row].last = s;
		m->rows[row].last = &s->next;
		map_put(&m->by_text, buf_text(&text), s);
	}
	buf_finish(&text);
	return s;
}

void
series_add(struct series *s, int64_t more)
{
	s->value += more;
}

void
series_observe_us(struct series *s, int64_t us)
{
	size_t i = 0;

	if (us < 0)
		us = 0;
	s->value++;
	s->sum_us += us;
	while (i < BOUNDS && us > bounds_us[i])
		i++;
	if (i < BOUNDS)
		s->counts[i]++;
}

static void
series_free(struct series *s)
{
	free(s->labels);
	free(s->bucket);
	free(s);
}

/* By the beginning of its labels. */
static bool
begins_with(const struct series *s, const struct buf *label)
{
	char next;

	if (strncmp(s->labels, buf_text(label), label->len) != 0)
		return false;
	next = s->labels[label->len];
	return next == ',' || next == '\0';
}

static void
take_out(struct metrics *m, size_t row, struct series **at)
{
	struct series *s = *at;
	struct buf text = {0};

	buf_addf(&text, "%s{%s", m->table[row].name, s->labels);
	map_take(&m->by_text, buf_text(&text));
	buf_finish(&text);
	*at = s->next;
	if (m->rows[row].last == &s->next)
		m->rows[row].last = at;
	series_free(s);
}

void
metrics_forget(struct metrics *m, size_t row, const char *value)
{
	struct series **at = &m->rows[row].first;
	struct buf label = {0};

	buf_addf(&label, "%s=\"", m->table[row].labels[0]);
	add_escaped(value, &label);
	buf_addc(&label, '"');
	while (*at != NULL)
		if (begins_with(*at, &label))
			take_out(m, row, at);
		else
			at = &(*at)->next;
	buf_finish(&label);
}

/* --- text --- */

static void
add_seconds(int64_t us, struct buf *out)
{
	enum { DIGITS = 6 };
	char rest[DIGITS];
	int64_t left = us % 1000000;

	for (int i = DIGITS; i-- > 0; left /= 10)
		rest[i] = (char)('0' + left % 10);
	buf_add_int(out, us / 1000000);
	buf_addc(out, '.');
	buf_add(out, rest, DIGITS);
}

/* "name_suffix{labels} " */
static void
begin_line(const struct metric *row, const char *suffix, const char *labels, struct buf *out)
{
	buf_adds(out, row->name);
	buf_adds(out, suffix);
	if (*labels != '\0') {
		buf_addc(out, '{');
		buf_adds(out, labels);
		buf_addc(out, '}');
	}
	buf_addc(out, ' ');
}

static void
add_bucket(const struct series *s, size_t prefix, const char *bound, int64_t count, struct buf *out)
{
	buf_add(out, s->bucket, prefix);
	buf_adds(out, bound);
	buf_add_int(out, count);
	buf_addc(out, '\n');
}

static void
add_histogram(const struct metric *row, const struct series *s, struct buf *out)
{
	size_t prefix = strlen(s->bucket);
	int64_t count = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		count += s->counts[i];
		add_bucket(s, prefix, bound_texts[i], count, out);
	}
	add_bucket(s, prefix, "+Inf\"} ", s->value, out);
	begin_line(row, "_sum", s->labels, out);
	add_seconds(s->sum_us, out);
	buf_addc(out, '\n');
	begin_line(row, "_count", s->labels, out);
	buf_add_int(out, s->value);
	buf_addc(out, '\n');
}

static void
add_counter(const struct metric *row, const struct series *s, struct buf *out)
{
	begin_line(row, "", s->labels, out);
	buf_add_int(out, s->value);
	buf_addc(out, '\n');
}

static const char *
kind_name(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER: return "counter";
	case METRIC_GAUGE: return "gauge";
	case METRIC_HISTOGRAM: return "histogram";
	}
	abort();
}

void
metrics_add_text(const struct metrics *m, void *arg, struct buf *out)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct metric *row = &m->table[i];
		struct metrics_sink sink = {row, out};

		buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
		         kind_name(row->kind));
		if (row->collect != NULL)
			row->collect(&sink, arg);
		for (const struct series *s = m->rows[i].first; s != NULL; s = s->next)
			if (row->kind == METRIC_HISTOGRAM)
				add_histogram(row, s, out);
			else
				add_counter(row, s, out);
	}
}

static void
begin_sample(struct metrics_sink *sink, const char *const *values)
{
	buf_adds(sink->out, sink->metric->name);
	if (values != NULL) {
		buf_addc(sink->out, '{');
		add_labels(sink->metric, values, sink->out);
		buf_addc(sink->out, '}');
	}
	buf_addc(sink->out, ' ');
}

void
metrics_sink_add(struct metrics_sink *sink, const char *const *values, int64_t value)
{
	begin_sample(sink, values);
	buf_add_int(sink->out, value);
	buf_addc(sink->out, '\n');
}

void
metrics_sink_add_us(struct metrics_sink *sink, const char *const *values, int64_t us)
{
	begin_sample(sink, values);
	add_seconds(us, sink->out);
	buf_addc(sink->out, '\n');
}

/* --- their life --- */

struct metrics *
metrics_create(const struct metric *table, size_t count)
{
	struct metrics *m = NEW(struct metrics);

	m->table = table;
	m->count = count;
	m->rows = mem_zalloc(count, sizeof(m->rows[0]));
	for (size_t i = 0; i < count; i++)
		m->rows[i].last = &m->rows[i].first;
	return m;
}

void
metrics_destroy(struct metrics **mp)
{
	struct metrics *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	MAP_FOR_EACH (it, &m->by_text)
		series_free(it.value);
	map_finish(&m->by_text);
	free(m->rows);
	free(m);
}
