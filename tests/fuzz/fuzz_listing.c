/*
 * Whatever two nodes answer, the merged listing is well-formed JSON, with other names of a model in
 * it too, and merging it once more changes nothing. A byte 0xff parts the two answers.
 */
#include "fuzz.h"

#include "proto/json.h"
#include "proto/listing.h"
#include "proto/model_name.h"

#include <string.h>

typedef void merge_fn(const struct listing_part *, size_t, const struct listing_view *,
                      struct buf *);

static const struct listing_alias aliases[] = {
    {"M:1 \"new\"", "m:1 \"new\"", "m:latest"},
    {"hidden", "hidden:latest", "nobody:latest"},
};

static void
check_name(const struct listing_model *m, void *arg)
{
	char again[MODEL_NAME_MAX];
	size_t *count = arg;

	CLAIM(model_name_canonical(str_of(m->name), again) && strcmp(again, m->name) == 0);
	++*count;
}

static bool
accept(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	return true;
}

static void
check_json(const struct buf *b)
{
	struct json_scanner *s = json_scanner_create(accept, NULL, UINT64_MAX);

	CLAIM(json_scanner_feed(s, (struct str){b->data, b->len}) && json_scanner_end(s));
	json_scanner_destroy(&s);
}

static void
check_merge(merge_fn *merge, const struct listing_part parts[2])
{
	const struct listing_view all = {0}, named = {.aliases = aliases, .alias_count = 2};
	struct buf once = {0}, twice = {0}, more = {0};
	struct listing_part merged = {.backend = "c"};

	merge(parts, 2, &all, &once);
	check_json(&once);
	merged.body = (struct str){once.data, once.len};
	merge(&merged, 1, &all, &twice);
	CLAIM(strcmp(buf_text(&once), buf_text(&twice)) == 0);
	merge(parts, 2, &named, &more);
	check_json(&more);
	buf_finish(&more);
	buf_finish(&once);
	buf_finish(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct listing_part parts[2] = {{.backend = "a"}, {.backend = "b \"\\"}};
	char version[32];
	size_t models = 0;

	str_split(&rest, (char)0xff, &parts[0].body);
	if (!str_split(&rest, (char)0xff, &parts[1].body))
		parts[1].body =
		    str_of("{\"models\":[{\"name\":\"m\",\"modified_at\":\"2025-01-01T00:00:00Z\"}],"
		           "\"data\":[{\"id\":\"m\",\"created\":5}]}");
	for (int i = 0; i < 2; i++) {
		listing_read_models(parts[i].body, check_name, &models);
		if (listing_read_version(parts[i].body, version, sizeof(version)))
			CLAIM(listing_compare_versions(version, version) == 0);
	}
	check_merge(listing_merge_tags, parts);
	check_merge(listing_merge_v1_models, parts);
	check_merge(listing_merge_ps, parts);
	return 0;
}
