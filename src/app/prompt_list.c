/* Lists of requests. */
#include "app/prompt_list.h"

#include "base/str.h"
#include "proto/json.h"
#include "proto/route.h"

enum { NODES_MAX = 2000000, KEY_BYTES = 16 };

/* The members of an object that say what to do with it. */
enum member { MESSAGES, INPUT, PROMPT, STREAM, PATH, BODY, MEMBERS };

static const char *const member_names[MEMBERS] = {
    [MESSAGES] = "messages", [INPUT] = "input", [PROMPT] = "prompt",
    [STREAM] = "stream",     [PATH] = "path",   [BODY] = "body",
};

/* In the order in which they decide: a template of a chat may have a prompt beside. */
static const char *const member_paths[] = {
    [MESSAGES] = "/api/chat",
    [INPUT] = "/api/embed",
    [PROMPT] = "/api/generate",
};

struct outline {
	struct json_scanner *json; /* owned while it is read */
	struct buf *path;          /* borrowed; the value of that member; NULL: not wanted */
	char key[KEY_BYTES];       /* no more of it than tells it from the known ones */
	size_t key_len;
	enum member at; /* MEMBERS: one that is not known */
	bool is_object;
	bool is_empty;
	bool has[MEMBERS];
	uint64_t begin, end; /* of the object */
	uint64_t body_begin, body_end;
};

static enum member
find_member(struct str key)
{
	for (int i = 0; i < MEMBERS; i++)
		if (str_eq(key, member_names[i]))
			return (enum member)i;
	return MEMBERS;
}

static void
take_key(struct outline *o, enum json_event event, struct str text)
{
	if (event == JSON_KEY_BEGIN)
		o->key_len = 0;
	for (size_t i = 0; event == JSON_KEY_PIECE && i < text.len && o->key_len < KEY_BYTES; i++)
		o->key[o->key_len++] = text.ptr[i];
	if (event == JSON_KEY_END) {
		o->at = find_member((struct str){o->key, o->key_len});
		o->is_empty = false;
		if (o->at != MEMBERS)
			o->has[o->at] = true;
	}
}

static bool
on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct outline *o = arg;
	int depth = json_scanner_depth(o->json);

	if (depth == 0) {
		if (event == JSON_OBJECT_BEGIN) {
			o->is_object = true;
			o->begin = offset;
		}
		o->end = offset;
		return o->is_object;
	}
	if (depth > 1)
		return true;
	take_key(o, event, text);
	if (o->at == PATH && o->path != NULL && event == JSON_STRING_BEGIN)
		buf_clear(o->path);
	if (o->at == PATH && o->path != NULL && event == JSON_STRING_PIECE)
		buf_add(o->path, text.ptr, text.len);
	if (o->at == BODY && event == JSON_OBJECT_BEGIN)
		o->body_begin = offset;
	if (o->at == BODY && event == JSON_OBJECT_END)
		o->body_end = offset;
	return true;
}

static bool
outline_read(struct outline *o, struct str text, struct buf *path, struct buf *why)
{
	bool ok;

	*o = (struct outline){.path = path, .at = MEMBERS, .is_empty = true};
	o->json = json_scanner_create(on_json, o, NODES_MAX);
	ok = json_scanner_feed(o->json, text) && json_scanner_end(o->json);
	if (!ok)
		buf_adds(why, *json_scanner_why(o->json) != '\0' ? json_scanner_why(o->json)
		                                                 : "it is no JSON object");
	json_scanner_destroy(&o->json);
	return ok;
}

/* Where a body alone goes. */
static bool
tell_path(const struct outline *o, struct buf *path, struct buf *why)
{
	for (int i = 0; i < STREAM; i++)
		if (o->has[i]) {
			buf_adds(path, member_paths[i]);
			return true;
		}
	buf_adds(why, "a request has messages, a prompt or an input; for another one write "
	              "{\"path\": \"/v1/...\", \"body\": {...}}");
	return false;
}

/* What stands deeper takes the place of the line. */
static bool
unwrap(struct outline *o, struct str *text, struct buf *why)
{
	if (o->body_end <= o->body_begin || o->path->len == 0) {
		buf_adds(why, o->path->len == 0 ? "beside \"body\" there must be a \"path\""
		                                : "beside \"path\" there must be a \"body\", an object");
		return false;
	}
	*text = (struct str){text->ptr + o->body_begin, (size_t)(o->body_end - o->body_begin)};
	return outline_read(o, *text, NULL, why);
}

static bool
read_request(struct str text, struct prompt_request *out, struct buf *why)
{
	const struct route *route;
	struct outline o;
	struct str tail;

	if (!outline_read(&o, text, &out->path, why))
		return false;
	if (o.has[PATH] || o.has[BODY]) {
		if (!unwrap(&o, &text, why))
			return false;
	} else if (!tell_path(&o, &out->path, why)) {
		return false;
	}
	if (route_find(HTTP_POST, str_of(buf_text(&out->path)), &route, &tail) != ROUTE_FOUND ||
	    route->kind != ROUTE_RUN || route->multipart) {
		buf_addf(why, "no model is run by %s", buf_text(&out->path));
		return false;
	}
	if (route->streams && !o.has[STREAM]) {
		buf_adds(&out->body, o.is_empty ? "{\"stream\":false" : "{\"stream\":false,");
		o.begin++;
	}
	buf_add(&out->body, text.ptr + o.begin, (size_t)(o.end - o.begin));
	return true;
}

/* False: there is none. One that is too long is read to its end, and not kept. */
static bool
read_line(struct prompt_list *l, bool *too_long)
{
	int c = getc_unlocked(l->file);

	buf_clear(&l->bytes);
	*too_long = false;
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(l->file)) {
		if (l->bytes.len == PROMPT_LINE_BYTES_MAX)
			*too_long = true;
		else
			buf_addc(&l->bytes, (char)c);
	}
	l->line++;
	return true;
}

static bool
is_blank(const struct buf *line)
{
	return strspn(buf_text(line), " \t\r") == line->len;
}

enum prompt_read
prompt_list_next(struct prompt_list *l, struct prompt_request *out, struct buf *why)
{
	bool too_long;

	buf_clear(&out->path);
	buf_clear(&out->body);
	do {
		if (!read_line(l, &too_long))
			return PROMPT_NO_MORE;
	} while (is_blank(&l->bytes));
	if (too_long) {
		buf_adds(why, "the line is longer than 16 MiB");
		return PROMPT_BAD;
	}
	return read_request((struct str){l->bytes.data, l->bytes.len}, out, why) ? PROMPT_READ
	                                                                         : PROMPT_BAD;
}

void
prompt_list_finish(struct prompt_list *l)
{
	buf_finish(&l->bytes);
}

void
prompt_request_finish(struct prompt_request *r)
{
	buf_finish(&r->path);
	buf_finish(&r->body);
}
