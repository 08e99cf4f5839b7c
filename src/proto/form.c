/*
 * The reader of forms: a state machine over bytes.
 *
 * A value ends with the delimiter: CRLF, "--", the boundary. A carriage return
 * occurs in it only as its first byte, so that a mismatch never has to look back:
 * the bytes matched so far are the delimiter's own, and are given out from there.
 */
#include "proto/form.h"

#include "base/mem.h"
#include "form_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state {
	ST_START,    /* the first boundary, which has no line before it */
	ST_BOUNDARY, /* after a boundary: CRLF or "--" */
	ST_HEADER,
	ST_VALUE,
	ST_END, /* after the last boundary: nothing, or CRLF */
	ST_REFUSED,
};

struct form_reader {
	form_callback cb;
	void *arg;
	enum state state;

	/* The piece being read; `base` is the offset of its first byte. */
	const char *begin, *next, *end;
	uint64_t base;

	char delimiter[4 + FORM_BOUNDARY_MAX + 1];
	size_t delimiter_len;
	size_t matched;    /* bytes of the delimiter */
	bool assumed_crlf; /* the first two of them, at the start of a value */
	size_t pair_len;   /* of the two bytes after a boundary, */
	char pair[2];      /* which say what comes */
	int parts, headers;
	bool is_file;    /* the value is passed over */
	size_t name_len; /* 0 before Content-Disposition */
	char name[FORM_NAME_MAX];
	size_t line_len;
	char line[FORM_LINE_MAX];

	char why[128];
};

static uint64_t
offset_of_next(const struct form_reader *f)
{
	return f->base + (uint64_t)(f->next - f->begin);
}

static void
refuse(struct form_reader *f, const char *why)
{
	f->state = ST_REFUSED;
	snprintf(f->why, sizeof(f->why), "invalid form at byte %llu: %s",
	         (unsigned long long)offset_of_next(f), why);
}

static void
emit(struct form_reader *f, enum form_event event, struct str text, uint64_t offset)
{
	if (!f->cb(event, text, offset, f->arg))
		f->state = ST_REFUSED;
}

static void
emit_piece(struct form_reader *f, const char *text, size_t len, uint64_t offset)
{
	if (!f->is_file && len > 0)
		emit(f, FORM_PIECE, (struct str){text, len}, offset);
}

/* Headers of a part */

static bool
is_plain_encoding(struct str value)
{
	return str_eq_nocase(value, "7bit") || str_eq_nocase(value, "8bit") ||
	       str_eq_nocase(value, "binary");
}

static void
read_disposition(struct form_reader *f, struct str value)
{
	struct form_disposition d;
	const char *why = form_parse_disposition(value, &d);

	if (why == NULL && f->name_len > 0)
		why = "a second Content-Disposition";
	if (why == NULL && d.name.len > FORM_NAME_MAX)
		why = "the name of a field is too long";
	if (why != NULL) {
		refuse(f, why);
		return;
	}
	memcpy(f->name, d.name.ptr, d.name.len);
	f->name_len = d.name.len;
	f->is_file = d.is_file;
}

/* An empty line ends the headers. */
static void
begin_value(struct form_reader *f)
{
	if (f->name_len == 0) {
		refuse(f, "a part without Content-Disposition");
		return;
	}
	/* Go takes a boundary here for one, though no line was ended before it. */
	f->matched = 2;
	f->assumed_crlf = true;
	f->state = ST_VALUE;
	emit(f, f->is_file ? FORM_FILE : FORM_FIELD_BEGIN, (struct str){f->name, f->name_len},
	     offset_of_next(f));
}

static void
end_header_line(struct form_reader *f)
{
	struct str line = {f->line, f->line_len - 1}, name, value;

	f->line_len = 0;
	if (line.ptr[line.len] != '\r') {
		refuse(f, "a bare line feed");
	} else if (line.len == 0) {
		begin_value(f);
	} else if (++f->headers > FORM_HEADERS_MAX) {
		refuse(f, "a part with too many headers");
	} else if (!form_split_header(line, &name, &value)) {
		refuse(f, "a malformed header of a part");
	} else if (str_eq_nocase(name, "content-disposition")) {
		read_disposition(f, value);
	} else if (str_eq_nocase(name, "content-transfer-encoding") && !is_plain_encoding(value)) {
		refuse(f, "an encoded part");
	}
}

static void
scan_header(struct form_reader *f)
{
	const char *lf = memchr(f->next, '\n', (size_t)(f->end - f->next));
	const char *stop = lf == NULL ? f->end : lf;
	size_t n = (size_t)(stop - f->next);

	if (n > FORM_LINE_MAX - f->line_len) {
		refuse(f, "a header of a part is too long");
		return;
	}
	memcpy(f->line + f->line_len, f->next, n);
	f->line_len += n;
	f->next = stop;
	if (lf == NULL)
		return;
	f->next++;
	if (f->line_len == 0)
		refuse(f, "a bare line feed");
	else
		end_header_line(f);
}

