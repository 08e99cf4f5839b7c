/* An example value for a JSON schema. */
#include "schema.h"

#include "digest.h"
#include "gojson.h"

#include <string.h>

/* A schema that nests deeper gets null there. */
enum { DEEPEST = 16 };

static const char *const words[8] = {"amber", "birch", "cedar", "delta",
                                     "ember", "fjord", "grove", "harbor"};

static void add_example(struct buf *out, const cJSON *schema, uint64_t hash, int depth);

static void
add_object(struct buf *out, const cJSON *schema, uint64_t hash, int depth)
{
	const cJSON *it, *properties = gojson_get(schema, "properties");

	buf_addc(out, '{');
	cJSON_ArrayForEach (it, properties) {
		if (it != properties->child)
			buf_addc(out, ',');
		gojson_add_string(out, str_of(it->string));
		buf_addc(out, ':');
		add_example(out, it, hash_add(hash, str_of(it->string)), depth + 1);
	}
	buf_addc(out, '}');
}

static void
add_of_type(struct buf *out, const char *type, const cJSON *schema, uint64_t hash, int depth)
{
	uint64_t pick = hash_mix(hash);

	if (strcmp(type, "string") == 0) {
		buf_addf(out, "\"%s\"", words[pick % 8]);
	} else if (strcmp(type, "integer") == 0) {
		buf_addf(out, "%lld",
		         (long long)gojson_int(schema, "minimum", 0) + (long long)(pick % 100));
	} else if (strcmp(type, "number") == 0) {
		buf_addf(out, "%lld.5",
		         (long long)gojson_int(schema, "minimum", 0) + (long long)(pick % 100));
	} else if (strcmp(type, "boolean") == 0) {
		buf_adds(out, pick % 2 == 0 ? "true" : "false");
	} else if (strcmp(type, "array") == 0) {
		buf_addc(out, '[');
		add_example(out, gojson_get(schema, "items"), hash + 1, depth + 1);
		buf_addc(out, ']');
	} else if (strcmp(type, "object") == 0) {
		add_object(out, schema, hash, depth);
	} else {
		buf_adds(out, "null");
	}
}

static void
add_example(struct buf *out, const cJSON *schema, uint64_t hash, int depth)
{
	const cJSON *type = gojson_get(schema, "type"), *choices = gojson_get(schema, "enum");
	const cJSON *any = gojson_get(schema, "anyOf"), *constant = gojson_get(schema, "const");

	if (depth > DEEPEST)
		buf_adds(out, "null");
	else if (constant != NULL)
		gojson_add_tree(out, constant);
	else if (cJSON_GetArraySize(choices) > 0)
		gojson_add_tree(
		    out, cJSON_GetArrayItem(choices,
		                            (int)(hash_mix(hash) % (uint64_t)cJSON_GetArraySize(choices))));
	else if (cJSON_GetArraySize(any) > 0)
		add_example(out, any->child, hash, depth + 1);
	else if (cJSON_IsArray(type) && cJSON_IsString(type->child))
		add_of_type(out, type->child->valuestring, schema, hash, depth);
	else if (cJSON_IsString(type))
		add_of_type(out, type->valuestring, schema, hash, depth);
	else
		add_of_type(out, gojson_get(schema, "properties") != NULL ? "object" : "string", schema,
		            hash, depth);
}

void
schema_add_example(struct buf *out, const cJSON *schema, uint64_t hash)
{
	if (cJSON_IsObject(schema))
		add_example(out, schema, hash, 0);
	else
		buf_adds(out, "{}");
}
