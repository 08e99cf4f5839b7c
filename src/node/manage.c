/*
 * What changes a node: pull, push, create, copy, delete; and the small routes
 * beside them. A pull finds whatever name it is given, unless it begins with
 * "missing"; what it brings is a model without load time.
 */
#include "handlers.h"
#include "node_impl.h"

#include "progress.h"

#include <string.h>

void
manage_root(struct visit *v)
{
	visit_reply(v, 200, "text/plain; charset=utf-8", str_of("Ollama is running"));
}

void
manage_version(struct visit *v)
{
	struct buf *out = &v->node->out;

	buf_clear(out);
	buf_adds(out, "{\"version\":");
	gojson_add_string(out, str_of(v->node->version));
	buf_addc(out, '}');
	visit_reply_json(v, 200, (struct str){out->data, out->len});
}

void
manage_status(struct visit *v)
{
	visit_reply_json(v, 200, str_of("{\"cloud\":{\"disabled\":false,\"source\":\"none\"}}"));
}

void
manage_recommendations(struct visit *v)
{
	visit_reply_json(v, 200, str_of("{\"recommendations\":[]}"));
}

/* Nobody is ever signed in. */
void
manage_account(struct visit *v)
{
	if (v->route->method == HTTP_POST && strcmp(v->route->path, "/api/signout") != 0)
		visit_reply_json(v, 401,
		                 str_of("{\"error\":\"unauthorized\",\"signin_url\":"
		                        "\"https://ollama.com/connect?name=drover-node\\u0026key=none\"}"));
	else
		visit_reply_error(v, 401, "you are not currently signed in");
}

/* The body's tree, which the caller deletes; NULL: answered. */
static cJSON *
read_body(struct visit *v)
{
	struct buf why = {0};
	cJSON *body = gojson_parse((struct str){buf_text(&v->body), v->body.len}, &why);

	if (body == NULL)
		visit_reply_error(v, 400, "%s", v->body.len == 0 ? "missing request body" : buf_text(&why));
	buf_finish(&why);
	return body;
}

static const char *
asked_name(const cJSON *body)
{
	const char *name = gojson_text(body, "model");

	return name[0] != '\0' ? name : gojson_text(body, "name");
}

static int64_t
wall_ms(void)
{
	return node_wall_ns() / 1000000;
}

/* What a pull of the model moves: its weights, then its small config. */
static void
add_layers(struct progress *p, const struct model *m, const char *verb)
{
	for (int i = 1; i <= 4; i++)
		progress_add_layer(p, verb, m->weights, m->size_bytes, m->size_bytes * i / 4);
	progress_add_layer(p, verb, m->digest, 487, 487);
}

void
manage_pull(struct visit *v)
{
	cJSON *body = read_body(v);
	const char *name = asked_name(body);
	struct buf shown = {0}, why = {0};

	if (body == NULL)
		return;
	if (!catalog_shorten_name(name, &shown)) {
		visit_reply_error(v, 400, "invalid model name");
	} else {
		struct progress *p = progress_create(v, gojson_bool(body, "stream", true));

		progress_add(p, "pulling manifest");
		if (strncmp(shown.data, "missing", 7) == 0) {
			progress_fail(p, 500, "pull model manifest: file does not exist");
		} else {
			if (catalog_find(&v->node->catalog, shown.data) == NULL)
				(void)catalog_add(&v->node->catalog, (struct str){shown.data, shown.len}, wall_ms(),
				                  &why);
			add_layers(p, catalog_find(&v->node->catalog, shown.data), "pulling");
			progress_add(p, "verifying sha256 digest");
			progress_add(p, "writing manifest");
			progress_add(p, "success");
		}
		progress_start(p);
	}
	buf_finish(&shown);
	buf_finish(&why);
	cJSON_Delete(body);
}

