/*
 * A simulated Ollama node: one process can hold several. It listens, answers
 * Ollama's routes with Ollama's bodies and errors, loads and evicts models by
 * Ollama's rules, and computes its answers from the request alone. What tests
 * need beside that (faults, gates, a journal) is under /sim/.
 *
 * A node belongs to whoever created it and lives on the caller's loop. The
 * program drover-node runs one, `drover --demo` two.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/buf.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

/* The texts are copied by node_create. */
struct node_options {
	const char *listen;        /* as front_listen takes it; port 0 takes a free one */
	const char *const *models; /* NAME[,load=2s][,tps=50]..., see node_model_help */
	size_t model_count;
	int parallel;          /* slots of a loaded model (OLLAMA_NUM_PARALLEL) */
	int max_loaded;        /* models at once (OLLAMA_MAX_LOADED_MODELS); 0: three */
	int max_queue;         /* requests that wait for a load (OLLAMA_MAX_QUEUE) */
	int64_t keep_alive_ms; /* how long an idle model stays; negative: for ever */
	bool seeded;           /* times, ids and durations are computed as well */
	uint64_t seed;
	const char *log_path; /* one line of JSON a request; NULL: none */
	const char *api_key;  /* the bearer token every request needs; NULL: none */
	const char *version;  /* what /api/version says */
};

/* Ollama's own defaults, 127.0.0.1:11434, no model. */
void node_options_init(struct node_options *o);
/* How a model is described, for --help. */
const char *node_model_help(void);
/* NULL when the address cannot be bound, a model is described wrongly or the log cannot be
 * opened: `why` says which. */
struct node *node_create(struct loop *l, const struct node_options *o, struct buf *why);
/* The address in use, as a URL. */
void node_address(const struct node *n, struct buf *out);
/* Cuts what is under way. */
void node_destroy(struct node **n);

#endif
