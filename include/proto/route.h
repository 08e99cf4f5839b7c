/*
 * The routes of Ollama and of the gateway: one table (OLLAMA's server, CONTRACT
 * section 3). An unknown path is answered here and never forwarded.
 */
#ifndef PROTO_ROUTE_H
#define PROTO_ROUTE_H

#include "base/str.h"
#include "proto/http.h"

#include <stdbool.h>
#include <stddef.h>

/* How errors are written (proto/refusal.h). */
enum dialect { DIALECT_OLLAMA, DIALECT_OPENAI, DIALECT_ANTHROPIC };

enum route_kind {
	ROUTE_RUN,  /* runs a model: needs a slot */
	ROUTE_ROOT, /* / */
	ROUTE_TAGS, /* merged over the nodes */
	ROUTE_PS,
	ROUTE_VERSION,
	ROUTE_V1_MODELS,
	ROUTE_SHOW,     /* a node that has the model in the body */
	ROUTE_V1_MODEL, /* a node that has the model in the path */
	ROUTE_MANAGE,   /* changes nodes: pull, push, create, copy, delete */
	ROUTE_BLOB,     /* /api/blobs/{digest}: streamed */
	ROUTE_ACCOUNT,  /* /api/me and the like: an account with ollama.com */
	ROUTE_HEALTHZ,
	ROUTE_READYZ,
	ROUTE_REQUEST, /* /drover/v1/requests/{id} */
	ROUTE_ME,      /* /drover/v1/me */
};

struct route {
	const char *path;        /* a trailing '*' stands for one further, non-empty segment */
	enum http_method method; /* HEAD has rows of its own */
	enum route_kind kind;
	enum dialect dialect;
	bool streams;            /* what a left-out "stream" means */
	bool events;             /* its streams are server-sent events */
	const char *model_key;   /* names the model in the body ("source" of copy); NULL: none does.
	                            Show and management also take "name" for "model" */
	const char *content_key; /* without a value here it only loads the model; NULL: no such rule */
	const char *turns_key;   /* the messages of a conversation; NULL: there are none */
	const char *most_key; /* of /v1: how long the answer may be at most; NULL: it cannot say so */
	bool multipart;       /* the body is a form */
	bool changes_model;   /* what its name stands for is another model afterwards, or none */
};

enum route_match { ROUTE_FOUND, ROUTE_NOT_FOUND, ROUTE_WRONG_METHOD };

/* `tail` receives what the '*' stood for. The path must be normalised: one with a dot segment,
 * an empty segment or a percent-encoded byte is found nowhere; but the name of a model and the
 * id of a request in a path may have escapes. */
enum route_match route_find(enum http_method method, struct str path, const struct route **out,
                            struct str *tail);
/* A tail without its escapes, as a C string. False: it does not fit, or is no segment any more. */
bool route_decode_tail(struct str tail, char *out, size_t size);
/* The same for a name that is compared with names here and sent nowhere: it may have any byte but
 * NUL. */
bool route_decode_name(struct str tail, char *out, size_t size);
/* All routes, for tests and tables. */
const struct route *route_table(size_t *count);
/* The methods that a path takes, as an Allow header wants them ("GET, HEAD"); "" for none. */
const char *route_allow(struct str path);
/* The dialect of a path, known route or not: /v1/messages Anthropic, other /v1 OpenAI. */
enum dialect route_dialect(struct str path);

#endif
