/* Asks first as Ollama, then as OpenAI wants it. */
#include "models.h"

#include "io/fetch.h"
#include "io/loop.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { LIMIT_MS = 10 * 1000, ANSWER_BYTES_MAX = 8 * 1024 * 1024, SHOWN_MOST = 20 };

static const struct {
	const char *target;
	const char *list;
	const char *name;
} questions[] = {
    {"/api/tags", "models", "name"},
    {"/v1/models", "data", "id"},
};

enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

struct inquiry {
	struct loop *loop;
	struct upstream *upstream;
	struct buf headers;
	size_t asked;
	struct mix found; /* in the order of the list */
	struct buf wrong; /* why nothing came of it */
};

static void ask(struct inquiry *q);

static bool
take_list(struct inquiry *q, struct str body)
{
	cJSON *json = cJSON_ParseWithLength(body.ptr, body.len);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, questions[q->asked].list);
	bool is_list = cJSON_IsArray(list);
	const cJSON *it;

	cJSON_ArrayForEach (it, list) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(it, questions[q->asked].name);

		if (cJSON_IsString(name))
			mix_add(&q->found, name->valuestring);
	}
	cJSON_Delete(json);
	return is_list;
}

static void
on_answer(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
          void *arg)
{
	struct inquiry *q = arg;

	buf_clear(&q->wrong);
	if (end == EXCHANGE_DONE && status == 200 && take_list(q, body)) {
		loop_stop(q->loop);
		return;
	}
	if (end == EXCHANGE_DONE)
		buf_addf(&q->wrong, "it answers %s with %d", questions[q->asked].target, status);
	else
		buf_addf(&q->wrong, "%s%s%s", exchange_end_text(end), fetch_why(f) == NULL ? "" : ": ",
		         fetch_why(f) == NULL ? "" : fetch_why(f));
	if (++q->asked < QUESTIONS && end == EXCHANGE_DONE)
		ask(q);
	else
		loop_stop(q->loop);
}

static void
ask(struct inquiry *q)
{
	struct exchange_request req = {
	    .method = HTTP_GET,
	    .target = str_of(questions[q->asked].target),
	    .headers = {buf_text(&q->headers), q->headers.len},
	    .first_byte_ms = LIMIT_MS,
	    .idle_ms = LIMIT_MS,
	};

	fetch_start(q->upstream, &req, ANSWER_BYTES_MAX, on_answer, q);
}

static void
add_found(struct buf *out, const struct mix *found)
{
	for (size_t i = 0; i < found->count && i < SHOWN_MOST; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : ", ", found->texts[i]);
	if (found->count > SHOWN_MOST)
		buf_addf(out, " and %zu more", found->count - SHOWN_MOST);
}

static bool
conclude(struct plan *plan, struct inquiry *q, struct buf *why)
{
	if (q->found.count == 1) {
		plan->models = q->found;
		q->found = (struct mix){0};
		return true;
	}
	buf_addf(why, "which --model? %s ", plan->url);
	if (q->wrong.len > 0)
		buf_addf(why, "cannot be asked what it has: %s", buf_text(&q->wrong));
	else if (q->found.count == 0)
		buf_adds(why, "has none");
	else
		buf_adds(why, "has ");
	add_found(why, &q->found);
	return false;
}

bool
models_choose(struct plan *plan, struct buf *why)
{
	struct upstream_conf conf = {.url = plan->url,
	                             .tls_ca = plan->tls_ca,
	                             .tls_verify = plan->tls_verify,
	                             .connect_ms = LIMIT_MS,
	                             .idle_max = 1};
	struct inquiry q = {.loop = loop_create()};
	bool chosen = false;

	if (plan->keys.count > 0)
		buf_addf(&q.headers, "Authorization: Bearer %s\r\n", plan->keys.texts[0]);
	q.upstream = upstream_create(q.loop, &conf, why);
	if (q.upstream != NULL) {
		ask(&q);
		loop_run(q.loop);
		chosen = conclude(plan, &q, why);
	}
	upstream_destroy(&q.upstream);
	loop_destroy(&q.loop);
	mix_finish(&q.found);
	buf_finish(&q.headers);
	buf_finish(&q.wrong);
	return chosen;
}
