/*
 * Changes single members of a JSON body and leaves every other byte as it came: a value is
 * replaced where it stands, a member that is not there is put first into its object.
 */
#ifndef PROTO_REWRITE_H
#define PROTO_REWRITE_H

#include "base/buf.h"
#include "base/str.h"
#include "proto/body.h"

#include <stddef.h>

struct rewrite_edit {
	enum body_member member; /* each at most once */
	struct str value;        /* as it is to stand in the body; "null" is as good as absent */
};

/* Whether it may be changed: what is of an odd type is left to the node, which refuses it. */
bool rewrite_can(const struct body_facts *f, enum body_member m);
/* Adds the changed body. `f` are its facts, of a route that the members fit; all may be changed. A
 * form may have no edit but of its model. */
void rewrite_add(struct str body, const struct body_facts *f, const struct rewrite_edit *edits,
                 size_t count, struct buf *out);

#endif
