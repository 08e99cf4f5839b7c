/*
 * What a node loads: a model, and the options by which Ollama starts its runner. Another value
 * of one of them is another variant: to serve it, the node loads the model anew.
 */
#ifndef CORE_VARIANT_H
#define CORE_VARIANT_H

#include <stdbool.h>
#include <stdint.h>

enum variant_option {
	OPTION_NUM_CTX,
	OPTION_NUM_BATCH,
	OPTION_NUM_GPU,
	OPTION_MAIN_GPU,
	OPTION_USE_MMAP, /* 0 or 1 */
	OPTION_NUM_THREAD,
	VARIANT_OPTIONS
};

/* Zeroed: none is said, all are the node's own. */
struct variant_options {
	uint32_t given;                  /* 1 << option for each that is said */
	int32_t values[VARIANT_OPTIONS]; /* 0 where it is not */
};

/* As Ollama's API calls it. */
const char *variant_option_name(enum variant_option o);
void variant_options_set(struct variant_options *v, enum variant_option o, int32_t value);
void variant_options_unset(struct variant_options *v, enum variant_option o);

static inline bool
variant_options_has(const struct variant_options *v, enum variant_option o)
{
	return (v->given >> o & 1) != 0;
}

#endif
