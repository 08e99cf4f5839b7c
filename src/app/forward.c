/* Which headers pass. Names are looked up by length and first letter: this runs for each header
 * of each request. */
#include "app/forward.h"

#include "app/request.h"

#include <string.h>

static const char *const request_private[] = {
    "Host",
    "Origin",
    "Expect",
    "Authorization",
    "X-Api-Key",
    "X-Request-Id",
    "Cache-Control",
    "Forwarded",
    "X-Real-IP",
    "Access-Control-Request-Method",
    "Cookie",
    "Access-Control-Request-Headers",
    NULL,
};

static const char *const answer_private[] = {
    "Date", "X-Request-Id", "Access-Control-Allow-Origin", "Retry-After-Ms", NULL,
};

static bool
is_one_of(struct str name, const char *const *names)
{
	for (; *names != NULL; names++)
		if ((name.ptr[0] | 0x20) == (**names | 0x20) && str_eq_nocase(name, *names))
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

/* A body that was compressed is sent in the clear where it was changed. */
static bool
is_untrue(const struct request *r, struct str name)
{
	return r->sent.len > 0 && r->is_zstd && str_eq_nocase(name, "Content-Encoding");
}

void
forward_request_headers(const struct request *r, struct buf *out)
{
	const struct http_head *head = front_req_head(r->client);

	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *h = &head->headers[i];

		if (!http_is_hop_by_hop(head, h->name) && !is_one_of(h->name, request_private) &&
		    !is_gateways_own(h->name) && !is_untrue(r, h->name))
			add_line(out, h);
	}
	if (!r->address.is_socket) {
		buf_adds(out, "X-Forwarded-For: ");
		net_add(&r->address.net, out);
		buf_adds(out, "\r\n");
	}
}

void
forward_answer_headers(const struct request *r, const struct http_head *answer, const char *backend,
                       struct buf *out)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		const struct http_header *h = &answer->headers[i];

		if (!http_is_hop_by_hop(answer, h->name) && !is_one_of(h->name, answer_private) &&
		    !is_gateways_own(h->name))
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
