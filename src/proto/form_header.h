/*
 * Header values of multipart/form-data: a word and its parameters.
 */
#ifndef PROTO_FORM_HEADER_H
#define PROTO_FORM_HEADER_H

#include "base/str.h"

#include <stdbool.h>

enum { FORM_BOUNDARY_MAX = 70 };

/* What Content-Disposition says of a part. */
struct form_disposition {
	struct str name; /* ptr NULL: not given */
	bool is_file;
};

/* Finds the boundary in a Content-Type; NULL, or why it is none of a form. */
const char *form_parse_content_type(struct str value, struct str *boundary);
/* NULL, or why the value is refused. Slices point into `value`. */
const char *form_parse_disposition(struct str value, struct form_disposition *out);
/* Cuts "Name: value" in two; false when it is no header. */
bool form_split_header(struct str line, struct str *name, struct str *value);

#endif
