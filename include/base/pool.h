/*
 * Pieces of memory of one size that are wanted again at once: what every request takes and gives
 * back. The last ones given back are kept, up to a bound; they are warm in the processor's caches,
 * and cost no walk through the heap. Under AddressSanitizer none is kept, so that it sees every use
 * after the end.
 *
 * A pool belongs to one thread; what it keeps lives as long as the program.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
	size_t size;  /* of a piece, at least a pointer's */
	size_t most;  /* that are kept */
	size_t count; /* that are */
	void *kept;   /* owned; each begins with the address of the next */
};

#define POOL_OF(type, how_many)                  \
	{                                            \
		.size = sizeof(type), .most = (how_many) \
	}

/* Not zeroed; never NULL. */
void *pool_take(struct pool *p);
/* `piece` may be NULL. */
void pool_give(struct pool *p, void *piece);

#endif
