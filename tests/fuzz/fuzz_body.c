/*
 * The first byte picks a route, the rest is a body. The reader finds the same
 * facts however the body is cut; and of an accepted body, a reader that ignores
 * the case of keys and one that does not find the same model.
 */
#include "fuzz.h"

#include "proto/body.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <strings.h>

static const struct route *
pick_route(unsigned char pick)
{
	const struct route *table, *found = NULL;
	size_t count;

	table = route_table(&count);
	for (size_t i = pick % count; found == NULL; i = (i + 1) % count)
		if (table[i].model_key != NULL && !table[i].multipart)
			found = &table[i];
	return found;
}

static bool
read_body(const struct route *route, struct str body, bool whole, struct body_facts *out,
          char why[256])
{
	struct body_reader *r = body_reader_create(route, str_of(""));
	struct cutter c = cutter_of(body);
	bool ok = true;

	memset(out, 0, sizeof(*out));
	if (whole)
		ok = body_reader_feed(r, body);
	while (!whole && ok && c.rest.len > 0)
		ok = body_reader_feed(r, cutter_next(&c));
	ok = body_reader_end(r, out) && ok;
	CLAIM(ok == (*body_reader_why(r) == '\0'));
	snprintf(why, 256, "%s", body_reader_why(r));
	body_reader_destroy(&r);
	return ok;
}

static void
check_span(struct body_span at, struct str body)
{
	CLAIM(at.begin <= at.end && at.end <= body.len);
	CLAIM(at.begin == at.end || memchr(" \t\r\n,:", body.ptr[at.begin], 6) == NULL);
}

static void
check_facts(const struct route *route, const struct body_facts *f, struct str body)
{
	check_span(f->model_at, body);
	check_span(f->keep_alive_at, body);
	check_span(f->options_at, body);
	check_span(f->first_turn, body);
	for (int m = 0; m < BODY_NUMBERS; m++)
		check_span(f->numbers[m].at, body);
	CLAIM(f->text_bytes <= body.len);
	CLAIM(f->first_turn.end == 0 || body.ptr[f->first_turn.end - 1] == '}');
	CLAIM(*f->model == '\0' || body.ptr[f->model_at.begin] == '"');
	CLAIM(f->stream_given || f->stream == route->streams);
	CLAIM(f->unload == (f->load_only && f->keep_alive_zero));
	CLAIM(!f->load_only || route->content_key != NULL);
}

/* Neither the first nor the last, nor one in another case, may say otherwise. */
static void
check_model(const struct route *route, const struct body_facts *f, struct str body)
{
	cJSON *root = cJSON_ParseWithLength(body.ptr, body.len);
	const cJSON *member;

	cJSON_ArrayForEach (member, root)
		if (strcasecmp(member->string, route->model_key) == 0 && cJSON_IsString(member) &&
		    *member->valuestring != '\0')
			CLAIM(strcmp(member->valuestring, f->model) == 0);
	cJSON_Delete(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct route *route;
	struct body_facts whole, cut;
	char why[256], why_cut[256];
	struct str body;

	if (size == 0)
		return 0;
	route = pick_route(data[0]);
	body = (struct str){(const char *)data + 1, size - 1};
	if (read_body(route, body, true, &whole, why)) {
		check_facts(route, &whole, body);
		check_model(route, &whole, body);
	}
	read_body(route, body, false, &cut, why_cut);
	CLAIM(strcmp(why, why_cut) == 0);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*): both were zeros, padding too */
	CLAIM(memcmp(&whole, &cut, sizeof(whole)) == 0);
	return 0;
}
