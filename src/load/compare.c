/* Comparing with an earlier run. */
#include "compare.h"

#include "base/mem.h"
#include "format.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

/* Under it nobody should see a difference in two runs. */
static const double noise_percent = 1;

static bool
read_file(const char *path, struct buf *out, struct buf *why)
{
	char piece[16384];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && out->len < FILE_BYTES_MAX)
		buf_add(out, piece, n);
	fclose(f);
	return true;
}

static void
take_numbers(struct metrics *m, const cJSON *json)
{
	const cJSON *it;

	cJSON_ArrayForEach (it, json) {
		struct metric *to = &m->all[m->count];

		/* cJSON reads 1e999 as infinite, which no run was. */
		if (!cJSON_IsNumber(it) || !isfinite(it->valuedouble) || it->string == NULL ||
		    m->count == METRICS_MAX || strlen(it->string) >= METRIC_NAME_MAX)
			continue;
		*to = (struct metric){.known = true, .value = it->valuedouble};
		memcpy(to->name, it->string, strlen(it->string) + 1);
		m->count++;
	}
}

static void
note(struct comparison *c, const char *what, const char *then)
{
	size_t len = strlen(c->differs);

	snprintf(c->differs + len, sizeof(c->differs) - len, "%s%s %s", len == 0 ? "" : ", ", what,
	         then);
}

static void
check_number(struct comparison *c, const cJSON *json, const char *name, const char *what,
             double now)
{
	const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, name);
	double then = cJSON_IsNumber(it) ? it->valuedouble : 0;
	char text[32];

	if (it == NULL || cJSON_IsString(it) || fabs(then - now) <= 1e-9 * now)
		return;
	snprintf(text, sizeof(text), "%g", then);
	note(c, what, then > 0 ? text : "none");
}

static void
check_text(struct comparison *c, const cJSON *json, const char *name, const char *what,
           const char *now)
{
	const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, name);

	if (cJSON_IsString(it) && strcmp(it->valuestring, now) != 0)
		note(c, what, it->valuestring);
}

/* Two runs that asked for different things differ for that reason first. */
static void
check_plan(struct comparison *c, const cJSON *json, const struct plan *plan)
{
	struct buf models = {0};

	plan_add_models(plan, &models);
	check_text(c, json, "endpoint_type", "API", plan->api->name);
	check_text(c, json, "model_id", "model", buf_text(&models));
	check_number(c, json, "request_rate", "rate", plan->rate);
	check_number(c, json, "max_concurrency", "concurrency", (double)plan->concurrency);
	buf_finish(&models);
}

bool
comparison_read(struct comparison *c, const char *path, const struct plan *plan, struct buf *why)
{
	struct buf text = {0};
	cJSON *json;
	bool good;

	*c = (struct comparison){.path = path};
	if (!read_file(path, &text, why))
		return false;
	json = cJSON_Parse(buf_text(&text));
	take_numbers(&c->old, json);
	good = metrics_find(&c->old, "completed") != NULL;
	check_plan(c, json, plan);
	if (!good)
		buf_addf(why, "%s: this is no result of drover-bench (--output json, --save)", path);
	cJSON_Delete(json);
	buf_finish(&text);
	return good;
}

bool
comparison_change(const struct comparison *c, const struct metric *now, double *before,
                  double *percent)
{
	const struct metric *old = metrics_find(&c->old, now->name);

	if (old == NULL || !now->known)
		return false;
	*before = old->value;
	*percent = old->value > 0 ? (now->value - old->value) / old->value * 100 : 0;
	if (fabs(*percent) < 0.05)
		*percent = 0;
	return old->value > 0 || now->value > 0;
}

const char *
comparison_verdict(const struct metric *now, double before)
{
	double change = now->value - before;

	if (now->better == BETTER_NEITHER || fabs(change) * 100 < noise_percent * before ||
	    before == now->value)
		return "";
	return (change > 0) == (now->better == BETTER_MORE) ? "better" : "worse";
}

bool
comparison_is_telling(const struct metric *m)
{
	static const char *const dull[] = {"std_", "max_", "p999_"};

	for (size_t i = 0; i < sizeof(dull) / sizeof(dull[0]); i++)
		if (strncmp(m->name, dull[i], strlen(dull[i])) == 0)
			return false;
	return true;
}

static void
add_row(struct buf *out, const struct metric *now, double before, double percent)
{
	struct buf old = {0}, new = {0};

	format_add_number(&old, before);
	format_add_number(&new, now->value);
	buf_addf(out, "  %-26s %14s %14s", now->name, buf_text(&old), buf_text(&new));
	if (before > 0)
		buf_addf(out, " %+9.1f %%", percent);
	else
		buf_addf(out, "%12s", "");
	buf_addf(out, "  %s", comparison_verdict(now, before));
	while (out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_addc(out, '\n');
	buf_finish(&old);
	buf_finish(&new);
}

void
comparison_add_table(struct buf *out, const struct comparison *c, const struct metrics *now)
{
	double before, percent;

	buf_addf(out, "\nCompared with %s\n", c->path);
	if (c->differs[0] != '\0')
		buf_addf(out, "  It asked for other things: %s.\n", c->differs);
	buf_addf(out, "  %-26s %14s %14s %11s\n", "", "before", "now", "change");
	for (size_t i = 0; i < now->count; i++)
		if (comparison_is_telling(&now->all[i]) &&
		    comparison_change(c, &now->all[i], &before, &percent))
			add_row(out, &now->all[i], before, percent);
}
