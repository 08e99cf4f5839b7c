/*
 * /api/blobs: uploads of any size. The bytes are hashed and forgotten; only that
 * they were here is kept.
 */
#include "handlers.h"
#include "node_impl.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* sha256:HEX or sha256-HEX; `out` gets the hex in small letters. */
static bool
read_digest(const char *text, char out[DIGEST_HEX_SIZE])
{
	if (strncmp(text, "sha256", 6) != 0 || (text[6] != ':' && text[6] != '-') ||
	    strlen(text + 7) != DIGEST_HEX_SIZE - 1)
		return false;
	for (int i = 0; i < DIGEST_HEX_SIZE; i++) {
		if (i < DIGEST_HEX_SIZE - 1 && !isxdigit((unsigned char)text[7 + i]))
			return false;
		out[i] = (char)tolower((unsigned char)text[7 + i]);
	}
	return true;
}

static void
reply_empty(struct visit *v, int status)
{
	visit_reply(v, status, NULL, (struct str){"", 0});
}

void
blobs_head(struct visit *v)
{
	char hex[DIGEST_HEX_SIZE];

	if (!read_digest(v->tail, hex))
		visit_reply_error(v, 400, "invalid digest format");
	else if (map_find(&v->node->blobs, hex) == NULL)
		visit_reply_error(v, 404, "blob \"%s\" not found", v->tail);
	else
		reply_empty(v, 200);
}

bool
blobs_begin(struct visit *v)
{
	char hex[DIGEST_HEX_SIZE];

	if (!read_digest(v->tail, hex)) {
		visit_reply_error(v, 400, "invalid digest format");
		return false;
	}
	if (map_find(&v->node->blobs, hex) != NULL) {
		reply_empty(v, 200);
		return false;
	}
	v->step = VISIT_UPLOADING;
	return true;
}

/* The journal's hash of the body is the one to compare. */
void
blobs_end(struct visit *v)
{
	char hex[DIGEST_HEX_SIZE];

	if (!read_digest(v->tail, hex) || strcmp(hex, v->record->body_sha256) != 0) {
		visit_reply_error(v, 400, "digest mismatch, expected \"%s\", got \"sha256:%s\"", v->tail,
		                  v->record->body_sha256);
		return;
	}
	map_put(&v->node->blobs, hex, v->node);
	reply_empty(v, 201);
}
