/* Which headers pass. Names are looked up by length and first letter: this runs for each header
 * of each request. */
#include "app/forward.h"

#include "app/request.h"

#include <string.h>

#define NAME(text)                \
	{                             \
		(text), sizeof(text) - 1, \
	}

static const struct str request_private[] = {
    NAME("Host"),
    NAME("Origin"),
    NAME("Expect"),
    NAME("Authorization"),
    NAME("X-Api-Key"),
    NAME("X-Request-Id"),
    NAME("Cache-Control"),
    NAME("Forwarded"),
    NAME("X-Real-IP"),
    NAME("Access-Control-Request-Method"),
    NAME("Cookie"),
    NAME("Access-Control-Request-Headers"),
    NAME("Accept-Encoding"),     /* answers are read here: tokens are counted, names changed */
    NAME("Proxy-Authorization"), /* RFC 9110 11.7.2: meant for whoever asked for it */
    NAME("Proxy"),               /* becomes HTTP_PROXY where a CGI reads it */
    {NULL, 0},
};

static const struct str answer_private[] = {
    NAME("Date"),    NAME("X-Request-Id"), NAME("Retry-After-Ms"),
    NAME("Alt-Svc"), /* the way round the gateway */
    {NULL, 0},
};

static bool
is_one_of(struct str name, const struct str *names)
{
	for (; names->ptr != NULL; names++)
		if (name.len == names->len && (name.ptr[0] | 0x20) == (names->ptr[0] | 0x20) &&
		    strncasecmp(name.ptr, names->ptr, name.len) == 0)
			return true;
	return false;
}

static void
add_line(struct buf *out, const struct http_header *h)
{
	buf_add(out, h->name.ptr, h->name.len);
	buf_add(out, ": ", 2);
	buf_add(out, h->value.ptr, h->value.len);
	buf_add(out, "\r\n", 2);
}

static bool
is_gateways_own(struct str name)
{
	return (name.ptr[0] | 0x20) == 'x' &&
	       (str_starts_nocase(name, "X-Drover-") || str_starts_nocase(name, "X-Forwarded-"));
}

static bool
is_private(const struct http_head *head, struct str name, const struct str *names)
{
	return http_is_hop_by_hop(head, name) || is_one_of(name, names) || is_gateways_own(name);
}

/* A node that hands fields to a CGI as variables reads X_Forwarded_For as X-Forwarded-For. */
static bool
is_disguised(const struct http_head *head, struct str name)
{
	char plain[32];

	if (memchr(name.ptr, '_', name.len) == NULL || name.len > sizeof(plain))
		return false;
	for (size_t i = 0; i < name.len; i++)
		plain[i] = (char)(name.ptr[i] == '_' ? '-' : name.ptr[i]);
	return is_private(head, (struct str){plain, name.len}, request_private);
}

/* A body that was compressed is sent in the clear where it was changed. */
static bool
is_untrue(const struct request *r, struct str name)
{
	return r->sent.len > 0 && r->is_zstd && str_eq_nocase(name, "Content-Encoding");
}

/* Behind a proxy that is trusted: as that was asked. */
static bool
is_secure(const struct request *r, const struct http_head *head)
{
	if (r->address.is_forwarded)
		return str_eq_nocase(http_find_header(head, "X-Forwarded-Proto"), "https");
	return front_req_is_tls(r->client);
}

void
forward_request_headers(const struct request *r, struct buf *out)
{
	const struct http_head *head = front_req_head(r->client);

	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *h = &head->headers[i];

		if (!is_private(head, h->name, request_private) && !is_disguised(head, h->name) &&
		    !is_untrue(r, h->name))
			add_line(out, h);
	}
	if (!r->address.is_socket) {
		buf_adds(out, "X-Forwarded-For: ");
		net_add(&r->address.net, out);
		buf_adds(out, "\r\n");
		if (is_secure(r, head))
			buf_adds(out, "X-Forwarded-Proto: https\r\n");
	}
	/* RFC 9110 7.6.3: a gateway must, towards the nodes. */
	buf_adds(out, head->minor_version == 0 ? "Via: 1.0 drover\r\n" : "Via: 1.1 drover\r\n");
}

/* A second one, which some readers would take for the first. */
static bool
is_second_type(const struct http_head *answer, const struct http_header *h)
{
	return str_eq_nocase(h->name, "Content-Type") &&
	       http_find_header(answer, "Content-Type").ptr != h->value.ptr;
}

void
forward_answer_headers(const struct request *r, const struct http_head *answer, const char *backend,
                       struct buf *out)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		const struct http_header *h = &answer->headers[i];

		if (!is_private(answer, h->name, answer_private) && !is_second_type(answer, h) &&
		    !str_starts_nocase(h->name, "Access-Control-"))
			add_line(out, h);
	}
	request_add_headers(r, out);
	buf_adds(out, "X-Drover-Backend: ");
	buf_adds(out, backend);
	buf_adds(out, "\r\nX-Drover-Queue-Ms: ");
	buf_add_int(out, r->waited_ms);
	buf_adds(out, "\r\n");
	if (r->rewritten.len > 0) {
		buf_adds(out, "X-Drover-Rewrite: ");
		buf_adds(out, buf_text(&r->rewritten));
		buf_adds(out, "\r\n");
	}
	if (r->cache != NULL) {
		buf_adds(out, "X-Drover-Cache: ");
		buf_adds(out, r->cache);
		buf_adds(out, "\r\n");
	}
}

struct rename *
forward_begin_rename(const struct request *r, const struct http_head *answer)
{
	struct str type = http_find_header(answer, "Content-Type");

	if (r->alias_for == NULL || r->model_sent == NULL || answer->status != 200 ||
	    http_find_header(answer, "Content-Encoding").ptr != NULL)
		return NULL;
	return rename_create(r->dialect, stream_form_of(type),
	                     r->route->kind == ROUTE_V1_MODEL ? "id" : "model", r->facts.model);
}
