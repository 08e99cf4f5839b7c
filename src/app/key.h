/* `drover key NAME`: a new key, and what the configuration says of it. */
#ifndef APP_KEY_H
#define APP_KEY_H

#include "base/buf.h"

/* The name must be one that the configuration takes. */
void key_add_new(const char *name, struct buf *out);

#endif
