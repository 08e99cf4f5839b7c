/* What the forms of answers share, and error bodies. */
#include "reply.h"

void
reply_finish(struct reply *r)
{
	buf_finish(&r->thoughts);
	buf_finish(&r->text);
	buf_finish(&r->items);
}

const char *
reply_done_reason(const struct reply *r)
{
	if (r->done_reason != NULL)
		return r->done_reason;
	return r->answer->cut ? "length" : "stop";
}

unsigned
reply_number(const struct reply *r, unsigned salt, int digits)
{
	unsigned bound = 1;

	while (digits-- > 0)
		bound *= 10;
	return (unsigned)(hash_mix(r->id + salt) % bound);
}

static const char *
openai_type(int status)
{
	return status == 400   ? "invalid_request_error"
	       : status == 404 ? "not_found_error"
	                       : "api_error";
}

static const char *
anthropic_type(int status)
{
	switch (status) {
	case 400: return "invalid_request_error";
	case 401: return "authentication_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 429: return "rate_limit_error";
	case 503:
	case 529: return "overloaded_error";
	default: return "api_error";
	}
}

void
reply_add_error(struct buf *out, enum family family, int status, const char *message, uint64_t id)
{
	switch (family) {
	case FAMILY_NATIVE:
		buf_adds(out, "{\"error\":");
		gojson_add_string(out, str_of(message));
		buf_adds(out, "}");
		return;
	case FAMILY_OPENAI:
		buf_adds(out, "{\"error\":{\"message\":");
		gojson_add_string(out, str_of(message));
		buf_addf(out, ",\"type\":\"%s\",\"param\":null,\"code\":null}}", openai_type(status));
		return;
	case FAMILY_ANTHROPIC:
		buf_addf(out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":",
		         anthropic_type(status));
		gojson_add_string(out, str_of(message));
		buf_addf(out, "},\"request_id\":\"req_%016llx%08x\"}", (unsigned long long)hash_mix(id),
		         (unsigned)hash_mix(id + 1));
		return;
	}
}
