/*
 * The routes of Ollama's server. A table of its own, not the gateway's: what the
 * two disagree on is to be found by tests.
 */
#include "handlers.h"
#include "node_impl.h"

#include "base/mem.h"

#include <ctype.h>
#include <string.h>

static void
handle_run(struct visit *v)
{
	run_begin(v);
}

#define RUN(p, fam, k, reader, f)                                                       \
	{                                                                                   \
		.path = (p), .method = HTTP_POST, .family = FAMILY_##fam, .handle = handle_run, \
		.kind = ASK_##k, .read = (reader), .form = &(f)                                 \
	}
#define ROW(p, m, fam, h)                                                      \
	{                                                                          \
		.path = (p), .method = HTTP_##m, .family = FAMILY_##fam, .handle = (h) \
	}

static const struct node_route routes[] = {
    RUN("/api/generate", NATIVE, GENERATE, native_read_generate, form_generate),
    RUN("/api/chat", NATIVE, CHAT, native_read_chat, form_chat),
    RUN("/api/embed", NATIVE, EMBED, embed_read, form_embed),
    RUN("/api/embeddings", NATIVE, EMBED, embed_read_old, form_embeddings),
    RUN("/v1/chat/completions", OPENAI, CHAT, openai_read_chat, form_openai_chat),
    RUN("/v1/completions", OPENAI, GENERATE, openai_read_completion, form_openai_complete),
    RUN("/v1/embeddings", OPENAI, EMBED, embed_read_openai, form_openai_embeddings),
    RUN("/v1/responses", OPENAI, CHAT, responses_read, form_responses),
    RUN("/v1/messages", ANTHROPIC, CHAT, messages_read, form_messages),
    RUN("/v1/audio/transcriptions", OPENAI, CHAT, NULL, form_transcription),
    ROW("/", GET, NATIVE, manage_root),
    ROW("/", HEAD, NATIVE, manage_root),
    ROW("/api/version", GET, NATIVE, manage_version),
    ROW("/api/version", HEAD, NATIVE, manage_version),
    ROW("/api/status", GET, NATIVE, manage_status),
    ROW("/api/tags", GET, NATIVE, listing_tags),
    ROW("/api/tags", HEAD, NATIVE, listing_tags),
    ROW("/api/ps", GET, NATIVE, listing_ps),
    ROW("/api/show", POST, NATIVE, listing_show),
    ROW("/v1/models", GET, OPENAI, listing_models),
    ROW("/v1/models/", GET, OPENAI, listing_model),
    ROW("/api/pull", POST, NATIVE, manage_pull),
    ROW("/api/push", POST, NATIVE, manage_push),
    ROW("/api/create", POST, NATIVE, manage_create),
    ROW("/api/copy", POST, NATIVE, manage_copy),
    ROW("/api/delete", DELETE, NATIVE, manage_delete),
    ROW("/api/blobs/", POST, NATIVE, blobs_end),
    ROW("/api/blobs/", HEAD, NATIVE, blobs_head),
    ROW("/api/me", POST, NATIVE, manage_account),
    ROW("/api/signout", POST, NATIVE, manage_account),
    ROW("/api/user/keys/", DELETE, NATIVE, manage_account),
    ROW("/api/experimental/web_search", POST, NATIVE, manage_account),
    ROW("/api/experimental/web_fetch", POST, NATIVE, manage_account),
    ROW("/api/experimental/model-recommendations", GET, NATIVE, manage_recommendations),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without percent-encoding, as gin hands parameters over. */
static char *
decode(struct str text)
{
	char *out = mem_alloc(text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
		int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;

		if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
			out[n++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[n++] = text.ptr[i];
		}
	}
	out[n] = '\0';
	return out;
}

/* Whether the path is the row's; `tail` is what stands for its parameter: one segment. */
static bool
matches(const struct node_route *row, struct str path, struct str *tail)
{
	size_t len = strlen(row->path);

	*tail = (struct str){NULL, 0};
	if (len == 1 || row->path[len - 1] != '/')
		return str_eq(path, row->path);
	if (path.len <= len || memcmp(path.ptr, row->path, len) != 0)
		return false;
	*tail = (struct str){path.ptr + len, path.len - len};
	return memchr(tail->ptr, '/', tail->len) == NULL;
}

static const char *
allowed_methods(struct str path)
{
	static _Thread_local char text[64];
	struct str tail;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(routes); i++)
		if (matches(&routes[i], path, &tail))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? ", " : "",
			                      http_method_name(routes[i].method));
	return n > 0 ? text : NULL;
}

const struct node_route *
node_find_route(enum http_method method, struct str path, char **tail, const char **allow)
{
	struct str part;

	for (size_t i = 0; i < COUNT(routes); i++) {
		if (routes[i].method != method || !matches(&routes[i], path, &part))
			continue;
		if (part.ptr != NULL)
			*tail = decode(part);
		return &routes[i];
	}
	*allow = allowed_methods(path);
	return NULL;
}
