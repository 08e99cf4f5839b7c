/*
 * Error bodies in the caller's dialect, always one line of JSON, and the lines
 * or events that end a stream which broke (OLLAMA's errors table).
 */
#ifndef PROTO_REFUSAL_H
#define PROTO_REFUSAL_H

#include "base/buf.h"
#include "proto/route.h"

/* Adds the body for `status`; `request_id` is used by the Anthropic form. No newline at the
 * end. */
void refusal_add_body(struct buf *out, enum dialect d, int status, const char *message,
                      const char *request_id);

/* How a running stream is cut into records. */
enum stream_form { STREAM_NONE, STREAM_NDJSON, STREAM_SSE };

/* From an answer's Content-Type. */
enum stream_form stream_form_of(struct str content_type);
/* Adds the record that says in mid-stream that it failed; the stream's own status was 200, and
 * `status` is what it would have been. `at_line_start`: whether the last byte sent ended a line; if
 * not, the broken line is ended first. */
void refusal_add_stream_error(struct buf *out, enum dialect d, enum stream_form form,
                              bool at_line_start, int status, const char *message,
                              const char *request_id);
/* Adds the message of a node's error body, of any dialect. False: it has none. */
bool refusal_read_message(struct str body, struct buf *out);

#endif
