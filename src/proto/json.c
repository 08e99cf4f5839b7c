/*
 * The JSON scanner: a state machine over bytes.
 *
 * - It holds no text but what is cut by the end of a piece: a number, a UTF-8
 *   sequence, an escape.
 * - How the input is cut into pieces changes neither what is accepted nor why it
 *   is refused; it changes only where the text of a string is cut.
 * - After a refusal the state is ST_REFUSED and nothing is called any more. Every
 *   function sets the next state before it calls back, since the callback may
 *   refuse.
 */
#include "json_scanner.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct json_literal literals[] = {
    {"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

void
json_refuse_at(struct json_scanner *s, uint64_t offset, const char *why)
{
	s->state = ST_REFUSED;
	snprintf(s->why, sizeof(s->why), "invalid JSON at byte %llu: %s", (unsigned long long)offset,
	         why);
}

void
json_refuse(struct json_scanner *s, const char *why)
{
	json_refuse_at(s, json_offset(s), why);
}

static bool
count_node(struct json_scanner *s)
{
	if (s->nodes_left == 0) {
		json_refuse(s, "too many values");
		return false;
	}
	s->nodes_left--;
	return true;
}

/* Objects and arrays */

static bool
in_object(const struct json_scanner *s)
{
	int level = s->depth - 1;

	return (s->objects[level / 64] >> (level % 64) & 1) != 0;
}

static void
open_container(struct json_scanner *s, bool object)
{
	uint64_t bit = 1ull << (s->depth % 64);

	if (s->depth == JSON_DEPTH_MAX) {
		json_refuse(s, "nested too deeply");
		return;
	}
	json_emit_plain(s, object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN, json_offset(s));
	if (s->state == ST_REFUSED)
		return;
	if (object)
		s->objects[s->depth / 64] |= bit;
	else
		s->objects[s->depth / 64] &= ~bit;
	s->depth++;
	s->next++;
	s->state = object ? ST_FIRST_KEY : ST_FIRST_ITEM;
}

static void
close_container(struct json_scanner *s, bool object)
{
	if (in_object(s) != object) {
		json_refuse(s, "the wrong bracket closes");
		return;
	}
	s->depth--;
	s->next++;
	s->state = json_after_value(s);
	json_emit_plain(s, object ? JSON_OBJECT_END : JSON_ARRAY_END, json_offset(s));
}

/* Numbers and literals */

static const char *
skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* RFC 8259 section 6, on NUL-terminated text. */
static bool
is_number(const char *p)
{
	const char *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = skip_digits(p);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return false;
	if (*p == '.') {
		digits = ++p;
		p = skip_digits(p);
		if (p == digits)
			return false;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		digits = p;
		p = skip_digits(p);
		if (p == digits)
			return false;
	}
	return *p == '\0';
}

static void
end_number(struct json_scanner *s)
{
	s->text[s->text_len] = '\0';
	if (!is_number(s->text)) {
		json_refuse_at(s, s->token_at, "not a number");
		return;
	}
	s->state = json_after_value(s);
	json_emit(s, JSON_NUMBER, (struct str){s->text, s->text_len}, s->token_at);
}

static bool
is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static void
scan_number(struct json_scanner *s)
{
	for (; s->next < s->end && is_number_char(*s->next); s->next++) {
		if (s->text_len == JSON_NUMBER_MAX) {
			json_refuse_at(s, s->token_at, "a number of too many digits");
			return;
		}
		s->text[s->text_len++] = *s->next;
	}
	if (s->next < s->end)
		end_number(s);
}

static void
scan_literal(struct json_scanner *s)
{
	const char *text = s->literal->text;

	for (; s->next < s->end && text[s->text_len] != '\0'; s->next++, s->text_len++)
		if (*s->next != text[s->text_len]) {
			json_refuse_at(s, s->token_at, "not a value");
			return;
		}
	if (text[s->text_len] != '\0')
		return;
	s->state = json_after_value(s);
	json_emit_plain(s, s->literal->event, s->token_at);
}

static void
begin_literal(struct json_scanner *s)
{
	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		if (*s->next == literals[i].text[0]) {
			s->literal = &literals[i];
			s->state = ST_LITERAL;
			return;
		}
	json_refuse(s, "not a value");
}

/* What stands between values */

static void
begin_value(struct json_scanner *s)
{
	char c = *s->next;

	if (!count_node(s))
		return;
	s->token_at = json_offset(s);
	s->text_len = 0;
	if (c == '"')
		json_string_begin(s, false);
	else if (c == '{' || c == '[')
		open_container(s, c == '{');
	else if (c == '-' || (c >= '0' && c <= '9'))
		s->state = ST_NUMBER;
	else
		begin_literal(s);
}

static void
begin_key(struct json_scanner *s)
{
	if (*s->next != '"')
		json_refuse(s, "a key was expected");
	else if (count_node(s))
		json_string_begin(s, true);
}

static void
scan_colon(struct json_scanner *s)
{
	if (*s->next != ':') {
		json_refuse(s, "a colon was expected");
		return;
	}
	s->next++;
	s->state = ST_VALUE;
}

static void
scan_comma(struct json_scanner *s)
{
	char c = *s->next;

	if (c == '}' || c == ']') {
		close_container(s, c == '}');
		return;
	}
	if (c != ',') {
		json_refuse(s, "a comma was expected");
		return;
	}
	s->next++;
	s->state = in_object(s) ? ST_KEY : ST_VALUE;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Skips white space where it may stand; false when the piece ends with it. */
static bool
skip_space(struct json_scanner *s)
{
	while (s->next < s->end && is_space(*s->next))
		s->next++;
	return s->next < s->end;
}

/* In the states in which white space means nothing. */
static void
scan_between(struct json_scanner *s)
{
	bool closes = *s->next == '}' || *s->next == ']';

	switch (s->state) {
	case ST_VALUE: begin_value(s); break;
	case ST_FIRST_ITEM:
	case ST_FIRST_KEY:
		if (closes)
			close_container(s, *s->next == '}');
		else if (s->state == ST_FIRST_KEY)
			begin_key(s);
		else
			begin_value(s);
		break;
	case ST_KEY: begin_key(s); break;
	case ST_COLON: scan_colon(s); break;
	case ST_COMMA: scan_comma(s); break;
	case ST_DONE: json_refuse(s, "more than one value"); break;
	case ST_STRING:
	case ST_ESCAPE:
	case ST_HEX:
	case ST_UTF8:
	case ST_NUMBER:
	case ST_LITERAL:
	case ST_REFUSED: abort();
	}
}

/* Scans one token, or what of it is in the piece. */
static void
scan(struct json_scanner *s)
{
	switch (s->state) {
	case ST_VALUE:
	case ST_FIRST_ITEM:
	case ST_FIRST_KEY:
	case ST_KEY:
	case ST_COLON:
	case ST_COMMA:
	case ST_DONE:
		if (skip_space(s))
			scan_between(s);
		break;
	case ST_STRING:
	case ST_ESCAPE:
	case ST_HEX:
	case ST_UTF8: json_string_scan(s); break;
	case ST_NUMBER: scan_number(s); break;
	case ST_LITERAL: scan_literal(s); break;
	case ST_REFUSED: abort();
	}
}

struct json_scanner *
json_scanner_create(json_callback cb, void *arg, uint64_t nodes_max)
{
	struct json_scanner *s = mem_alloc(sizeof(*s));

	s->cb = cb;
	s->arg = arg;
	json_scanner_restart(s, nodes_max);
	return s;
}

void
json_scanner_restart(struct json_scanner *s, uint64_t nodes_max)
{
	json_callback cb = s->cb;
	void *arg = s->arg;

	memset(s, 0, offsetof(struct json_scanner, text));
	s->why[0] = '\0';
	s->cb = cb;
	s->arg = arg;
	s->nodes_left = nodes_max;
	s->begin = s->next = s->end = "";
}

void
json_scanner_destroy(struct json_scanner **sp)
{
	free(*sp);
	*sp = NULL;
}

int
json_scanner_depth(const struct json_scanner *s)
{
	return s->depth;
}

bool
json_scanner_feed(struct json_scanner *s, struct str bytes)
{
	if (bytes.len == 0)
		return s->state != ST_REFUSED;
	s->begin = s->next = bytes.ptr;
	s->end = bytes.ptr + bytes.len;
	while (s->next < s->end && s->state != ST_REFUSED)
		scan(s);
	s->base = json_offset(s);
	s->begin = s->next = s->end = "";
	return s->state != ST_REFUSED;
}

bool
json_scanner_end(struct json_scanner *s)
{
	/* Only a number at the top is ended by nothing but the end. */
	if (s->state == ST_NUMBER)
		end_number(s);
	if (s->state != ST_DONE && s->state != ST_REFUSED)
		json_refuse(s, "it ends too early");
	return s->state == ST_DONE;
}

const char *
json_scanner_why(const struct json_scanner *s)
{
	return s->why;
}