/* Boundaries */

static void
scan_start(struct form_reader *f)
{
	if (*f->next != f->delimiter[f->matched]) {
		refuse(f, "it does not begin with the boundary");
		return;
	}
	f->next++;
	if (++f->matched == f->delimiter_len)
		f->state = ST_BOUNDARY;
}

static void
begin_part(struct form_reader *f)
{
	if (++f->parts > FORM_PARTS_MAX) {
		refuse(f, "too many parts");
		return;
	}
	f->headers = 0;
	f->name_len = 0;
	f->line_len = 0;
	f->state = ST_HEADER;
}

static void
scan_boundary(struct form_reader *f)
{
	f->pair[f->pair_len++] = *f->next++;
	if (f->pair_len < 2)
		return;
	f->pair_len = 0;
	if (memcmp(f->pair, "\r\n", 2) == 0)
		begin_part(f);
	else if (memcmp(f->pair, "--", 2) == 0)
		f->state = ST_END;
	else
		refuse(f, "a boundary with something after it");
}

static void
scan_end(struct form_reader *f)
{
	if (f->pair_len == 2 || *f->next != "\r\n"[f->pair_len]) {
		refuse(f, "something after the last boundary");
		return;
	}
	f->pair_len++;
	f->next++;
}

/* Values */

static void
end_value(struct form_reader *f)
{
	if (f->assumed_crlf) {
		refuse(f, "a part without a value");
		return;
	}
	f->state = ST_BOUNDARY;
	if (!f->is_file)
		emit(f, FORM_FIELD_END, (struct str){"", 0}, offset_of_next(f) - f->delimiter_len);
}

/* What looked like the delimiter was none. */
static void
give_out_matched(struct form_reader *f)
{
	size_t from = f->assumed_crlf ? 2 : 0, n = f->matched - from;

	f->matched = 0;
	f->assumed_crlf = false;
	emit_piece(f, f->delimiter + from, n, offset_of_next(f) - n);
}

static void
scan_delimiter(struct form_reader *f)
{
	while (f->next < f->end && f->matched < f->delimiter_len &&
	       *f->next == f->delimiter[f->matched]) {
		f->next++;
		f->matched++;
	}
	if (f->matched == f->delimiter_len)
		end_value(f);
	else if (f->next < f->end)
		give_out_matched(f);
}

static void
scan_value(struct form_reader *f)
{
	const char *start = f->next, *cr;
	uint64_t at = offset_of_next(f);

	if (f->matched > 0) {
		scan_delimiter(f);
		return;
	}
	cr = memchr(start, '\r', (size_t)(f->end - start));
	if (cr == NULL) {
		f->next = f->end;
	} else {
		f->next = cr + 1;
		f->matched = 1;
	}
	emit_piece(f, start, (size_t)((cr == NULL ? f->end : cr) - start), at);
}

static void
scan(struct form_reader *f)
{
	switch (f->state) {
	case ST_START: scan_start(f); break;
	case ST_BOUNDARY: scan_boundary(f); break;
	case ST_HEADER: scan_header(f); break;
	case ST_VALUE: scan_value(f); break;
	case ST_END: scan_end(f); break;
	case ST_REFUSED: abort();
	}
}

struct form_reader *
form_reader_create(struct str content_type, form_callback cb, void *arg)
{
	struct form_reader *f = NEW(struct form_reader);
	struct str boundary;
	const char *why = form_parse_content_type(content_type, &boundary);

	f->cb = cb;
	f->arg = arg;
	f->begin = f->next = f->end = "";
	if (why != NULL) {
		f->state = ST_REFUSED;
		snprintf(f->why, sizeof(f->why), "%s", why);
		return f;
	}
	f->delimiter_len =
	    (size_t)snprintf(f->delimiter, sizeof(f->delimiter), "\r\n--%.*s", STR_ARG(boundary));
	f->matched = 2;
	return f;
}

void
form_reader_destroy(struct form_reader **fp)
{
	free(*fp);
	*fp = NULL;
}

bool
form_reader_feed(struct form_reader *f, struct str bytes)
{
	if (bytes.len == 0)
		return f->state != ST_REFUSED;
	f->begin = f->next = bytes.ptr;
	f->end = bytes.ptr + bytes.len;
	while (f->next < f->end && f->state != ST_REFUSED)
		scan(f);
	f->base = offset_of_next(f);
	f->begin = f->next = f->end = "";
	return f->state != ST_REFUSED;
}

bool
form_reader_end(struct form_reader *f)
{
	bool whole = f->state == ST_END && f->pair_len != 1;

	if (!whole && f->state != ST_REFUSED)
		refuse(f, "it ends too early");
	return whole;
}

const char *
form_reader_why(const struct form_reader *f)
{
	return f->why;
}
