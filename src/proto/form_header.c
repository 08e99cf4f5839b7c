/*
 * Header values of multipart/form-data (RFC 2045 section 5.1, RFC 7578 section
 * 4.2), narrower than Go's mime.ParseMediaType reads them: what that decodes,
 * joins or skips is refused here.
 */
#include "form_header.h"

#include <stddef.h>
#include <string.h>

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_token_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`{|}~", c) != NULL);
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){s.ptr + n, s.len - n};
}

/* Takes a token off the front; false when there is none. */
static bool
take_token(struct str *rest, struct str *token)
{
	size_t n = 0;

	while (n < rest->len && is_token_char(rest->ptr[n]))
		n++;
	*token = (struct str){rest->ptr, n};
	*rest = skip(*rest, n);
	return n > 0;
}

/* Takes a quoted string; `text` is what stands between the quotes, as it stands. */
static bool
take_quoted(struct str *rest, struct str *text)
{
	for (size_t i = 1; i < rest->len; i++) {
		if (rest->ptr[i] == '\\') {
			i++;
		} else if (rest->ptr[i] == '"') {
			*text = (struct str){rest->ptr + 1, i - 1};
			*rest = skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

/* Takes `; name=value`; false when that is not what comes. */
static bool
take_param(struct str *rest, struct str *name, struct str *value)
{
	if (rest->ptr[0] != ';')
		return false;
	*rest = str_trim(skip(*rest, 1));
	if (!take_token(rest, name) || rest->len == 0 || rest->ptr[0] != '=')
		return false;
	*rest = skip(*rest, 1);
	if (!(rest->len > 0 && rest->ptr[0] == '"' ? take_quoted(rest, value)
	                                           : take_token(rest, value)))
		return false;
	*rest = str_trim(*rest);
	return true;
}

/* The characters of RFC 2046 section 5.1.1, no space, which only readers disagree on. */
static bool
is_boundary(struct str s)
{
	if (s.len == 0 || s.len > FORM_BOUNDARY_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || strchr("'()+_,-./:=?", s.ptr[i]) == NULL))
			return false;
	return true;
}

const char *
form_parse_content_type(struct str value, struct str *boundary)
{
	static const char type[] = "multipart/form-data";
	struct str rest = str_trim(value), name, text;

	*boundary = (struct str){NULL, 0};
	if (!str_starts_nocase(rest, type))
		return "the body must be multipart/form-data";
	rest = str_trim(skip(rest, strlen(type)));
	while (rest.len > 0) {
		if (!take_param(&rest, &name, &text))
			return "the Content-Type is malformed";
		if (!str_starts_nocase(name, "boundary"))
			continue;
		if (name.len != strlen("boundary") || boundary->ptr != NULL || !is_boundary(text))
			return "the boundary in Content-Type is malformed";
		*boundary = text;
	}
	return boundary->ptr == NULL ? "the Content-Type has no boundary" : NULL;
}

static const char *
note_param(struct form_disposition *d, struct str name, struct str value)
{
	if (str_starts_nocase(name, "filename")) {
		d->is_file = true;
		return NULL;
	}
	if (!str_starts_nocase(name, "name"))
		return NULL;
	if (name.len != strlen("name"))
		return "an encoded name of a form field";
	if (d->name.ptr != NULL)
		return "two names of a form field";
	if (value.len == 0 || memchr(value.ptr, '\\', value.len) != NULL)
		return "an empty or escaped name of a form field";
	d->name = value;
	return NULL;
}

const char *
form_parse_disposition(struct str value, struct form_disposition *out)
{
	struct str rest = str_trim(value), name, text;

	*out = (struct form_disposition){0};
	if (!take_token(&rest, &name) || !str_eq_nocase(name, "form-data"))
		return "a part that is no form-data";
	rest = str_trim(rest);
	while (rest.len > 0) {
		const char *why;

		if (!take_param(&rest, &name, &text))
			return "a malformed Content-Disposition";
		why = note_param(out, name, text);
		if (why != NULL)
			return why;
	}
	return out->name.ptr == NULL ? "a form field without a name" : NULL;
}

bool
form_split_header(struct str line, struct str *name, struct str *value)
{
	struct str rest = line;

	for (size_t i = 0; i < line.len; i++)
		if (((unsigned char)line.ptr[i] < 0x20 && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
			return false;
	if (!take_token(&rest, name) || rest.len == 0 || rest.ptr[0] != ':')
		return false;
	*value = str_trim(skip(rest, 1));
	return true;
}
