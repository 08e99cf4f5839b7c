/*
 * Where the first turn of a conversation ends: with the first message of its user. All before
 * that is the same in each further request, while everything behind it grows.
 */
#ifndef PROTO_BODY_TURNS_H
#define PROTO_BODY_TURNS_H

#include "proto/body.h"
#include "proto/json.h"

/* Zeroed at the beginning. */
struct body_turns {
	enum { TURN_IN_KEY, TURN_IN_ROLE, TURN_IN_OTHER } at;
	bool is_users;
	size_t len;
	char text[8]; /* of a key or of a role, if it is no longer */
};

/* Any event of the list of messages. `depth` is 0 for the list itself. False: nothing more is to be
 * seen. */
bool body_turns_note(struct body_turns *t, enum json_event event, struct str text, uint64_t offset,
                     int depth, struct body_span *first_turn);

#endif
