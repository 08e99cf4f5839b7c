/* Counts of tokens: cut anywhere, an answer costs the same, and never less than nothing. */
#include "fuzz.h"
#include "proto/usage.h"

#include <string.h>

static void
check(const struct usage_reader *a, const struct usage_reader *b, enum dialect d,
      enum stream_form form)
{
	struct usage of_a, of_b;
	bool found = usage_read(a, d, form, &of_a);

	CLAIM(found == usage_read(b, d, form, &of_b));
	CLAIM(of_a.prompt == of_b.prompt && of_a.output == of_b.output);
	CLAIM(of_a.is_estimate == of_b.is_estimate);
	CLAIM(of_a.prompt >= 0 && of_a.output >= 0);
	CLAIM(found || (of_a.prompt == 0 && of_a.output == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dialect dialects[] = {DIALECT_OLLAMA, DIALECT_OPENAI, DIALECT_ANTHROPIC};
	static const enum stream_form forms[] = {STREAM_NONE, STREAM_NDJSON, STREAM_SSE};
	struct str text = {(const char *)data, size};
	struct usage_reader whole, pieces;
	struct cutter c = cutter_of(text);

	usage_init(&whole);
	usage_init(&pieces);
	/* Twice, so that it is longer than what is kept more often. */
	usage_add(&whole, text);
	usage_add(&whole, text);
	while (c.rest.len > 0)
		usage_add(&pieces, cutter_next(&c));
	usage_add(&pieces, text);
	for (int d = 0; d < 3; d++)
		for (int f = 0; f < 3; f++)
			check(&whole, &pieces, dialects[d], forms[f]);
	return 0;
}
