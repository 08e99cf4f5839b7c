/* Numbers of JSON by their value: 1, 1.0 and 10e-1 are one. */
#ifndef PROTO_JSON_NUMBER_H
#define PROTO_JSON_NUMBER_H

#include "base/buf.h"
#include "base/str.h"

/* Adds n, the digits without zeros at either end, e, the power of ten and ; - for example
 * "n-15e-1;" for -1.50. Nothing is rounded. -0 stays apart from 0, since Go writes it so again
 * where it hands a schema on. A power of more than 9 digits stays as written, behind an N. */
void json_number_add_canonical(struct buf *out, struct str number);

#endif
