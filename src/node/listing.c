/* What a node tells of its models: tags, ps, show, and OpenAI's lists. */
#include "handlers.h"
#include "node_impl.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS_PER_MS = 1000000 };

static void
add_key_text(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, "\"%s\":", key);
	gojson_add_string(out, str_of(text));
}

static void
add_details(struct buf *out, const struct model *m, bool sizes)
{
	buf_addf(out,
	         "{\"parent_model\":\"\",\"format\":\"gguf\",\"family\":\"%s\",\"families\":[\"%s\"],"
	         "\"parameter_size\":\"%s\",\"quantization_level\":\"%s\"",
	         m->family, m->family, m->parameters, m->embeds ? "F16" : "Q4_K_M");
	if (sizes)
		buf_addf(out, ",\"context_length\":%d,\"embedding_length\":%d", MODEL_TRAINED_CONTEXT,
		         MODEL_DIMENSIONS);
	buf_addc(out, '}');
}

static void
add_capabilities(struct buf *out, const struct model *m)
{
	if (m->embeds) {
		buf_adds(out, "[\"embedding\"]");
		return;
	}
	buf_addf(out, "[\"completion\",\"tools\"%s%s]", m->sees ? ",\"vision\"" : "",
	         m->thinks ? ",\"thinking\"" : "");
}

static void
add_name(struct buf *out, const struct model *m)
{
	buf_addc(out, '{');
	add_key_text(out, "name", m->name);
	buf_addc(out, ',');
	add_key_text(out, "model", m->name);
}

static void
add_tag(struct buf *out, const struct model *m)
{
	add_name(out, m);
	if (m->remote) {
		buf_adds(out, ",\"remote_model\":");
		gojson_add_string(out, (struct str){m->name, strcspn(m->name, ":")});
		buf_adds(out, ",\"remote_host\":\"https://ollama.com:443\"");
	}
	buf_adds(out, ",\"modified_at\":\"");
	gojson_add_time(out, m->modified_ms * NS_PER_MS);
	buf_addf(out, "\",\"size\":%lld,\"digest\":\"%s\",\"details\":", (long long)m->size_bytes,
	         m->digest);
	add_details(out, m, true);
	buf_adds(out, ",\"capabilities\":");
	add_capabilities(out, m);
	buf_addc(out, '}');
}

void
listing_tags(struct visit *v)
{
	struct node *n = v->node;
	const struct model *m;
	struct buf *out = &n->out;
	bool first = true;

	buf_clear(out);
	buf_adds(out, "{\"models\":[");
	LIST_FOR_EACH (m, &n->catalog.models, const struct model, link) {
		buf_adds(out, first ? "" : ",");
		add_tag(out, m);
		first = false;
	}
	buf_adds(out, "]}");
	visit_reply_json(v, 200, (struct str){out->data, out->len});
}

