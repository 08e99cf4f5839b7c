/* The first turn of a conversation. */
#include "body_turns.h"

static void
begin_text(struct body_turns *t)
{
	t->len = 0;
}

static void
add_text(struct body_turns *t, struct str piece)
{
	if (t->len + piece.len <= sizeof(t->text))
		memcpy(t->text + t->len, piece.ptr, piece.len);
	t->len += piece.len;
}

static bool
text_is(const struct body_turns *t, const char *want)
{
	return t->len <= sizeof(t->text) && str_eq((struct str){t->text, t->len}, want);
}

/* A member of a message. */
static void
note_member(struct body_turns *t, enum json_event event, struct str text)
{
	switch (event) {
	case JSON_KEY_BEGIN:
		t->at = TURN_IN_KEY;
		begin_text(t);
		break;
	case JSON_KEY_END:
		t->at = text_is(t, "role") ? TURN_IN_ROLE : TURN_IN_OTHER;
		begin_text(t);
		break;
	case JSON_KEY_PIECE:
	case JSON_STRING_PIECE:
		if (t->at != TURN_IN_OTHER)
			add_text(t, text);
		break;
	case JSON_STRING_END:
		t->is_users = t->is_users || (t->at == TURN_IN_ROLE && text_is(t, "user"));
		break;
	case JSON_STRING_BEGIN:
	case JSON_OBJECT_BEGIN:
	case JSON_OBJECT_END:
	case JSON_ARRAY_BEGIN:
	case JSON_ARRAY_END:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
}

bool
body_turns_note(struct body_turns *t, enum json_event event, struct str text, uint64_t offset,
                int depth, struct body_span *first_turn)
{
	if (depth == 2) {
		note_member(t, event, text);
		return true;
	}
	if (depth == 0 && event == JSON_ARRAY_BEGIN) {
		first_turn->begin = offset;
		return true;
	}
	if (depth == 0) {
		*first_turn = (struct body_span){0};
		return false;
	}
	if (depth == 1 && event == JSON_OBJECT_END && t->is_users)
		first_turn->end = offset;
	return first_turn->end == 0;
}
