/* A trace, whole, as a workload replays it. */
#ifndef LOAD_RECORDING_H
#define LOAD_RECORDING_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recorded {
	int64_t due_us;
	int model; /* in the order in which names first appear; -1: it names none */
	int key;   /* the same */
	int prompt_tokens;
	int output_tokens;
	size_t first_block; /* in recording.blocks */
	size_t block_count;
};

struct recording {
	struct recorded *all; /* owned; by their time */
	size_t count;
	size_t room;
	uint64_t *blocks; /* owned; names of parts that prompts have in common */
	size_t block_count;
	size_t block_room;
	char **models; /* owned, each too */
	size_t model_count;
	char **keys;
	size_t key_count;
};

/* `speed`: so many times as fast as recorded; the first request comes at 0. False: `why`. */
bool recording_read(struct recording *r, const char *path, double speed, struct buf *why);
void recording_finish(struct recording *r);

#endif
