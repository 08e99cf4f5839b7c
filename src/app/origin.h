/*
 * Who may call: the rules for Host and Origin, as Ollama has them (its
 * allowedHostsMiddleware and OLLAMA_ORIGINS), against pages that a browser was
 * tricked into loading.
 */
#ifndef APP_ORIGIN_H
#define APP_ORIGIN_H

#include "base/str.h"
#include "conf/settings.h"

#include <stdbool.h>

struct host_rule {
	const struct text_list *allowed; /* borrowed; globs; empty: the default rule */
	bool loopback_only;              /* every listener is loopback or a unix socket */
};

/* `host` as the header has it, with or without a port; empty is allowed (HTTP/1.0). */
bool host_is_allowed(const struct host_rule *rule, struct str host);

/* A name or address of loopback itself, and nothing that a resolver could have been made to point
 * there; empty is allowed (HTTP/1.0). */
bool host_is_loopback(struct str host);

struct origin_rule {
	const struct text_list *origins; /* borrowed; globs */
};

/* Same origin as `host`, or in the list. */
bool origin_is_allowed(const struct origin_rule *rule, struct str origin, struct str host);
/* `origin` is a page that was loaded from `host` itself. */
bool origin_is_same(struct str origin, struct str host);
/* The configured list allows any ("*"): the answer says so too. */
bool origin_any_allowed(const struct origin_rule *rule);

#endif