/* What is kept for ever leaves in 292 years: as far as Go's durations reach. */
static void
add_expiry(struct buf *out, const struct runner *r, int64_t now_ms)
{
	int64_t expires_ms = runner_expires_ms(r, now_ms);
	time_t far = (time_t)(node_wall_ns() / 1000000000) + INT64_C(9223372036);
	struct tm tm;
	char text[32];

	if (expires_ms != KEEP_FOREVER) {
		gojson_add_time(out, node_wall_ns() + (expires_ms - now_ms) * NS_PER_MS);
		return;
	}
	gmtime_r(&far, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_adds(out, text);
}

static void
add_runner(struct buf *out, const struct runner *r, int64_t now_ms)
{
	const struct model *m = r->model;

	add_name(out, m);
	buf_addf(out, ",\"size\":%lld,\"digest\":\"%s\",\"details\":", (long long)m->size_bytes,
	         m->digest);
	add_details(out, m, false);
	buf_adds(out, ",\"expires_at\":\"");
	add_expiry(out, r, now_ms);
	buf_addf(out, "\",\"size_vram\":%lld,\"context_length\":%lld}", (long long)m->size_bytes,
	         (long long)r->opts.num_ctx);
}

static int
later_first(const void *a, const void *b, void *arg)
{
	const int64_t *now_ms = arg;
	int64_t x = runner_expires_ms(*(const struct runner *const *)a, *now_ms);
	int64_t y = runner_expires_ms(*(const struct runner *const *)b, *now_ms);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* What is being loaded is shown as if it were: it expires so long after now. */
static struct runner
loading_runner(const struct runners *rs)
{
	const struct wish *w = rs->in_hand;

	return (struct runner){
	    .model = w->model,
	    .opts = w->opts,
	    .keep_ms = w->keep_ms == KEEP_DEFAULT ? rs->keep_ms : w->keep_ms,
	};
}

void
listing_ps(struct visit *v)
{
	struct runners *rs = &v->node->runners;
	struct runner loading;
	const struct runner *r, **sorted = mem_zalloc((size_t)rs->loaded_count + 1, sizeof(*sorted));
	struct buf *out = &v->node->out;
	int64_t now_ms = node_now_ms();
	int count = 0;

	LIST_FOR_EACH (r, &rs->loaded, const struct runner, link)
		sorted[count++] = r;
	if (rs->loop == LOOP_LOADING) {
		loading = loading_runner(rs);
		sorted[count++] = &loading;
	}
	qsort_r(sorted, (size_t)count, sizeof(*sorted), later_first, &now_ms);
	buf_clear(out);
	buf_adds(out, "{\"models\":[");
	for (int i = 0; i < count; i++) {
		buf_adds(out, i == 0 ? "" : ",");
		add_runner(out, sorted[i], now_ms);
	}
	buf_adds(out, "]}");
	free(sorted);
	visit_reply_json(v, 200, (struct str){out->data, out->len});
}

/* Go sorts the keys of a map: those of the family come before or after "general". */
static void
add_model_info(struct buf *out, const struct model *m)
{
	struct buf family = {0}, general = {0};
	bool family_first = strcmp(m->family, "general") < 0;
	double count = strtod(m->parameters, NULL) * (strchr(m->parameters, 'M') != NULL ? 1e6 : 1e9);

	buf_addf(&family, "\"%s.context_length\":%d,\"%s.embedding_length\":%d", m->family,
	         MODEL_TRAINED_CONTEXT, m->family, MODEL_DIMENSIONS);
	buf_addf(&general, "\"general.architecture\":\"%s\",\"general.parameter_count\":%.0f",
	         m->family, count);
	buf_addf(out, "{%s,%s}", family_first ? family.data : general.data,
	         family_first ? general.data : family.data);
	buf_finish(&family);
	buf_finish(&general);
}

static void
add_show(struct buf *out, const struct model *m)
{
	struct buf file = {0};

	buf_addf(&file,
	         "# Modelfile generated by \"ollama show\"\n# To build a new Modelfile based on this, "
	         "replace FROM with:\n# FROM %s\n\nFROM sha256-%s\nTEMPLATE {{ .Prompt }}\n",
	         m->name, m->weights);
	buf_adds(out, "{\"modelfile\":");
	gojson_add_string(out, (struct str){file.data, file.len});
	buf_adds(out, ",\"template\":\"{{ .Prompt }}\",\"details\":");
	add_details(out, m, false);
	buf_adds(out, ",\"model_info\":");
	add_model_info(out, m);
	buf_adds(out, ",\"capabilities\":");
	add_capabilities(out, m);
	buf_adds(out, ",\"modified_at\":\"");
	gojson_add_time(out, m->modified_ms * NS_PER_MS);
	buf_adds(out, "\"}");
	buf_finish(&file);
}

/* Both old and new name of the field. */
static const char *
asked_name(const cJSON *body)
{
	const char *name = gojson_text(body, "model");

	return name[0] != '\0' ? name : gojson_text(body, "name");
}

void
listing_show(struct visit *v)
{
	struct buf why = {0}, *out = &v->node->out;
	cJSON *body = gojson_parse((struct str){buf_text(&v->body), v->body.len}, &why);
	const char *name = asked_name(body);
	const struct model *m = catalog_find(&v->node->catalog, name);

	if (body == NULL) {
		visit_reply_error(v, 400, "%s", v->body.len == 0 ? "missing request body" : buf_text(&why));
	} else if (name[0] == '\0') {
		visit_reply_error(v, 400, "model is required");
	} else if (m == NULL) {
		visit_reply_error(v, 404, "model '%s' not found", name);
	} else {
		buf_clear(out);
		add_show(out, m);
		visit_reply_json(v, 200, (struct str){out->data, out->len});
	}
	cJSON_Delete(body);
	buf_finish(&why);
}

static void
add_openai_model(struct buf *out, const struct model *m, const char *id)
{
	const char *slash = strchr(id, '/');

	buf_addc(out, '{');
	add_key_text(out, "id", id);
	buf_addf(out, ",\"object\":\"model\",\"created\":%lld,\"owned_by\":",
	         (long long)(m->modified_ms / 1000));
	gojson_add_string(out,
	                  slash == NULL ? str_of("library") : (struct str){id, (size_t)(slash - id)});
	buf_addc(out, '}');
}

void
listing_models(struct visit *v)
{
	const struct model *m;
	struct buf *out = &v->node->out;
	bool first = true;

	buf_clear(out);
	buf_adds(out, "{\"object\":\"list\",\"data\":");
	LIST_FOR_EACH (m, &v->node->catalog.models, const struct model, link) {
		buf_adds(out, first ? "[" : ",");
		add_openai_model(out, m, m->name);
		first = false;
	}
	buf_adds(out, first ? "null}\n" : "]}\n");
	visit_reply(v, 200, "application/json", (struct str){out->data, out->len});
}

void
listing_model(struct visit *v)
{
	const struct model *m = catalog_find(&v->node->catalog, v->tail);
	struct buf *out = &v->node->out;

	if (m == NULL) {
		visit_reply_error(v, 404, "model '%s' not found", v->tail);
		return;
	}
	buf_clear(out);
	add_openai_model(out, m, v->tail);
	buf_addc(out, '\n');
	visit_reply(v, 200, "application/json", (struct str){out->data, out->len});
}
