/*
 * The top-level keys of a body that the gateway reads, and how they are called on a route.
 */
#ifndef PROTO_BODY_KEYS_H
#define PROTO_BODY_KEYS_H

#include "base/str.h"
#include "proto/route.h"

#include <stdint.h>

enum body_key {
	KEY_OTHER,
	KEY_MODEL,
	KEY_NAME,
	KEY_STREAM,
	KEY_KEEP_ALIVE,
	KEY_OPTIONS,
	KEY_CONTENT, /* the prompt, the messages */
	KEY_MAX_TOKENS,
	KEY_MAX_COMPLETION_TOKENS,
	KEY_MAX_OUTPUT_TOKENS,
	KEYS
};

struct body_keys {
	const char *names[KEYS]; /* on the route; NULL: means nothing there */
	uint32_t initials;       /* of the names: a bit for each letter */
};

/* `route`: of the table. */
const struct body_keys *body_keys_of(const struct route *route);
/* The key that Ollama takes `written` for, in whatever case; KEY_OTHER: none of these. */
enum body_key body_keys_find(const struct body_keys *k, struct str written);

#endif
