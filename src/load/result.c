/* What table, JSON and report have in common. */
#include "result.h"

#include "format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double shortest_s = 0.5;     /* below it, starting up is most of it */
static const double cpu_most = 0.85;      /* of a core */
static const int64_t lag_most_us = 10000; /* of one start in a hundred */

static void
add_when(struct buf *out, const struct plan *p)
{
	if (p->trace != NULL) {
		buf_addf(out, "trace %s", p->trace);
		if (p->trace_speed < 1 || p->trace_speed > 1)
			buf_addf(out, " at %g times its speed", p->trace_speed);
	} else if (p->rate > 0) {
		buf_addf(out, "open loop, %g a second (%s)", p->rate,
		         p->arrival == ARRIVAL_POISSON ? "Poisson" : "constant");
	} else {
		buf_addf(out, "closed loop, %lld at once", (long long)p->concurrency);
		return;
	}
	if (p->concurrency > 0)
		buf_addf(out, ", at most %lld at once", (long long)p->concurrency);
}

void
result_add_what(struct buf *out, const struct plan *p)
{
	buf_addf(out, "%s%s; ", p->api->name,
	         !p->api->streams ? ""
	         : p->stream      ? ", streamed"
	                          : ", not streamed");
	add_when(out, p);
}

/* One row for each edge: how it ends a step, and how it begins one, in the unit of the next. */
static const struct {
	int64_t us;
	const char *end;
	const char *end_unit;
	const char *begin;
	const char *begin_unit;
} edges[] = {
    {1000, "1", "ms", "1", "ms"},       {5000, "5", "ms", "5", "ms"},
    {10000, "10", "ms", "10", "ms"},    {50000, "50", "ms", "50", "ms"},
    {100000, "100", "ms", "100", "ms"}, {500000, "500", "ms", "0.5", "s"},
    {1000000, "1", "s", "1", "s"},      {5000000, "5", "s", "5", "s"},
    {10000000, "10", "s", "10", "s"},   {30000000, "30", "s", "30", "s"},
    {60000000, "60", "s", "1", "min"},  {300000000, "5", "min", "5", "min"},
};

enum { EDGES = sizeof(edges) / sizeof(edges[0]) };

static size_t
find_edge(int64_t us)
{
	size_t i = 0;

	while (i < EDGES && edges[i].us != us)
		i++;
	return i;
}

void
result_add_step(struct buf *out, int64_t from_us, int64_t to_us)
{
	size_t from = find_edge(from_us), to = find_edge(to_us);

	if (from == EDGES)
		buf_addf(out, "under %s %s", edges[to].end, edges[to].end_unit);
	else if (to == EDGES)
		buf_addf(out, "over %s %s", edges[from].begin, edges[from].begin_unit);
	else
		buf_addf(out, "%s-%s %s", edges[from].begin, edges[to].end, edges[to].end_unit);
}

/* What is fast is told apart only where most are fast. */
size_t
result_first_step(const struct figures *f)
{
	const struct hist *h = f->ttft.count > 0 ? &f->ttft : &f->e2e;
	size_t i = 0;

	if (hist_quantile_us(h, 0.5) >= 100000)
		while (metrics_steps_us[i] < 100000)
			i++;
	while (metrics_steps_us[i] <= h->min_us)
		i++;
	return i;
}

const char *
result_own_limit(const struct tally *t)
{
	bool open = t->plan->rate > 0 || t->plan->trace != NULL;

	if (t->starved)
		return "The system allows no more connections than were open (ulimit -n): requests "
		       "waited here for one, and their latencies include that.";
	if (tally_seconds(t) < shortest_s)
		return NULL;
	if (t->cpu_share > cpu_most)
		return "drover-bench itself was the limit: it used nearly a whole core, so that these "
		       "numbers say more of it than of the server. Run several at once.";
	if (open && hist_quantile_us(&t->lag, 0.99) > lag_most_us)
		return "drover-bench was late to start requests: the machine it ran on was busy. "
		       "Latencies include that.";
	return NULL;
}

bool
result_may_write(const char *path, struct buf *why)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	struct buf folder = {0};
	bool may;

	if (path == NULL)
		return true;
	buf_add(&folder, path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
	buf_addc(&folder, '.');
	may = access(path, W_OK) == 0 || (errno == ENOENT && access(buf_text(&folder), W_OK) == 0);
	if (!may)
		buf_addf(why, "%s: %s", path, strerror(errno));
	buf_finish(&folder);
	return may;
}

bool
result_write_file(const char *path, const struct buf *text, struct buf *why)
{
	FILE *f = fopen(path, "w");
	bool good = f != NULL && fwrite(buf_text(text), 1, text->len, f) == text->len;

	if (f != NULL)
		good = fclose(f) == 0 && good;
	if (!good)
		buf_addf(why, "%s%s: %s", why->len > 0 ? "; " : "", path, strerror(errno));
	return good;
}
