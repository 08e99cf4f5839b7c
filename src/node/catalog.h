/*
 * The models that a node has on its disk. A model is made from a description on
 * the command line, by a pull, a copy or a create; what Ollama tells of it
 * (family, parameters, digest) is computed from its name, so that equal names
 * are equal models on every node.
 *
 * Models belong to the catalog. One that is deleted while a runner or a request
 * still has it stays until it is released: it is counted.
 */
#ifndef NODE_CATALOG_H
#define NODE_CATALOG_H

#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"
#include "digest.h"

#include <stdbool.h>
#include <stdint.h>

enum { MODEL_TRAINED_CONTEXT = 131072, MODEL_DIMENSIONS = 768 };

struct model {
	struct list link;              /* in catalog.models while listed */
	int users;                     /* the catalog itself and whoever keeps it */
	char *name;                    /* owned; as listed: model:tag */
	char *key;                     /* owned; name in small letters */
	char digest[DIGEST_HEX_SIZE];  /* of the manifest: what /api/tags shows */
	char weights[DIGEST_HEX_SIZE]; /* of the blob: names that share it share a runner */
	int64_t load_ms;
	int64_t unload_ms;
	double tokens_per_s;  /* 0: as fast as possible */
	double prefill_per_s; /* 0: at once */
	double share;         /* by how much of its speed each further answer at once slows all */
	int64_t size_bytes;
	int64_t modified_ms; /* since 1970 */
	bool embeds;         /* an embedding model: answers no prompt */
	bool thinks;
	bool sees;
	bool remote; /* runs in the cloud: needs no runner */
	char family[32];
	char parameters[16];
};

struct catalog {
	struct list models; /* of struct model, by link; owned; newest first */
};

void catalog_init(struct catalog *c);
void catalog_finish(struct catalog *c);
/* Adds or replaces what `text` describes: NAME[,load=2s][,tps=50]... False: `why` says why. */
bool catalog_add(struct catalog *c, struct str text, int64_t now_wall_ms, struct buf *why);
/* By a name as a client writes it; NULL when there is none. */
struct model *catalog_find(const struct catalog *c, const char *name);
/* False when there is no such model. */
bool catalog_remove(struct catalog *c, const char *name);
/* `to` becomes another name of the model: the same blob, a manifest of its own. */
void catalog_alias(struct catalog *c, const struct model *from, const char *to,
                   int64_t now_wall_ms);

struct model *model_keep(struct model *m);
void model_release(struct model **m);

/* The short form of a name as Ollama lists it (library/X -> X:latest); false when it can name no
 * model at all. */
bool catalog_shorten_name(const char *name, struct buf *out);
/* ":cloud" or "-cloud" at the end. */
bool catalog_is_remote_name(const char *name);

#endif
