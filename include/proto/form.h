/*
 * A strict, incremental reader of multipart/form-data (RFC 7578), as Ollama takes
 * it for audio. It reports the fields to a callback and passes over the files.
 *
 * It refuses what Go's mime/multipart, which a node reads with, could take
 * otherwise: a preamble, bare line feeds, padding after a boundary, folded or
 * repeated headers, encoded parts, parameters written as `name*`. Bounds: 128
 * parts; 16 headers a part, a line of 2,000 bytes, a name of 200.
 */
#ifndef PROTO_FORM_H
#define PROTO_FORM_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { FORM_PARTS_MAX = 128, FORM_LINE_MAX = 2000, FORM_HEADERS_MAX = 16, FORM_NAME_MAX = 200 };

enum form_event {
	FORM_FIELD_BEGIN, /* text: its name */
	FORM_PIECE,       /* text: a piece of its value */
	FORM_FIELD_END,
	FORM_FILE, /* a file of this name begins; its content is not reported */
};

struct form_reader;

/* `offset`: where the value or the piece begins in the whole input, or where the value ended.
 * False stops the reader: the callback keeps its own reason. */
typedef bool (*form_callback)(enum form_event event, struct str text, uint64_t offset, void *arg);

/* A Content-Type that is none of a form is refused at the first feed or end. */
struct form_reader *form_reader_create(struct str content_type, form_callback cb, void *arg);
void form_reader_destroy(struct form_reader **f);
bool form_reader_feed(struct form_reader *f, struct str bytes);
/* No more bytes: whether the last boundary has come. */
bool form_reader_end(struct form_reader *f);
/* A sentence for the client; "" when nothing was refused, or the callback refused it. */
const char *form_reader_why(const struct form_reader *f);

#endif
