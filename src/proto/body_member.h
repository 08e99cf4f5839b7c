/*
 * The members of a body that rules are about: what they are called, where they stand, and
 * what a number in them means to Ollama.
 */
#ifndef PROTO_BODY_MEMBER_H
#define PROTO_BODY_MEMBER_H

#include "proto/body.h"
#include "proto/json.h"

/* The member of that name under "options"; BODY_MEMBERS: none. Ollama reads options into a map,
 * so that here the case of a key counts. */
enum body_member body_option_find(struct str name);

/* Extends a span by an event of the value. */
void body_span_note(struct body_span *at, enum json_event event, struct str text, uint64_t offset);
/* An event of the member's value, at its own depth. */
void body_number_note(struct body_number *n, enum body_member m, enum json_event event,
                      struct str text, uint64_t offset);

#endif
