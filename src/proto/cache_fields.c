/*
 * The fields, from Ollama's api/types.go, openai/openai.go, openai/responses.go
 * and anthropic/anthropic.go.
 *
 * - A default is here only where Ollama puts it in the place of a left-out field
 *   whatever the model. Temperature, seed and the like of the native routes are
 *   not: a model's own parameters stand between.
 * - Options that only say how to run (num_thread, num_gpu, num_batch) are part of
 *   the key: they change the rounding, and by it the words.
 * - What OpenAI's API has and Ollama does not read (n, logit_bias, tool_choice) is
 *   part of the key: another version may read it.
 * - /v1/responses repeats fields of the request in its answer, so nothing that it
 *   could repeat is left out.
 */
#include "cache_fields.h"

#include "json_fold.h"

#define BIT(family) (1u << ANSWER_##family)

enum {
	NATIVE = BIT(GENERATE) | BIT(CHAT),
	NATIVE_EMBED = BIT(EMBED) | BIT(EMBEDDINGS),
	OPENAI = BIT(OPENAI_CHAT) | BIT(OPENAI_COMPLETION),
	ALL = BIT(GENERATE) | BIT(CHAT) | BIT(EMBED) | BIT(EMBEDDINGS) | BIT(OPENAI_CHAT) |
	      BIT(OPENAI_COMPLETION) | BIT(OPENAI_EMBEDDINGS) | BIT(RESPONSES) | BIT(MESSAGES),
	/* One entry answers both forms, but for the two that have an entry for each. */
	TWO_ENTRIES = BIT(RESPONSES) | BIT(MESSAGES),
};

/* Canonical forms, as cache_key.c writes them. */
#define NO    "f"
#define YES   "t"
#define EMPTY "s0:"
#define LIST  "[]"
#define ZERO  "n0e0;"
#define ONE   "n1e0;"

static const struct cache_field fields[] = {
    {"model", CACHE_SKIP, NULL, ALL}, /* given to the key by its digest */
    {"stream", CACHE_SKIP, NULL, ALL & ~(unsigned)TWO_ENTRIES},
    {"stream", CACHE_KEEP, NO, TWO_ENTRIES},
    {"stream_options", CACHE_STREAM_OPTIONS, NULL, OPENAI},
    {"keep_alive", CACHE_SKIP, NULL, NATIVE | NATIVE_EMBED},
    {"user", CACHE_SKIP, NULL, OPENAI | BIT(OPENAI_EMBEDDINGS)},
    {"metadata", CACHE_SKIP, NULL, OPENAI | BIT(MESSAGES)},
    {"store", CACHE_SKIP, NULL, OPENAI},
    {"service_tier", CACHE_SKIP, NULL, OPENAI},
    {"prompt_cache_key", CACHE_SKIP, NULL, OPENAI},
    {"safety_identifier", CACHE_SKIP, NULL, OPENAI},

    {"options", CACHE_OPTIONS, "{}", NATIVE | NATIVE_EMBED},
    {"prompt", CACHE_KEEP, NULL, BIT(GENERATE) | BIT(EMBEDDINGS) | BIT(OPENAI_COMPLETION)},
    {"messages", CACHE_KEEP, NULL, BIT(CHAT) | BIT(OPENAI_CHAT) | BIT(MESSAGES)},
    {"input", CACHE_KEEP, NULL, BIT(EMBED) | BIT(OPENAI_EMBEDDINGS) | BIT(RESPONSES)},
    {"suffix", CACHE_KEEP, EMPTY, BIT(GENERATE) | BIT(OPENAI_COMPLETION)},
    {"system", CACHE_KEEP, EMPTY, BIT(GENERATE) | BIT(MESSAGES)},
    {"template", CACHE_KEEP, EMPTY, BIT(GENERATE)},
    {"context", CACHE_KEEP, LIST, BIT(GENERATE)},
    {"images", CACHE_KEEP, LIST, BIT(GENERATE)},
    {"raw", CACHE_KEEP, NO, BIT(GENERATE)},
    /* Raw JSON; null and "" both stand for no format (llm/server.go). */
    {"format", CACHE_KEEP, EMPTY, NATIVE},
    {"think", CACHE_KEEP, NULL, NATIVE},
    {"tools", CACHE_TOOLS, LIST, BIT(CHAT) | BIT(OPENAI_CHAT) | TWO_ENTRIES},
    {"logprobs", CACHE_KEEP, NO, NATIVE | BIT(OPENAI_CHAT)},
    {"top_logprobs", CACHE_KEEP, ZERO, NATIVE | BIT(OPENAI_CHAT)},
    /* Pointers in Go; left out they count as true. */
    {"truncate", CACHE_KEEP, YES, NATIVE | BIT(EMBED)},
    {"shift", CACHE_KEEP, YES, NATIVE},
    {"dimensions", CACHE_KEEP, ZERO, BIT(EMBED) | BIT(OPENAI_EMBEDDINGS)},
    {"encoding_format", CACHE_KEEP, "s5:float", BIT(OPENAI_EMBEDDINGS)},
    {"_debug_render_only", CACHE_KEEP, NO, NATIVE | OPENAI},

    /* What a left-out one means is set by these routes themselves, before the model is asked. */
    {"temperature", CACHE_TEMPERATURE, ONE, OPENAI | BIT(RESPONSES)},
    {"temperature", CACHE_TEMPERATURE, NULL, BIT(MESSAGES)},
    {"top_p", CACHE_KEEP, ONE, OPENAI},
    {"top_p", CACHE_KEEP, NULL, TWO_ENTRIES},
    {"top_k", CACHE_KEEP, NULL, BIT(MESSAGES)},
    /* Numbers in completions, pointers in chat. */
    {"frequency_penalty", CACHE_KEEP, ZERO, BIT(OPENAI_COMPLETION)},
    {"presence_penalty", CACHE_KEEP, ZERO, BIT(OPENAI_COMPLETION)},
    {"frequency_penalty", CACHE_KEEP, NULL, BIT(OPENAI_CHAT)},
    {"presence_penalty", CACHE_KEEP, NULL, BIT(OPENAI_CHAT)},
    {"seed", CACHE_SEED, NULL, OPENAI},
    {"stop", CACHE_KEEP, NULL, OPENAI},
    {"stop_sequences", CACHE_KEEP, LIST, BIT(MESSAGES)},
    {"max_tokens", CACHE_KEEP, NULL, OPENAI | BIT(MESSAGES)},
    {"max_output_tokens", CACHE_KEEP, NULL, BIT(RESPONSES)},
    {"response_format", CACHE_KEEP, NULL, BIT(OPENAI_CHAT)},
    {"reasoning", CACHE_KEEP, NULL, BIT(OPENAI_CHAT)},
    {"reasoning_effort", CACHE_KEEP, NULL, BIT(OPENAI_CHAT)},
    {"instructions", CACHE_KEEP, EMPTY, BIT(RESPONSES)},
    {"tool_choice", CACHE_KEEP, NULL, BIT(MESSAGES)},
    {"thinking", CACHE_KEEP, NULL, BIT(MESSAGES)},
    {"output_config", CACHE_KEEP, NULL, BIT(MESSAGES)},
};

const struct cache_field *
cache_field_find(enum answer_family family, struct str name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if ((fields[i].families >> family & 1) != 0 && json_folds_to(name, fields[i].name))
			return &fields[i];
	return NULL;
}
