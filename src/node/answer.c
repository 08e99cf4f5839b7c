/* What the simulated model says. */
#include "answer.h"

#include "base/mem.h"
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_PIECE = 5, TOKENS_MAX = 1000 * 1000 };

/* Some of them need escapes in JSON, or are no ASCII: nobody on the way may change a byte. The
 * number is a power of two. */
static const char *const vocabulary[64] = {
    " the",
    " model",
    " answers",
    " with",
    " words",
    " from",
    " a",
    " hash",
    " of",
    " your",
    " prompt",
    " and",
    " nothing",
    " else",
    ".",
    ",",
    " it",
    " is",
    " quite",
    " sure",
    " that",
    " every",
    " node",
    " says",
    " same",
    " each",
    " time",
    " you",
    " ask",
    " again",
    "\n",
    " so",
    " tests",
    " can",
    " compare",
    " byte",
    " by",
    " caf\xc3\xa9",
    " <b>",
    " &",
    " \"quoted\"",
    " back\\slash",
    " \xe4\xb8\xad\xe6\x96\x87",
    " \xf0\x9f\x90\x91",
    " river",
    " stone",
    " cloud",
    " window",
    " seven",
    " green",
    " light",
    " slow",
    " fast",
    " round",
    " open",
    " door",
    " quiet",
    " bell",
    " under",
    " over",
    " between",
    " early",
    " late",
    " 42",
};

static struct str
word(uint64_t hash, int i)
{
	const char *text = vocabulary[hash_mix(hash + (uint64_t)i) % 64];

	/* No answer begins with a blank. */
	return str_of(i == 0 && text[0] == ' ' ? text + 1 : text);
}

static void
choose_tool(struct answer *a, const struct ask *ask)
{
	const cJSON *it;
	struct buf args = {0};

	if (!ask->user_is_last || ask->prompt == NULL)
		return;
	cJSON_ArrayForEach (it, ask->tools) {
		const cJSON *function = ask->tool_key == NULL ? it : gojson_get(it, ask->tool_key);
		const char *name = ask_tool_name(ask, it);

		if (name[0] == '\0' || strstr(ask->prompt, name) == NULL)
			continue;
		a->tool = mem_strdup(name);
		schema_add_example(&args, gojson_get(function, ask->schema_key), a->hash);
		a->args = buf_take(&args);
		snprintf(a->call_id, sizeof(a->call_id), "call_%08x", (unsigned)hash_mix(a->hash + 7));
		return;
	}
}

static void
choose_form(struct answer *a, const struct ask *ask)
{
	struct buf text = {0};

	if (cJSON_IsObject(ask->format)) {
		schema_add_example(&text, ask->format, a->hash);
		a->fixed = buf_take(&text);
	} else if (cJSON_IsString(ask->format) && strcmp(ask->format->valuestring, "json") == 0) {
		buf_adds(&text, "{\"answer\": \"");
		for (int i = 0; i < 8; i++)
			gojson_add_escaped(&text, word(a->hash, i));
		buf_adds(&text, "\"}");
		a->fixed = buf_take(&text);
	}
	if (ask->images > 0) {
		buf_addf(&text, "I see %d image%s, the first is %.12s.", ask->images,
		         ask->images == 1 ? "" : "s", ask->first_image);
		a->lead = buf_take(&text);
	}
}

static bool
is_stopped_by(struct str piece, const cJSON *stop)
{
	return cJSON_IsString(stop) && stop->valuestring[0] != '\0' &&
	       memmem(piece.ptr, piece.len, stop->valuestring, strlen(stop->valuestring)) != NULL;
}

/* The answer ends before the first piece that has one of the stop texts in it. */
static void
apply_stop(struct answer *a, const cJSON *stop)
{
	enum piece_kind kind;

	for (int i = 0; stop != NULL && i < a->words; i++) {
		struct str piece = answer_piece(a, a->thoughts + i, &kind);
		bool hit = is_stopped_by(piece, stop);
		const cJSON *it;

		cJSON_ArrayForEach (it, gojson_list(stop))
			hit = hit || is_stopped_by(piece, it);
		if (hit) {
			a->words = i;
			a->cut = false;
		}
	}
}

static void
apply_bound(struct answer *a, int64_t max_tokens)
{
	if (max_tokens <= 0 || a->tool != NULL || a->thoughts + a->words <= max_tokens)
		return;
	a->cut = true;
	if (a->thoughts > max_tokens)
		a->thoughts = (int)max_tokens;
	a->words = (int)max_tokens - a->thoughts;
}

static int
natural_length(const struct answer *a, const struct ask *ask)
{
	int64_t length = 16 + (int64_t)(a->hash >> 8) % 49;

	/* With a bound and nothing else said, the bound is reached: a load has a known size. */
	if (ask->max_tokens > 0)
		length = TOKENS_MAX;
	length = ask_directive(ask, "tokens:", length);
	if (length < 1)
		return 1;
	return length > TOKENS_MAX ? TOKENS_MAX : (int)length;
}

void
answer_make(struct answer *a, const struct ask *ask, bool thinks)
{
	*a = (struct answer){.hash = hash_mix(ask_hash(ask))};
	a->hash &= INT64_MAX;
	a->thoughts = thinks ? 4 + (int)(a->hash % 9) : 0;
	choose_tool(a, ask);
	if (a->tool == NULL) {
		choose_form(a, ask);
		a->words = a->fixed != NULL ? (int)((strlen(a->fixed) + FIXED_PIECE - 1) / FIXED_PIECE)
		                            : natural_length(a, ask);
	}
	apply_bound(a, ask->max_tokens);
	apply_stop(a, ask->stop);
	a->tokens = a->thoughts + a->words;
	if (a->tool != NULL)
		a->tokens += (int)(strlen(a->tool) + strlen(a->args)) / 4 + 1;
}

void
answer_finish(struct answer *a)
{
	free(a->fixed);
	free(a->lead);
	free(a->tool);
	free(a->args);
	*a = (struct answer){0};
}

int
answer_pieces(const struct answer *a)
{
	return a->thoughts + a->words + (a->tool != NULL);
}

static struct str
fixed_piece(const char *text, int i)
{
	size_t len = strlen(text), at = (size_t)i * FIXED_PIECE;

	return (struct str){text + at, len - at < FIXED_PIECE ? len - at : FIXED_PIECE};
}

struct str
answer_piece(const struct answer *a, int i, enum piece_kind *kind)
{
	if (i < a->thoughts) {
		*kind = PIECE_THOUGHT;
		return word(~a->hash, i);
	}
	i -= a->thoughts;
	if (a->tool != NULL) {
		*kind = PIECE_CALL;
		return (struct str){"", 0};
	}
	*kind = PIECE_WORD;
	if (a->fixed != NULL)
		return fixed_piece(a->fixed, i);
	if (a->lead != NULL && i == 0)
		return str_of(a->lead);
	return word(a->hash, i);
}

void
answer_add_text(struct buf *out, const struct answer *a, enum piece_kind wanted)
{
	enum piece_kind kind;

	for (int i = 0; i < answer_pieces(a); i++) {
		struct str text = answer_piece(a, i, &kind);

		if (kind == wanted)
			buf_add(out, text.ptr, text.len);
	}
}
