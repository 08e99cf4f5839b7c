/*
 * Records of answers. The path of the value at hand is kept as text; `starts` has
 * its length for every open object and array, so that an array's items all have
 * the path of the array.
 */
#include "record.h"

#include "base/mem.h"
#include "proto/json.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 48, TYPE_MAX = 32, NODES_MAX = 50 * 1000 * 1000 };

enum field {
	FIELD_NONE,
	FIELD_TEXT,   /* not empty: a token */
	FIELD_CALL,   /* an object in it: a token */
	FIELD_VECTOR, /* a number in it: a token */
	FIELD_DONE,   /* true */
	FIELD_FINISH, /* a text: the answer is whole */
	FIELD_TYPE,   /* of an event */
	FIELD_ERROR,
	FIELD_PROMPT_TOKENS,
	FIELD_OUTPUT_TOKENS,
	FIELD_TOTAL_NS,
	FIELD_LOAD_NS,
	FIELD_PROMPT_EVAL_NS,
	FIELD_EVAL_NS,
};

static const struct {
	const char *path;
	enum field field;
} paths[] = {
    {"response", FIELD_TEXT},
    {"thinking", FIELD_TEXT},
    {"message.content", FIELD_TEXT},
    {"message.thinking", FIELD_TEXT},
    {"message.tool_calls", FIELD_CALL},
    {"embeddings", FIELD_VECTOR},
    {"embedding", FIELD_VECTOR},
    {"done", FIELD_DONE},
    {"error", FIELD_ERROR},
    {"error.message", FIELD_ERROR},
    {"total_duration", FIELD_TOTAL_NS},
    {"load_duration", FIELD_LOAD_NS},
    {"prompt_eval_count", FIELD_PROMPT_TOKENS},
    {"prompt_eval_duration", FIELD_PROMPT_EVAL_NS},
    {"eval_count", FIELD_OUTPUT_TOKENS},
    {"eval_duration", FIELD_EVAL_NS},
    /* OpenAI's chat, completions and embeddings */
    {"choices.delta.content", FIELD_TEXT},
    {"choices.delta.reasoning", FIELD_TEXT},
    {"choices.delta.reasoning_content", FIELD_TEXT},
    {"choices.delta.tool_calls", FIELD_CALL},
    {"choices.message.content", FIELD_TEXT},
    {"choices.message.tool_calls", FIELD_CALL},
    {"choices.text", FIELD_TEXT},
    {"choices.finish_reason", FIELD_FINISH},
    {"data.embedding", FIELD_VECTOR},
    {"usage.prompt_tokens", FIELD_PROMPT_TOKENS},
    {"usage.completion_tokens", FIELD_OUTPUT_TOKENS},
    /* OpenAI's responses */
    {"type", FIELD_TYPE},
    {"delta", FIELD_TEXT},
    {"output.content.text", FIELD_TEXT},
    {"status", FIELD_FINISH},
    {"response.usage.input_tokens", FIELD_PROMPT_TOKENS},
    {"response.usage.output_tokens", FIELD_OUTPUT_TOKENS},
    {"response.error.message", FIELD_ERROR},
    /* Anthropic's messages */
    {"delta.text", FIELD_TEXT},
    {"delta.thinking", FIELD_TEXT},
    {"delta.partial_json", FIELD_TEXT},
    {"content.text", FIELD_TEXT},
    {"content.thinking", FIELD_TEXT},
    {"stop_reason", FIELD_FINISH},
    {"message.usage.input_tokens", FIELD_PROMPT_TOKENS},
    {"usage.input_tokens", FIELD_PROMPT_TOKENS},
    {"usage.output_tokens", FIELD_OUTPUT_TOKENS},
};

enum { PATHS = sizeof(paths) / sizeof(paths[0]) };

struct record_reader {
	struct json_scanner *scanner; /* owned */
	struct facts *facts;          /* borrowed */
	enum field field;             /* of the string at hand */
	char path[PATH_MAX_BYTES];
	size_t path_len;
	size_t starts[JSON_DEPTH_MAX + 1];
	char type[TYPE_MAX];
	size_t type_len;
};

/* By the path's length: the first row of that length, and for a row the next one, plus one. */
static unsigned char first_of[PATH_MAX_BYTES + 1], next_of[PATHS];

static void
index_paths(void)
{
	if (first_of[4] != 0) /* "done" */
		return;
	for (size_t i = 0; i < PATHS; i++) {
		size_t len = strlen(paths[i].path);

		next_of[i] = first_of[len];
		first_of[len] = (unsigned char)(i + 1);
	}
}

void
facts_init(struct facts *f)
{
	*f = (struct facts){
	    .prompt_tokens = -1,
	    .output_tokens = -1,
	    .total_ns = -1,
	    .load_ns = -1,
	    .prompt_eval_ns = -1,
	    .eval_ns = -1,
	};
}

static enum field
field_at(const struct record_reader *r)
{
	for (size_t i = first_of[r->path_len]; i > 0; i = next_of[i - 1])
		if (memcmp(paths[i - 1].path, r->path, r->path_len) == 0)
			return paths[i - 1].field;
	return FIELD_NONE;
}

