/*
 * Members of an object that cJSON has read from a peer, who may have sent anything: what is not
 * there, or is of another type, is as it says here.
 */
#ifndef PROTO_MEMBER_H
#define PROTO_MEMBER_H

#include <stdint.h>

struct cJSON;

/* NULL: it is not there, or `object` is NULL or no object. */
const struct cJSON *member_find(const struct cJSON *object, const char *name);
/* "" for what is no text. */
const char *member_text(const struct cJSON *object, const char *name);
/* -1 for what is no number, or too large to be exact. */
int64_t member_number(const struct cJSON *object, const char *name);

#endif
