/*
 * What a text of each key must look like: the checks that rows of the table name. On
 * false, `why` has what the text is and what would be right, to stand after the text
 * itself: "is no URL; give http://host:port".
 */
#ifndef CONF_SYNTAX_H
#define CONF_SYNTAX_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

bool syntax_name(struct str text, struct buf *why);
bool syntax_url(struct str text, struct buf *why);
bool syntax_glob(struct str text, struct buf *why);
bool syntax_model(struct str text, struct buf *why);
bool syntax_keep_alive(struct str text, struct buf *why);
bool syntax_key(struct str text, struct buf *why);
bool syntax_sha256(struct str text, struct buf *why);
/* An address or a network, or "unix:". */
bool syntax_net(struct str text, struct buf *why);
bool syntax_path(struct str text, struct buf *why);
bool syntax_listen(struct str text, struct buf *why);
/* An address, or "off". */
bool syntax_admin(struct str text, struct buf *why);
/* Whether an address to listen on can be reached from this machine alone. */
bool syntax_is_on_loopback(const char *address);
bool syntax_host(struct str text, struct buf *why);
bool syntax_origin(struct str text, struct buf *why);
bool syntax_access(struct str text, struct buf *why);
bool syntax_state(struct str text, struct buf *why);

#endif
