/* Embeddings: vectors made from a hash of the text, of length one. */
#ifndef NODE_EMBED_H
#define NODE_EMBED_H

#include "base/str.h"

/* The first `count` components for a text; normalised when they are all there are. */
void embed_vector(const char *model, struct str text, float *out, int count);

#endif
