/*
 * The key under which an answer is kept: SHA-256 over the family of the route, the
 * model, and the canonical form of the request's body. Bodies that mean the same
 * share a key; bodies that mean something else never do.
 *
 * The same pass over the body tells whether the request is deterministic. It
 * listens to the events of the JSON scanner, builds no tree, and holds at most
 * 256 KiB of text: long values are held as their digests. A body beyond that (an
 * object of many thousand members) has no key, and neither has one that says one
 * thing twice: the node settles that, each field in its own way.
 */
#ifndef PROTO_CACHE_KEY_H
#define PROTO_CACHE_KEY_H

#include "base/buf.h"
#include "base/sha256.h"
#include "proto/json.h"
#include "proto/route.h"

#include <stdbool.h>

/* Routes whose answers can be kept; an answer of one is none of another. */
enum answer_family {
	ANSWER_GENERATE,
	ANSWER_CHAT,
	ANSWER_EMBED,
	ANSWER_EMBEDDINGS,
	ANSWER_OPENAI_CHAT,
	ANSWER_OPENAI_COMPLETION,
	ANSWER_OPENAI_EMBEDDINGS,
	ANSWER_RESPONSES,
	ANSWER_MESSAGES,
};

/* False: answers of this route are not kept (pictures, transcriptions, what runs no model). */
bool answer_family_of(const struct route *route, enum answer_family *out);

struct cache_key {
	struct sha256 digest;
	bool deterministic; /* asked again, a model answers the same */
	bool include_usage; /* a stream shall end with a count of tokens (stream_options) */
};

struct cache_key_reader;

struct cache_key_reader *cache_key_reader_create(enum answer_family family);
void cache_key_reader_destroy(struct cache_key_reader **r);
/* For another body; it keeps its memory. */
void cache_key_reader_restart(struct cache_key_reader *r, enum answer_family family);
/* A json_callback, `arg` the reader; always true. The scanner bounds the nesting. */
bool cache_key_on_json(enum json_event event, struct str text, uint64_t offset, void *arg);
/* What a key is made of beside the body. `model`: its digest where that is known, else its
 * canonical name. `scope`: what else parts answers (the name of an API key, the rules that rewrote
 * the request); may be empty. */
void cache_key_add_about(struct buf *out, enum answer_family family, struct str model,
                         struct str scope);
/* After the scanner accepted the whole body. `about`: as above, of the same family. False: it has
 * no key. */
bool cache_key_reader_end(struct cache_key_reader *r, struct str about, struct cache_key *out);

#endif