void
manage_push(struct visit *v)
{
	cJSON *body = read_body(v);
	const char *name = asked_name(body);
	const struct model *m = catalog_find(&v->node->catalog, name);

	if (body == NULL)
		return;
	if (name[0] == '\0') {
		visit_reply_error(v, 400, "model is required");
	} else {
		struct progress *p = progress_create(v, gojson_bool(body, "stream", true));

		progress_add(p, "retrieving manifest");
		if (m == NULL) {
			progress_add(p, "couldn't retrieve manifest");
			progress_fail(p, 500, "file does not exist");
		} else {
			add_layers(p, m, "pushing");
			progress_add(p, "pushing manifest");
			progress_add(p, "success");
		}
		progress_start(p);
	}
	cJSON_Delete(body);
}

/* Every file of a create must have been uploaded before. */
static bool
has_files(struct visit *v, const cJSON *files, struct progress *p)
{
	const cJSON *it;

	cJSON_ArrayForEach (it, files) {
		const char *digest = cJSON_IsString(it) ? it->valuestring : "";

		if (strncmp(digest, "sha256:", 7) != 0 || map_find(&v->node->blobs, digest + 7) == NULL) {
			progress_fail(p, 500, "blob \"%s\" not found", digest);
			return false;
		}
		progress_add(p, "parsing GGUF");
	}
	return true;
}

static void
create(struct visit *v, const cJSON *body, const char *name, struct progress *p)
{
	const char *from = gojson_text(body, "from");
	const struct model *m = catalog_find(&v->node->catalog, from);
	const cJSON *files = gojson_get(body, "files");
	struct buf why = {0};

	if (from[0] == '\0' && cJSON_GetArraySize(files) == 0) {
		progress_fail(p, 400, "neither 'from' or 'files' was specified");
		return;
	}
	if (from[0] != '\0' && m == NULL) {
		progress_add(p, "pulling manifest");
		progress_fail(p, 500, "pull model manifest: file does not exist");
		return;
	}
	if (!has_files(v, files, p))
		return;
	if (m != NULL) {
		progress_addf(p, "using existing layer sha256:%s", m->weights);
		catalog_alias(&v->node->catalog, m, name, wall_ms());
	} else {
		(void)catalog_add(&v->node->catalog, str_of(name), wall_ms(), &why);
	}
	progress_add(p, "writing manifest");
	progress_add(p, "success");
	buf_finish(&why);
}

void
manage_create(struct visit *v)
{
	cJSON *body = read_body(v);
	struct buf name = {0};

	if (body == NULL)
		return;
	if (!catalog_shorten_name(asked_name(body), &name)) {
		visit_reply_error(v, 400, "invalid model name");
	} else {
		struct progress *p = progress_create(v, gojson_bool(body, "stream", true));

		create(v, body, name.data, p);
		progress_start(p);
	}
	buf_finish(&name);
	cJSON_Delete(body);
}

static void
reply_done(struct visit *v)
{
	visit_reply(v, 200, NULL, (struct str){"", 0});
}

void
manage_copy(struct visit *v)
{
	cJSON *body = read_body(v);
	const char *source = gojson_text(body, "source"), *to = gojson_text(body, "destination");
	const struct model *m = catalog_find(&v->node->catalog, source);
	struct buf from = {0}, name = {0};

	if (body == NULL)
		return;
	if (!catalog_shorten_name(source, &from)) {
		visit_reply_error(v, 400, "source \"%s\" is invalid", source);
	} else if (!catalog_shorten_name(to, &name)) {
		visit_reply_error(v, 400, "destination \"%s\" is invalid", to);
	} else if (m == NULL) {
		visit_reply_error(v, 404, "model \"%s\" not found", source);
	} else {
		catalog_alias(&v->node->catalog, m, name.data, wall_ms());
		reply_done(v);
	}
	buf_finish(&from);
	buf_finish(&name);
	cJSON_Delete(body);
}

void
manage_delete(struct visit *v)
{
	cJSON *body = read_body(v);
	const char *name = asked_name(body);
	struct buf shown = {0};

	if (body == NULL)
		return;
	if (name[0] == '\0')
		visit_reply_error(v, 400, "model is required");
	else if (!catalog_shorten_name(name, &shown))
		visit_reply_error(v, 400, "name \"%s\" is invalid", name);
	else if (!catalog_remove(&v->node->catalog, name))
		visit_reply_error(v, 404, "model '%s' not found", name);
	else
		reply_done(v);
	buf_finish(&shown);
	cJSON_Delete(body);
}
