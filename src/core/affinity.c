/* The last node of each conversation. */
#include "affinity.h"

#include <stddef.h>

struct backend *
affinity_find(const struct affinity *a, uint64_t conversation)
{
	const struct visit *set = a->visits[conversation % AFFINITY_SETS];

	if (conversation == 0)
		return NULL;
	for (int i = 0; i < AFFINITY_WAYS; i++)
		if (set[i].conversation == conversation)
			return set[i].backend;
	return NULL;
}

void
affinity_saw(struct affinity *a, uint64_t conversation, struct backend *b)
{
	struct visit *set = a->visits[conversation % AFFINITY_SETS];
	int i = 0;

	if (conversation == 0)
		return;
	while (i < AFFINITY_WAYS - 1 && set[i].conversation != conversation)
		i++;
	for (; i > 0; i--)
		set[i] = set[i - 1];
	set[0] = (struct visit){.conversation = conversation, .backend = b};
}

void
affinity_forget(struct affinity *a, const struct backend *b)
{
	for (int s = 0; s < AFFINITY_SETS; s++)
		for (int i = 0; i < AFFINITY_WAYS; i++)
			if (a->visits[s][i].backend == b)
				a->visits[s][i].backend = NULL;
}
