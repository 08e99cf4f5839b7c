/* Base64 with padding (RFC 4648 section 4), as Go's StdEncoding. */
#ifndef NODE_BASE64_H
#define NODE_BASE64_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

void base64_encode(struct buf *out, const void *bytes, size_t len);
/* Line ends are skipped, as Go does. False: something else is in it. */
bool base64_decode(struct str text, struct buf *out);

#endif
