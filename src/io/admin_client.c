/* Requests to a running drover's admin API, and what its refusals mean for who sent them. */
#include "io/admin_client.h"

#include "proto/refusal.h"

enum { CONNECT_MS = 5000 };

const char admin_client_hint[] =
    ". Is drover running, and its admin API there? Else give --admin URL";

bool
admin_client_init(struct admin_client *c, struct loop *l, const char *url, const char *key,
                  struct buf *why)
{
	struct upstream_conf to = {
	    .url = url, .tls_verify = true, .connect_ms = CONNECT_MS, .idle_max = 1};

	*c = (struct admin_client){.url = url, .upstream = upstream_create(l, &to, why)};
	if (c->upstream == NULL)
		return false;
	buf_adds(&c->headers, "User-Agent: drover\r\n");
	if (key != NULL)
		buf_addf(&c->headers, "Authorization: Bearer %s\r\n", key);
	return true;
}

void
admin_client_finish(struct admin_client *c)
{
	upstream_destroy(&c->upstream);
	buf_finish(&c->headers);
}

struct exchange_request
admin_client_request(const struct admin_client *c, enum http_method method, struct str target,
                     int64_t answer_ms)
{
	return (struct exchange_request){
	    .method = method,
	    .target = target,
	    .headers = {c->headers.data, c->headers.len},
	    .first_byte_ms = answer_ms,
	    .idle_ms = answer_ms,
	};
}

/* Where clients come in, unknown paths are answered as Ollama does: "404 page not found". */
static bool
is_of_front(int status, const struct buf *message, size_t from)
{
	return status == 404 && str_starts_nocase(str_of(buf_text(message) + from), "404 ");
}

static void
explain_status(const struct admin_client *c, int status, struct str body, struct buf *out)
{
	size_t from = out->len;
	bool is_other = false;

	if (refusal_read_message(body, out)) {
		is_other = is_of_front(status, out, from);
	} else {
		buf_addf(out, "%s answered %d", c->url, status);
		is_other = status == 404;
	}
	if (is_other)
		buf_adds(out, "; is that drover's admin API, and not where clients come in?");
	if (status == 401)
		buf_adds(out, "; set DROVER_ADMIN_KEY");
}

void
admin_client_explain(const struct admin_client *c, enum exchange_end end, int status,
                     struct str body, struct buf *out)
{
	if (end == EXCHANGE_DONE)
		explain_status(c, status, body, out);
	else if (exchange_end_is_connect(end))
		buf_addf(out, "no admin API at %s: %s", c->url, exchange_end_text(end));
	else
		buf_addf(out, "%s: %s", c->url, exchange_end_text(end));
}
