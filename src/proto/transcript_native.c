/*
 * Native answers: /api/generate has its texts at the top, /api/chat in "message". A
 * stream's last line, with done: true, is the whole answer but for its texts, which
 * are those of all lines.
 */
#include "transcript_impl.h"

static bool
is_chat(const struct transcript *t)
{
	return t->family == ANSWER_CHAT;
}

static const char *
content_key(const struct transcript *t)
{
	return is_chat(t) ? "content" : "response";
}

/* What of an answer a line repeats. */
static bool
is_head(struct str key)
{
	return str_eq(key, "model") || str_eq(key, "created_at") || str_eq(key, "remote_model") ||
	       str_eq(key, "remote_host");
}

/* One of the members that come in pieces. False: not of its type. */
static bool
take_piece(struct pieces *p, const struct transcript *t, const struct json_child *m, bool *known)
{
	*known = true;
	if (str_eq(m->key, content_key(t)))
		return pieces_add_text(&p->content, m->value);
	if (str_eq(m->key, "thinking"))
		return pieces_add_text(&p->thinking, m->value);
	if (str_eq(m->key, "tool_calls"))
		return pieces_add_list(&p->tool_calls, m->value);
	*known = false;
	return true;
}

/* A message has nothing beside what is known: it could be lost. */
static bool
take_message(struct pieces *p, const struct transcript *t, struct str message)
{
	struct json_children c;
	bool known;

	if (!json_children_read(&c, message) || !c.object)
		return false;
	for (int i = 0; i < c.count; i++) {
		if (str_eq(c.items[i].key, "role")) {
			p->role = p->role.ptr == NULL ? c.items[i].value : p->role;
			continue;
		}
		if (!take_piece(p, t, &c.items[i], &known) || (!known && !json_is_null(c.items[i].value)))
			return false;
	}
	return true;
}

/* `line` is the members of a line. */
static bool
take_line(struct pieces *p, const struct transcript *t, const struct json_children *line)
{
	bool known, done = str_eq(json_children_find(line, "done"), "true");

	for (int i = 0; i < line->count; i++) {
		const struct json_child *m = &line->items[i];

		if (str_eq(m->key, "message") && is_chat(t)) {
			if (!take_message(p, t, m->value))
				return false;
			continue;
		}
		if (str_eq(m->key, "logprobs")) {
			if (!pieces_add_list(&p->logprobs, m->value))
				return false;
			continue;
		}
		known = false;
		if (!is_chat(t) && !take_piece(p, t, m, &known))
			return false;
		if (!known && !done && !is_head(m->key) && !str_eq(m->key, "done"))
			return false;
	}
	return true;
}

static void
add_list(struct buf *out, const char *key, const struct buf *list)
{
	if (list->len == 0)
		return;
	json_add_member(out, str_of(key), str_of("["));
	buf_add(out, list->data, list->len);
	buf_addc(out, ']');
}

/* The texts, as members of a message or of the answer. */
static void
add_texts(struct buf *out, const struct transcript *t, const struct pieces *p)
{
	transcript_add_text(out, content_key(t), &p->content);
	if (p->thinking.len > 0)
		transcript_add_text(out, "thinking", &p->thinking);
	add_list(out, "tool_calls", &p->tool_calls);
}

static void
add_message(struct buf *out, const struct transcript *t, const struct pieces *p)
{
	struct str role = p->role.ptr == NULL ? str_of("\"assistant\"") : p->role;

	if (!is_chat(t)) {
		add_texts(out, t, p);
		return;
	}
	json_add_member(out, str_of("message"), str_of("{"));
	json_add_member(out, str_of("role"), role);
	add_texts(out, t, p);
	buf_addc(out, '}');
}

static bool
is_text_member(const struct transcript *t, struct str key)
{
	if (is_chat(t))
		return str_eq(key, "message");
	return str_eq(key, "response") || str_eq(key, "thinking") || str_eq(key, "tool_calls");
}

/* The members of the last line, with these texts in the place of its own. */
static void
add_last(struct buf *out, const struct transcript *t, const struct json_children *last,
         const struct pieces *p)
{
	bool placed = false;

	buf_addc(out, '{');
	for (int i = 0; i < last->count; i++) {
		struct str key = last->items[i].key;

		if (is_text_member(t, key)) {
			if (!placed)
				add_message(out, t, p);
			placed = true;
		} else if (!str_eq(key, "logprobs")) {
			json_add_member(out, key, last->items[i].value);
		}
	}
	if (!placed)
		add_message(out, t, p);
	add_list(out, "logprobs", &p->logprobs);
	buf_addc(out, '}');
}

bool
native_join(const struct transcript *t, struct buf *out)
{
	struct pieces p = {0};
	struct json_children line;
	struct str rest = t->body, json;
	bool ok = true, done = false;

	while (ok && transcript_next(t->family, &rest, &json)) {
		ok = !done && json_children_read(&line, json) && line.object && take_line(&p, t, &line);
		done = ok && str_eq(json_children_find(&line, "done"), "true");
	}
	if (done)
		add_last(out, t, &line, &p);
	pieces_finish(&p);
	return ok && done;
}

/* A line with a piece. */
static void
add_piece(struct buf *out, const struct transcript *t, const struct json_children *whole,
          const struct pieces *p)
{
	buf_addc(out, '{');
	for (int i = 0; i < whole->count; i++)
		if (is_head(whole->items[i].key))
			json_add_member(out, whole->items[i].key, whole->items[i].value);
	add_message(out, t, p);
	json_add_member(out, str_of("done"), str_of("false"));
	add_list(out, "logprobs", &p->logprobs);
	buf_adds(out, "}\n");
}

/* Words one by one, unless their probabilities stand beside them: it is not known which has which.
 */
static void
add_words(struct buf *out, const struct transcript *t, const struct json_children *whole,
          const struct pieces *p)
{
	struct buf rest = p->content;
	struct pieces words = {.content = p->content, .logprobs = p->logprobs, .role = p->role};

	if (p->logprobs.len > 0) {
		add_piece(out, t, whole, &words);
		return;
	}
	while (pieces_cut(&rest, pieces_least(&p->content), &words.content))
		add_piece(out, t, whole, &words);
}

static void
add_thoughts(struct buf *out, const struct transcript *t, const struct json_children *whole,
             const struct pieces *p)
{
	struct buf rest = p->thinking;
	struct pieces thought = {.role = p->role};

	while (pieces_cut(&rest, pieces_least(&p->thinking), &thought.thinking))
		add_piece(out, t, whole, &thought);
}

bool
native_split(const struct transcript *t, struct buf *out)
{
	struct pieces p = {0};
	struct json_children whole;
	bool ok = json_children_read(&whole, t->body) && whole.object && take_line(&p, t, &whole);

	if (ok) {
		struct pieces calls = {.tool_calls = p.tool_calls, .role = p.role};
		struct pieces end = {.role = p.role};

		add_thoughts(out, t, &whole, &p);
		add_words(out, t, &whole, &p);
		if (p.tool_calls.len > 0)
			add_piece(out, t, &whole, &calls);
		add_last(out, t, &whole, &end);
		buf_addc(out, '\n');
	}
	pieces_finish(&p);
	return ok;
}
