/*
 * What a client asks of a model, in whatever dialect it came: read from the body
 * by the dialects' own files, and from then on all the same. Two asks with the
 * same hash get the same words, so that a prompt has one answer on all routes
 * and all nodes.
 *
 * An ask owns the tree of its body and points into it.
 */
#ifndef NODE_ASK_H
#define NODE_ASK_H

#include "gojson.h"
#include "runners.h"

#include <stdbool.h>
#include <stdint.h>

enum ask_kind { ASK_GENERATE, ASK_CHAT, ASK_EMBED };

enum ask_think { THINK_UNSAID, THINK_OFF, THINK_ON };

struct ask {
	enum ask_kind kind;
	cJSON *body;  /* owned; NULL for a form */
	char *model;  /* owned; as the client wrote it */
	char *prompt; /* owned; what the user said last: directives and tools are found in it */
	bool stream;
	bool empty;        /* no prompt, no messages, no input: it only loads */
	bool user_is_last; /* no tool's result, no answer of the model follows the prompt */
	bool raw;
	bool relaxed_think; /* a model that cannot think is no error */
	bool include_usage;
	bool base64;     /* embeddings as base64 */
	bool plain_text; /* a transcription as bare text */
	enum ask_think think;
	int64_t keep_ms; /* KEEP_DEFAULT: not said */
	struct runner_options opts;
	bool bad_option; /* then the error is 500 and comes only after the model was found */
	struct buf option_error;
	int64_t max_tokens;     /* <= 0: no bound */
	const cJSON *tools;     /* a list of functions, in the form of `tool_key` */
	const char *tool_key;   /* "function": {name, parameters} are under it; NULL: at the top */
	const char *schema_key; /* where a tool's parameters are */
	const cJSON *stop;      /* a text or a list of texts */
	const cJSON *format;    /* "json" or a schema */
	const cJSON *input;     /* of embeddings: a text or a list of texts */
	int64_t dimensions;     /* of embeddings; 0: all */
	int images;
	char first_image[DIGEST_HEX_SIZE];
	size_t prompt_bytes;
	uint64_t hash;       /* of the words; read it by ask_hash */
	uint64_t media_hash; /* of images and sounds, in any order among the words */
};

/* Why a body was refused. */
struct refusal_text {
	int status;
	struct buf message;
};

void ask_init(struct ask *a, enum ask_kind kind);
void ask_finish(struct ask *a);
/* False with 400 and `message`; returns false so that it can be returned. */
bool refuse(struct refusal_text *no, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes a body's tree, or refuses what is no JSON. `no_body` is what to say of an empty one. */
bool ask_take_body(struct ask *a, struct str text, const char *no_body, struct refusal_text *no);
/* "model", as the client wrote it. */
void ask_set_model(struct ask *a, const char *name);
/* One message adds to what the answer is made from. */
void ask_add_message(struct ask *a, const char *role, struct str text);
/* The raw bytes of an image or a sound. False: no base64. */
bool ask_add_image(struct ask *a, const char *base64);
void ask_add_media(struct ask *a, struct str bytes);
/* A call of a tool by the model, in an earlier message. */
void ask_add_call(struct ask *a, const char *name);
/* Takes `tools`, a list, once tool_key and schema_key are set. */
void ask_set_tools(struct ask *a, const cJSON *tools);
/* "suffix" of the body, where there is one. */
void ask_add_suffix(struct ask *a);
/* Anything else that an answer depends on. */
void ask_add_tree(struct ask *a, const char *what, const cJSON *tree);
uint64_t ask_hash(const struct ask *a);
/* What a tool is called: the dialects put it in different places. */
const char *ask_tool_name(const struct ask *a, const cJSON *tool);
/* One that was said; left out, it counts for nothing. */
void ask_add_seed(struct ask *a, int64_t seed);
/* Ollama's "options": what the runner needs, num_predict, stop, seed. */
void ask_read_options(struct ask *a, const cJSON *options);
/* Ollama's "keep_alive" and "think". */
bool ask_read_keep_alive(struct ask *a, const cJSON *value, struct refusal_text *no);
bool ask_read_think(struct ask *a, const cJSON *value, struct refusal_text *no);
/* OpenAI's scale of efforts. */
bool ask_read_effort(struct ask *a, const char *effort, struct refusal_text *no);
int ask_prompt_tokens(const struct ask *a);
/* The number after `word` in the prompt (tokens:20); `fallback` when it is not there. */
int64_t ask_directive(const struct ask *a, const char *word, int64_t fallback);

#endif
