/*
 * A form with a file. Lenient, as Go's reader is: a preamble is passed over, the
 * last boundary may be missing its dashes.
 */
#include "multipart.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct fields {
	char *model; /* owned, as the others; NULL: not there */
	char *prompt;
	char *language;
	char *format;
	struct str file; /* in the body; ptr NULL: not there */
};

static bool
find_boundary(struct str content_type, struct buf *out)
{
	struct str rest = content_type, part;

	if (content_type.ptr == NULL || !str_starts_nocase(content_type, "multipart/form-data"))
		return false;
	while (str_split(&rest, ';', &part)) {
		part = str_trim(part);
		if (!str_starts_nocase(part, "boundary="))
			continue;
		part = (struct str){part.ptr + 9, part.len - 9};
		if (part.len >= 2 && part.ptr[0] == '"')
			part = (struct str){part.ptr + 1, part.len - 2};
		buf_addf(out, "--%.*s", STR_ARG(part));
		return part.len > 0;
	}
	return false;
}

static struct str
find(struct str in, const char *what, size_t len)
{
	const char *at = in.len < len ? NULL : memmem(in.ptr, in.len, what, len);

	if (at == NULL)
		return (struct str){NULL, 0};
	return (struct str){at, in.len - (size_t)(at - in.ptr)};
}

/* name="x" in a part's headers. */
static struct str
parameter(struct str headers, const char *name)
{
	struct str at = find(headers, name, strlen(name));
	const char *end;

	if (at.ptr == NULL)
		return at;
	at = (struct str){at.ptr + strlen(name), at.len - strlen(name)};
	end = memchr(at.ptr, '"', at.len);
	at.len = end == NULL ? 0 : (size_t)(end - at.ptr);
	return at;
}

static void
set(char **slot, struct str value)
{
	free(*slot);
	*slot = mem_strndup(value.ptr, value.len);
}

static void
take_part(struct fields *f, struct str headers, struct str value)
{
	struct str name = parameter(headers, " name=\"");

	if (name.ptr == NULL)
		return;
	if (str_eq(name, "file"))
		f->file = value;
	else if (str_eq(name, "model"))
		set(&f->model, value);
	else if (str_eq(name, "prompt"))
		set(&f->prompt, value);
	else if (str_eq(name, "language"))
		set(&f->language, value);
	else if (str_eq(name, "response_format"))
		set(&f->format, value);
}

static void
read_parts(struct fields *f, struct str body, struct str boundary)
{
	struct str at = find(body, boundary.ptr, boundary.len);

	while (at.ptr != NULL) {
		struct str blank, next;

		at = (struct str){at.ptr + boundary.len, at.len - boundary.len};
		next = find(at, boundary.ptr, boundary.len);
		blank = find(at, "\r\n\r\n", 4);
		if (next.ptr == NULL || blank.ptr == NULL || blank.ptr > next.ptr)
			return;
		/* The line end before a boundary belongs to the boundary. */
		take_part(f, (struct str){at.ptr, (size_t)(blank.ptr - at.ptr)},
		          (struct str){blank.ptr + 4, (size_t)(next.ptr - blank.ptr) >= 6
		                                          ? (size_t)(next.ptr - blank.ptr) - 6
		                                          : 0});
		at = next;
	}
}

static void
make_ask(struct ask *a, const struct fields *f)
{
	struct buf system = {0};

	ask_set_model(a, f->model);
	buf_adds(&system, "transcribe");
	if (f->language != NULL)
		buf_addf(&system, " %s", f->language);
	if (f->prompt != NULL)
		buf_addf(&system, " %s", f->prompt);
	ask_add_message(a, "system", (struct str){system.data, system.len});
	ask_add_message(a, "user", str_of(f->prompt == NULL ? "" : f->prompt));
	a->hash = hash_add(a->hash, f->file);
	a->stream = true;
	a->prompt_bytes += f->file.len / 64;
	a->plain_text = f->format != NULL && strcmp(f->format, "text") == 0;
	buf_finish(&system);
}

bool
multipart_read_ask(struct ask *a, struct str content_type, struct str body, struct refusal_text *no)
{
	struct buf boundary = {0};
	struct fields f = {0};
	bool ok = false;

	if (!find_boundary(content_type, &boundary)) {
		refuse(no, 400,
		       "failed to parse multipart form: request Content-Type isn't multipart/form-data");
		goto out;
	}
	read_parts(&f, body, (struct str){boundary.data, boundary.len});
	if (f.model == NULL || f.model[0] == '\0')
		refuse(no, 400, "model is required");
	else if (f.file.ptr == NULL)
		refuse(no, 400, "file is required: http: no such file");
	else if (f.file.len == 0)
		refuse(no, 400, "audio file is empty");
	else
		ok = true;
	if (ok)
		make_ask(a, &f);
out:
	buf_finish(&boundary);
	free(f.model);
	free(f.prompt);
	free(f.language);
	free(f.format);
	return ok;
}