/* A path that does not fit is none of the table: it gets a length that no row has. */
static void
extend_path(struct record_reader *r, struct str piece)
{
	if (piece.len > PATH_MAX_BYTES - r->path_len) {
		r->path_len = PATH_MAX_BYTES;
		return;
	}
	memcpy(r->path + r->path_len, piece.ptr, piece.len);
	r->path_len += piece.len;
}

static void
begin_key(struct record_reader *r)
{
	r->path_len = r->starts[json_scanner_depth(r->scanner)];
	if (r->path_len > 0)
		extend_path(r, str_of("."));
}

static void
take_text(struct record_reader *r, struct str piece)
{
	struct facts *f = r->facts;
	size_t room;

	switch (r->field) {
	case FIELD_TEXT: f->token = true; return;
	case FIELD_FINISH: f->done = true; return;
	case FIELD_ERROR:
		f->failed = true;
		room = sizeof(f->error) - 1 - strlen(f->error);
		strncat(f->error, piece.ptr, piece.len < room ? piece.len : room);
		return;
	case FIELD_TYPE:
		room = sizeof(r->type) - r->type_len;
		piece.len = piece.len < room ? piece.len : room;
		memcpy(r->type + r->type_len, piece.ptr, piece.len);
		r->type_len += piece.len;
		return;
	case FIELD_NONE:
	case FIELD_CALL:
	case FIELD_VECTOR:
	case FIELD_DONE:
	case FIELD_PROMPT_TOKENS:
	case FIELD_OUTPUT_TOKENS:
	case FIELD_TOTAL_NS:
	case FIELD_LOAD_NS:
	case FIELD_PROMPT_EVAL_NS:
	case FIELD_EVAL_NS: return;
	}
}

static int64_t *
number_of(struct facts *f, enum field field)
{
	switch (field) {
	case FIELD_PROMPT_TOKENS: return &f->prompt_tokens;
	case FIELD_OUTPUT_TOKENS: return &f->output_tokens;
	case FIELD_TOTAL_NS: return &f->total_ns;
	case FIELD_LOAD_NS: return &f->load_ns;
	case FIELD_PROMPT_EVAL_NS: return &f->prompt_eval_ns;
	case FIELD_EVAL_NS: return &f->eval_ns;
	case FIELD_NONE:
	case FIELD_TEXT:
	case FIELD_CALL:
	case FIELD_VECTOR:
	case FIELD_DONE:
	case FIELD_FINISH:
	case FIELD_TYPE:
	case FIELD_ERROR: return NULL;
	}
	abort();
}

static void
take_number(struct record_reader *r, struct str text)
{
	enum field field = field_at(r);
	int64_t *number = number_of(r->facts, field);
	uint64_t value;

	if (field == FIELD_VECTOR)
		r->facts->token = true;
	else if (number != NULL && str_to_u64(text, &value))
		*number = (int64_t)value;
}

static bool
on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct record_reader *r = arg;
	int depth = json_scanner_depth(r->scanner);

	switch (event) {
	case JSON_OBJECT_BEGIN:
		if (field_at(r) == FIELD_CALL)
			r->facts->token = true;
		r->starts[depth + 1] = r->path_len;
		break;
	case JSON_ARRAY_BEGIN: r->starts[depth + 1] = r->path_len; break;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END: r->path_len = r->starts[depth]; break;
	case JSON_KEY_BEGIN: begin_key(r); break;
	case JSON_KEY_PIECE: extend_path(r, text); break;
	case JSON_STRING_BEGIN: r->field = field_at(r); break;
	case JSON_STRING_PIECE: take_text(r, text); break;
	case JSON_NUMBER: take_number(r, text); break;
	case JSON_TRUE: r->facts->done |= field_at(r) == FIELD_DONE; break;
	case JSON_KEY_END:
	case JSON_STRING_END:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
	return true;
}

struct record_reader *
record_reader_create(struct facts *facts)
{
	struct record_reader *r = NEW(struct record_reader);

	index_paths();
	r->facts = facts;
	r->scanner = json_scanner_create(on_json, r, NODES_MAX);
	return r;
}

void
record_reader_destroy(struct record_reader **rp)
{
	struct record_reader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	json_scanner_destroy(&r->scanner);
	free(r);
}

void
record_reader_restart(struct record_reader *r)
{
	json_scanner_restart(r->scanner, NODES_MAX);
	r->path_len = 0;
	r->starts[0] = 0;
	r->type_len = 0;
	r->facts->token = false;
}

bool
record_feed(struct record_reader *r, struct str bytes)
{
	return json_scanner_feed(r->scanner, bytes);
}

/* Events name their kind where others have a field. */
static void
take_type(struct record_reader *r)
{
	struct str type = {r->type, r->type_len};

	if (str_eq(type, "message_stop") || str_eq(type, "response.completed") ||
	    str_eq(type, "response.incomplete"))
		r->facts->done = true;
	if (str_eq(type, "error") || str_eq(type, "response.failed"))
		r->facts->failed = true;
}

bool
record_end(struct record_reader *r)
{
	bool good = json_scanner_end(r->scanner);

	take_type(r);
	return good;
}
