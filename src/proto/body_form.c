/* Bodies that are forms: their fields are read as members of JSON are. */
#include "body_impl.h"

#include <stdlib.h>

static bool
end_field(struct body_reader *r)
{
	if (r->key == KEY_MODEL)
		return body_end_model(r, "model", r->facts.model);
	if (r->key == KEY_STREAM) {
		r->facts.stream = str_eq((struct str){r->text.bytes, r->text.len}, "true");
		r->facts.stream_given = true;
	}
	return true;
}

/* Go matches the fields of a form by their exact names. */
static enum body_key
form_key(struct str name)
{
	if (str_eq(name, "model"))
		return KEY_MODEL;
	return str_eq(name, "stream") ? KEY_STREAM : KEY_OTHER;
}

static bool
begin_field(struct body_reader *r, struct str name, uint64_t offset)
{
	r->key = form_key(name);
	body_text_clear(&r->text);
	if (r->key == KEY_MODEL)
		r->facts.model_at.begin = offset;
	if (r->key == KEY_OTHER)
		return true;
	if (r->seen[r->key])
		return body_refuse(r, "the field \"%.*s\" occurs twice", STR_ARG(name));
	r->seen[r->key] = true;
	return true;
}

bool
body_on_form(enum form_event event, struct str text, uint64_t offset, void *arg)
{
	struct body_reader *r = arg;

	switch (event) {
	case FORM_FIELD_BEGIN: return begin_field(r, text, offset);
	case FORM_FILE:
		r->key = form_key(text);
		return r->key == KEY_OTHER ||
		       body_refuse(r, "the field \"%.*s\" must not be a file", STR_ARG(text));
	case FORM_PIECE:
		if (r->key != KEY_OTHER)
			body_text_add(&r->text, text, BODY_MODEL_MAX - 1);
		return true;
	case FORM_FIELD_END:
		if (r->key == KEY_MODEL)
			r->facts.model_at.end = offset;
		return end_field(r);
	}
	abort();
}
