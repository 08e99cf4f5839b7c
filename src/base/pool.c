/* Pieces of memory that are kept for the next. */
#include "base/pool.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
enum { KEEPS = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { KEEPS = 0 };
#else
enum { KEEPS = 1 };
#endif
#else
enum { KEEPS = 1 };
#endif

void *
pool_take(struct pool *p)
{
	void *piece = p->kept;

	if (piece == NULL)
		return mem_alloc(p->size);
	memcpy(&p->kept, piece, sizeof(p->kept));
	p->count--;
	return piece;
}

void
pool_give(struct pool *p, void *piece)
{
	if (!KEEPS || p->count == p->most || piece == NULL) {
		free(piece);
		return;
	}
	memcpy(piece, &p->kept, sizeof(p->kept));
	p->kept = piece;
	p->count++;
}
