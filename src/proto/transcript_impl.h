/*
 * What the two kinds of transcripts share: native ones in lines, OpenAI's in events.
 */
#ifndef PROTO_TRANSCRIPT_IMPL_H
#define PROTO_TRANSCRIPT_IMPL_H

#include "json_children.h"
#include "proto/transcript.h"

/* Texts and lists that come in pieces, put together as they are written. */
struct pieces {
	struct buf content;
	struct buf thinking; /* "reasoning" in OpenAI's */
	struct buf tool_calls;
	struct buf logprobs;
	struct str role; /* the first one's; ptr NULL: none */
};

void pieces_finish(struct pieces *p);
/* False: neither null nor of that type. */
bool pieces_add_text(struct buf *out, struct str value);
bool pieces_add_list(struct buf *out, struct str value);

/* Cuts the next piece off a text, as a model would send it: a word with the blank before it, or
 * more of them where there would be too many pieces. False: nothing is left. Both are views of the
 * text. */
bool pieces_cut(struct buf *rest, size_t least, struct buf *piece);
/* How long a piece of it is at least. */
size_t pieces_least(const struct buf *text);

/* Cuts the next JSON value off `rest`: a line, or the data of an event. Other lines are skipped;
 * false at the end. */
bool transcript_next(enum answer_family family, struct str *rest, struct str *json);
bool transcript_is_openai_done(struct str json);
/* Adds a member whose value is `text`, as it is written within a string of JSON. */
void transcript_add_text(struct buf *out, const char *key, const struct buf *text);
/* Adds `json` with the client's name for the model in the place of the node's. */
bool transcript_add_named(struct buf *out, struct str json, struct str model);

/* The pieces as a whole, and the other way round. `out` names the model as the node did. */
bool native_join(const struct transcript *t, struct buf *out);
bool native_split(const struct transcript *t, struct buf *out);
bool openai_join(const struct transcript *t, struct buf *out);
bool openai_split(const struct transcript *t, bool include_usage, struct buf *out);
/* A stream with or without its usage. */
bool openai_restream(const struct transcript *t, bool include_usage, struct buf *out);

#endif
