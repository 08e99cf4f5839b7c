/* Answers of the admin API, read once into what is shown of them. */
#include "picture.h"

#include "base/mem.h"
#include "proto/member.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the rate before, in what is shown of it. */
static const double old_weight = 0.7;

/* --- status --- */

static void
take_model(const cJSON *from, struct model_shown *m)
{
	int64_t num_ctx = member_number(from, "num_ctx");

	*m = (struct model_shown){
	    .name = member_text(from, "name"),
	    .state = member_text(from, "state"),
	    .slots = member_number(from, "slots"),
	    .busy = member_number(from, "busy"),
	    .num_ctx = num_ctx < 0 ? 0 : num_ctx,
	    .loading_ms = member_number(from, "loading_ms"),
	    .expected_ms = member_number(from, "load_expected_ms"),
	};
}

static void
take_node(const cJSON *from, struct node_shown *n)
{
	const cJSON *models = member_find(from, "models"), *one;

	*n = (struct node_shown){
	    .name = member_text(from, "name"),
	    .url = member_text(from, "url"),
	    .state = member_text(from, "state"),
	    .breaker = member_text(from, "breaker"),
	    .version = member_text(from, "version"),
	    .slots = member_number(from, "slots"),
	    .busy = member_number(from, "busy"),
	    .models = mem_zalloc((size_t)cJSON_GetArraySize(models) + 1, sizeof(n->models[0])),
	};
	cJSON_ArrayForEach (one, models)
		take_model(one, &n->models[n->model_count++]);
}

static void
take_queue(struct picture *p, const cJSON *queue)
{
	const cJSON *classes = member_find(queue, "by_class");

	p->queue_size = member_number(queue, "size");
	p->waiting = member_number(queue, "waiting");
	p->high = member_number(classes, "high");
	p->normal = member_number(classes, "normal");
	p->low = member_number(classes, "low");
	p->oldest_ms = member_number(queue, "oldest_ms");
}

static void
take_cache(struct picture *p, const cJSON *cache)
{
	p->cache_entries = member_number(cache, "entries");
	p->cache_bytes = member_number(cache, "bytes");
	p->hits = member_number(cache, "hits");
	p->misses = member_number(cache, "misses");
	p->joined = member_number(cache, "joined");
	p->stale = member_number(cache, "stale");
}

bool
picture_take_status(struct picture *p, const char *json)
{
	const cJSON *nodes, *one;

	p->status = cJSON_Parse(json);
	nodes = member_find(p->status, "backends");
	if (!cJSON_IsArray(nodes) || !cJSON_IsObject(member_find(p->status, "queue")))
		return false;
	p->version = member_text(p->status, "version");
	p->uptime_s = member_number(p->status, "uptime_s");
	p->draining = cJSON_IsTrue(member_find(p->status, "draining"));
	p->running = member_number(p->status, "running");
	take_queue(p, member_find(p->status, "queue"));
	take_cache(p, member_find(p->status, "cache"));
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
	    .id = member_text(from, "id"),
	    .key = member_text(from, "key"),
	    .model = member_text(from, "model"),
	    .state = member_text(from, "state"),
	    .class = member_text(from, "class"),
	    .backend = member_text(from, "backend"),
	    .loading_on = member_text(from, "loading_on"),
	    .position = member_number(from, "position"),
	    .eta_ms = member_number(from, "eta_ms"),
	    .waited_ms = member_number(from, "waited_ms"),
	    .age_ms = member_number(from, "age_ms"),
	    .ttft_ms = member_number(from, "ttft_ms"),
	    .tokens = member_number(from, "tokens"),
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
