/* Answers of the admin API, read once into what is shown of them. */
#include "picture.h"

#include "base/mem.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the rate before, in what is shown of it. */
static const double old_weight = 0.7;

static const cJSON *
member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *
text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(member(object, name));

	return text == NULL ? "" : text;
}

/* -1: null, or not there. */
static int64_t
number_of(const cJSON *object, const char *name)
{
	double value = cJSON_GetNumberValue(member(object, name));

	return isfinite(value) && fabs(value) < 9e15 ? (int64_t)value : -1;
}

/* --- status --- */

static void
take_model(const cJSON *from, struct model_shown *m)
{
	int64_t num_ctx = number_of(from, "num_ctx");

	*m = (struct model_shown){
	    .name = text_of(from, "name"),
	    .state = text_of(from, "state"),
	    .slots = number_of(from, "slots"),
	    .busy = number_of(from, "busy"),
	    .num_ctx = num_ctx < 0 ? 0 : num_ctx,
	    .loading_ms = number_of(from, "loading_ms"),
	    .expected_ms = number_of(from, "load_expected_ms"),
	};
}

static void
take_node(const cJSON *from, struct node_shown *n)
{
	const cJSON *models = member(from, "models"), *one;

	*n = (struct node_shown){
	    .name = text_of(from, "name"),
	    .url = text_of(from, "url"),
	    .state = text_of(from, "state"),
	    .breaker = text_of(from, "breaker"),
	    .version = text_of(from, "version"),
	    .slots = number_of(from, "slots"),
	    .busy = number_of(from, "busy"),
	    .models = mem_zalloc((size_t)cJSON_GetArraySize(models) + 1, sizeof(n->models[0])),
	};
	cJSON_ArrayForEach (one, models)
		take_model(one, &n->models[n->model_count++]);
}

static void
take_queue(struct picture *p, const cJSON *queue)
{
	const cJSON *classes = member(queue, "by_class");

	p->queue_size = number_of(queue, "size");
	p->waiting = number_of(queue, "waiting");
	p->high = number_of(classes, "high");
	p->normal = number_of(classes, "normal");
	p->low = number_of(classes, "low");
	p->oldest_ms = number_of(queue, "oldest_ms");
}

static void
take_cache(struct picture *p, const cJSON *cache)
{
	p->cache_entries = number_of(cache, "entries");
	p->cache_bytes = number_of(cache, "bytes");
	p->hits = number_of(cache, "hits");
	p->misses = number_of(cache, "misses");
	p->joined = number_of(cache, "joined");
	p->stale = number_of(cache, "stale");
}

bool
picture_take_status(struct picture *p, const char *json)
{
	const cJSON *nodes, *one;

	p->status = cJSON_Parse(json);
	nodes = member(p->status, "backends");
	if (!cJSON_IsArray(nodes) || !cJSON_IsObject(member(p->status, "queue")))
		return false;
	p->version = text_of(p->status, "version");
	p->uptime_s = number_of(p->status, "uptime_s");
	p->draining = cJSON_IsTrue(member(p->status, "draining"));
	p->running = number_of(p->status, "running");
	take_queue(p, member(p->status, "queue"));
	take_cache(p, member(p->status, "cache"));
	p->nodes = mem_zalloc((size_t)cJSON_GetArraySize(nodes) + 1, sizeof(p->nodes[0]));
	cJSON_ArrayForEach (one, nodes)
		take_node(one, &p->nodes[p->node_count++]);
	return true;
}

/* --- requests --- */

/* The first token came with the first byte; the time that it took says nothing of the pace. */
static double
rate_of(const struct request_shown *r)
{
	int64_t ms = r->age_ms - r->ttft_ms;

	if (r->tokens < 2 || r->ttft_ms < 0 || ms <= 0)
		return -1;
	return (double)(r->tokens - 1) * 1000 / (double)ms;
}

static void
take_row(const cJSON *from, struct request_shown *r)
{
	*r = (struct request_shown){
	    .id = text_of(from, "id"),
	    .key = text_of(from, "key"),
	    .model = text_of(from, "model"),
	    .state = text_of(from, "state"),
	    .class = text_of(from, "class"),
	    .backend = text_of(from, "backend"),
	    .loading_on = text_of(from, "loading_on"),
	    .position = number_of(from, "position"),
	    .eta_ms = number_of(from, "eta_ms"),
	    .waited_ms = number_of(from, "waited_ms"),
	    .age_ms = number_of(from, "age_ms"),
	    .ttft_ms = number_of(from, "ttft_ms"),
	    .tokens = number_of(from, "tokens"),
	};
	r->rate = rate_of(r);
}

bool
picture_take_requests(struct picture *p, const char *json)
{
	const cJSON *one;

	p->requests = cJSON_Parse(json);
	if (!cJSON_IsArray(p->requests))
		return false;
	p->rows = mem_zalloc((size_t)cJSON_GetArraySize(p->requests) + 1, sizeof(p->rows[0]));
	cJSON_ArrayForEach (one, p->requests) {
		take_row(one, &p->rows[p->row_count]);
		p->rows[p->row_count].index = p->row_count;
		p->row_count++;
	}
	return true;
}

/* --- metrics --- */

/* The value stands behind the last space: labels may have some too. */
bool
picture_take_metrics(struct picture *p, const char *text)
{
	static const char name[] = "drover_requests_total{";
	struct str rest = str_of(text), line;
	double sum = 0;

	if (strstr(text, "# TYPE drover_requests_total ") == NULL)
		return false;
	while (str_split(&rest, '\n', &line)) {
		const char *value;

		if (line.len < sizeof(name) || memcmp(line.ptr, name, sizeof(name) - 1) != 0)
			continue;
		value = memrchr(line.ptr, ' ', line.len);
		if (value != NULL)
			sum += strtod(value + 1, NULL);
	}
	p->answered = (int64_t)sum;
	return true;
}

void
picture_settle(struct picture *p, const struct picture *before, int64_t now_ms)
{
	p->taken_ms = now_ms;
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].rate > 0)
			p->rate += p->rows[i].rate;
	/* Fewer than before: it was started anew meanwhile. */
	if (before == NULL || p->answered < before->answered || now_ms <= before->taken_ms)
		return;
	p->answered_a_second =
	    (double)(p->answered - before->answered) * 1000 / (double)(now_ms - before->taken_ms);
	if (before->answered_a_second >= 0) /* what jumps cannot be read */
		p->answered_a_second += old_weight * (before->answered_a_second - p->answered_a_second);
}

struct picture *
picture_create(void)
{
	struct picture *p = NEW(struct picture);

	p->answered = -1;
	p->answered_a_second = -1;
	return p;
}

void
picture_destroy(struct picture **pp)
{
	struct picture *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->node_count; i++)
		free(p->nodes[i].models);
	free(p->nodes);
	free(p->rows);
	cJSON_Delete(p->status);
	cJSON_Delete(p->requests);
	free(p);
}
