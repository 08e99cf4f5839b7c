/* What a client asks of a model: the parts that all dialects share. */
#include "ask.h"

#include "base/mem.h"
#include "base/unit.h"
#include "base64.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
ask_init(struct ask *a, enum ask_kind kind)
{
	*a = (struct ask){
	    .kind = kind,
	    .keep_ms = KEEP_DEFAULT,
	    .tool_key = "function",
	    .schema_key = "parameters",
	    .hash = HASH_START,
	    .opts =
	        {
	            .num_ctx = DEFAULT_NUM_CTX,
	            .num_ctx_auto = true,
	            .num_batch = DEFAULT_NUM_BATCH,
	            .num_batch_auto = true,
	            .num_gpu = -1,
	            .main_gpu = -1,
	            .use_mmap = -1,
	        },
	};
}

void
ask_finish(struct ask *a)
{
	cJSON_Delete(a->body);
	free(a->model);
	free(a->prompt);
	buf_finish(&a->option_error);
	*a = (struct ask){0};
}

bool
refuse(struct refusal_text *no, int status, const char *fmt, ...)
{
	va_list args;

	no->status = status;
	buf_clear(&no->message);
	va_start(args, fmt);
	buf_addv(&no->message, fmt, args);
	va_end(args);
	return false;
}

bool
ask_take_body(struct ask *a, struct str text, const char *no_body, struct refusal_text *no)
{
	struct buf why = {0};

	a->body = gojson_parse(text, &why);
	if (a->body == NULL)
		refuse(no, 400, "%s", strcmp(buf_text(&why), "EOF") == 0 ? no_body : buf_text(&why));
	buf_finish(&why);
	return a->body != NULL;
}

void
ask_set_model(struct ask *a, const char *name)
{
	a->model = mem_strdup(name);
	a->hash = hash_add(a->hash, str_of(name));
}

void
ask_add_message(struct ask *a, const char *role, struct str text)
{
	a->hash = hash_add(hash_add(a->hash, str_of(role)), text);
	a->prompt_bytes += text.len + strlen(role);
	a->user_is_last = strcasecmp(role, "user") == 0;
	/* A message of an image alone has no words. */
	if (a->user_is_last && (text.len > 0 || a->prompt == NULL)) {
		free(a->prompt);
		a->prompt = mem_strndup(text.len > 0 ? text.ptr : "", text.len);
	}
}

void
ask_add_media(struct ask *a, struct str bytes)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(hex, bytes);
	if (a->images++ == 0)
		memcpy(a->first_image, hex, sizeof(hex));
	a->media_hash = hash_add(a->media_hash, str_of(hex));
	a->prompt_bytes += 1024;
}

bool
ask_add_image(struct ask *a, const char *base64)
{
	struct buf raw = {0};
	bool ok = base64_decode(str_of(base64), &raw);

	if (ok)
		ask_add_media(a, (struct str){raw.data, raw.len});
	buf_finish(&raw);
	return ok;
}

void
ask_add_call(struct ask *a, const char *name)
{
	a->hash = hash_add(hash_add(a->hash, str_of("call")), str_of(name));
	a->prompt_bytes += strlen(name);
}

const char *
ask_tool_name(const struct ask *a, const cJSON *tool)
{
	return gojson_text(a->tool_key == NULL ? tool : gojson_get(tool, a->tool_key), "name");
}

void
ask_set_tools(struct ask *a, const cJSON *tools)
{
	const cJSON *it;

	a->tools = gojson_list(tools);
	cJSON_ArrayForEach (it, a->tools)
		a->hash = hash_add(hash_add(a->hash, str_of("tool")), str_of(ask_tool_name(a, it)));
}

void
ask_add_suffix(struct ask *a)
{
	const char *suffix = gojson_text(a->body, "suffix");

	if (suffix[0] != '\0')
		a->hash = hash_add(hash_add(a->hash, str_of("suffix")), str_of(suffix));
}

uint64_t
ask_hash(const struct ask *a)
{
	return hash_add_u64(a->hash, a->media_hash);
}

void
ask_add_tree(struct ask *a, const char *what, const cJSON *tree)
{
	struct buf text = {0};

	if (tree == NULL)
		return;
	gojson_add_tree(&text, tree);
	a->hash = hash_add(hash_add(a->hash, str_of(what)), (struct str){text.data, text.len});
	buf_finish(&text);
}

void
ask_add_seed(struct ask *a, int64_t seed)
{
	a->hash = hash_add_u64(a->hash, (uint64_t)seed);
}

/* Go: `option "num_ctx" must be of type integer`. */
static int64_t
option_int(struct ask *a, const cJSON *options, const char *key, int64_t fallback)
{
	const cJSON *value = gojson_get(options, key);

	if (value != NULL && !cJSON_IsNumber(value) && !a->bad_option) {
		a->bad_option = true;
		buf_addf(&a->option_error, "option \"%s\" must be of type integer", key);
	}
	return gojson_int(options, key, fallback);
}

