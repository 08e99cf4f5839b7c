/*
 * The dashboard's files: the page at /, what it is made of under /web/. They are the same for
 * everybody and tell nothing of the gateway, so they need no key; what they show comes by calls
 * that do.
 *
 * The policy lets the page use nothing but these files: no script or style within the page, and
 * nothing of another origin; nobody may frame it.
 */
#include "app/admin_impl.h"
#include "app/web_files.h"

#include <string.h>

static const char policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

static const struct web_file *
find_file(const char *name)
{
	for (size_t i = 0; i < web_file_count; i++)
		if (strcmp(web_files[i].name, name) == 0)
			return &web_files[i];
	return NULL;
}

/* RFC 9110 13.1.2: a list of tags, or a star. */
static bool
has_already(const struct http_head *head, const struct web_file *f)
{
	struct str wanted = http_find_header(head, "If-None-Match"), tag;

	while (str_split(&wanted, ',', &tag)) {
		tag = str_trim(tag);
		if (str_starts_nocase(tag, "W/"))
			tag = (struct str){tag.ptr + 2, tag.len - 2};
		if (str_eq(tag, f->tag) || str_eq(tag, "*"))
			return true;
	}
	return false;
}

static void
show(struct admin_call *c, const char *name)
{
	const struct web_file *f = find_file(name);
	struct buf more = {0};

	if (f == NULL) {
		admin_fail(c, 404, "the dashboard has no file of this name");
		return;
	}
	buf_addf(&more, "ETag: %s\r\nCache-Control: no-cache\r\n%s", f->tag, policy);
	admin_reply_file(c, has_already(front_req_head(c->client), f) ? 304 : 200, f->type,
	                 (struct str){(const char *)f->bytes, f->len}, &more);
	buf_finish(&more);
}

void
admin_show_page(struct admin_call *c)
{
	show(c, "index.html");
}

void
admin_show_file(struct admin_call *c)
{
	show(c, c->tail);
}
