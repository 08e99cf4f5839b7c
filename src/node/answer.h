/*
 * What the simulated model says: a function of the ask alone, so that it can be
 * checked and is equal on every node.
 *
 * An answer is a row of pieces: thoughts, then either words or a call of a tool.
 * Without a bound it has 16 to 64 words, or as many as `tokens:N` in the prompt
 * asks for; max_tokens cuts it. A tool is called when the user's last message
 * names it. A format gives JSON.
 */
#ifndef NODE_ANSWER_H
#define NODE_ANSWER_H

#include "ask.h"

#include <stdbool.h>
#include <stdint.h>

enum piece_kind { PIECE_THOUGHT, PIECE_WORD, PIECE_CALL };

struct answer {
	uint64_t hash;
	int thoughts; /* pieces of thinking, sent first */
	int words;    /* pieces of content */
	bool cut;     /* done_reason "length" */
	int tokens;   /* eval_count */
	char *fixed;  /* owned; a text cut into pieces in the place of words; NULL: words */
	char *lead;   /* owned; the first word's place: what was seen in the images; NULL: none */
	char *tool;   /* owned; the function to call in the place of words; NULL: none */
	char *args;   /* owned; JSON: its arguments */
	char call_id[16];
};

void answer_make(struct answer *a, const struct ask *ask, bool thinks);
void answer_finish(struct answer *a);
int answer_pieces(const struct answer *a);
/* The text of piece `i`, valid as long as the answer; empty for a call. */
struct str answer_piece(const struct answer *a, int i, enum piece_kind *kind);
/* All pieces of one kind, one after another. */
void answer_add_text(struct buf *out, const struct answer *a, enum piece_kind wanted);

#endif
