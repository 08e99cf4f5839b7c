/* Answers that the load generator times: cut anywhere, they count the same. The first byte says in
 * which form they come, and whether as a stream. */
#include "answer.h"

#include "base/mem.h"
#include "fuzz.h"

#include <string.h>

static const char *const types[] = {"application/x-ndjson", "text/event-stream", "application/json",
                                    "text/html"};

static bool
read_answer(struct answer *a, struct str text, unsigned char how, bool cut)
{
	struct cutter c = cutter_of(text);
	int64_t now_us = 1;

	answer_init(a);
	answer_begin(a, str_of(types[how % 4]));
	while (c.rest.len > 0) {
		struct str piece = cut ? cutter_next(&c) : c.rest;
		/* A copy of the exact size: a slice kept for too long is seen. */
		char *copy = mem_alloc(piece.len);

		memcpy(copy, piece.ptr, piece.len);
		answer_feed(a, (struct str){copy, piece.len}, now_us++);
		free(copy);
		if (!cut)
			break;
	}
	return answer_end(a, (how & 4) != 0, now_us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer whole, pieces;
	bool good, same;

	if (size == 0)
		return 0;
	good = read_answer(&whole, (struct str){(const char *)data + 1, size - 1}, data[0], false);
	same = read_answer(&pieces, (struct str){(const char *)data + 1, size - 1}, data[0], true);
	CLAIM(good == same && good == (whole.facts.error[0] == '\0'));
	CLAIM(whole.gaps.count == (whole.tokens > 0 ? (size_t)whole.tokens - 1 : 0));
	if (good) {
		CLAIM(whole.tokens == pieces.tokens);
		CLAIM(whole.facts.prompt_tokens == pieces.facts.prompt_tokens);
		CLAIM(whole.facts.output_tokens == pieces.facts.output_tokens);
		CLAIM(whole.facts.load_ns == pieces.facts.load_ns);
		CLAIM(whole.facts.eval_ns == pieces.facts.eval_ns);
	}
	answer_finish(&whole);
	answer_finish(&pieces);
	return 0;
}