static void
read_runner_options(struct ask *a, const cJSON *options)
{
	const cJSON *mmap = gojson_get(options, "use_mmap");
	struct runner_options *o = &a->opts;

	o->num_ctx_auto = gojson_get(options, "num_ctx") == NULL;
	o->num_batch_auto = gojson_get(options, "num_batch") == NULL;
	o->num_ctx = option_int(a, options, "num_ctx", o->num_ctx);
	if (o->num_ctx < 4)
		o->num_ctx = 4;
	o->num_batch = option_int(a, options, "num_batch", o->num_batch);
	o->num_gpu = option_int(a, options, "num_gpu", o->num_gpu);
	o->main_gpu = option_int(a, options, "main_gpu", o->main_gpu);
	o->num_thread = option_int(a, options, "num_thread", o->num_thread);
	if (mmap != NULL && !cJSON_IsBool(mmap) && !a->bad_option) {
		a->bad_option = true;
		buf_adds(&a->option_error, "option \"use_mmap\" must be of type boolean");
	}
	if (cJSON_IsBool(mmap))
		o->use_mmap = cJSON_IsTrue(mmap);
}

void
ask_read_options(struct ask *a, const cJSON *options)
{
	if (options == NULL)
		return;
	read_runner_options(a, options);
	a->max_tokens = option_int(a, options, "num_predict", a->max_tokens);
	if (gojson_get(options, "seed") != NULL)
		ask_add_seed(a, option_int(a, options, "seed", 0));
	a->stop = gojson_get(options, "stop");
}

bool
ask_read_keep_alive(struct ask *a, const cJSON *value, struct refusal_text *no)
{
	int64_t ns;

	if (value == NULL)
		return true;
	if (cJSON_IsNumber(value)) {
		a->keep_ms = value->valuedouble < 0 || value->valuedouble > 9e15
		                 ? KEEP_FOREVER
		                 : (int64_t)(value->valuedouble * 1000);
		return true;
	}
	if (!cJSON_IsString(value))
		return refuse(no, 400, "Unsupported type: '%s'",
		              cJSON_IsBool(value)    ? "bool"
		              : cJSON_IsArray(value) ? "[]interface {}"
		                                     : "map[string]interface {}");
	if (!unit_parse_go_duration_ns(str_of(value->valuestring), &ns)) {
		size_t digits = strspn(value->valuestring, "-+.0123456789");
		bool no_unit = digits > 0 && value->valuestring[digits] == '\0';

		return refuse(no, 400, "time: %s duration \"%s\"", no_unit ? "missing unit in" : "invalid",
		              value->valuestring);
	}
	a->keep_ms = ns < 0 ? KEEP_FOREVER : ns / 1000000;
	return true;
}

bool
ask_read_think(struct ask *a, const cJSON *value, struct refusal_text *no)
{
	static const char choices[] = "\"high\", \"medium\", \"low\", \"max\", true, or false";
	const char *text;

	if (value == NULL)
		return true;
	if (cJSON_IsBool(value)) {
		a->think = cJSON_IsTrue(value) ? THINK_ON : THINK_OFF;
		return true;
	}
	if (!cJSON_IsString(value))
		return refuse(no, 400, "think must be a boolean or string (%s)", choices);
	text = value->valuestring;
	if (strcmp(text, "high") != 0 && strcmp(text, "medium") != 0 && strcmp(text, "low") != 0 &&
	    strcmp(text, "max") != 0)
		return refuse(no, 400, "invalid think value: \"%s\" (must be %s)", text, choices);
	a->think = THINK_ON;
	return true;
}

bool
ask_read_effort(struct ask *a, const char *effort, struct refusal_text *no)
{
	static const char *const efforts[] = {"minimal", "low",   "medium", "high",
	                                      "xhigh",   "ultra", "max"};

	if (effort[0] == '\0')
		return true;
	if (strcmp(effort, "none") == 0) {
		a->think = THINK_OFF;
		return true;
	}
	for (size_t i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++)
		if (strcmp(effort, efforts[i]) == 0) {
			a->think = THINK_ON;
			return true;
		}
	return refuse(no, 400,
	              "invalid reasoning value: \"%s\" (must be \"minimal\", \"low\", \"medium\", "
	              "\"high\", \"xhigh\", \"ultra\", \"max\", or \"none\")",
	              effort);
}

int
ask_prompt_tokens(const struct ask *a)
{
	return (int)(a->prompt_bytes / 4) + 1;
}

int64_t
ask_directive(const struct ask *a, const char *word, int64_t fallback)
{
	const char *at = a->prompt == NULL ? NULL : strstr(a->prompt, word);
	char *end;
	int64_t value;

	if (at == NULL)
		return fallback;
	value = strtoll(at + strlen(word), &end, 10);
	return end == at + strlen(word) ? fallback : value;
}
