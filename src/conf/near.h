/*
 * What somebody who misspelled a name most likely meant: the offered name with the
 * fewest edits, if they are few for its length.
 */
#ifndef CONF_NEAR_H
#define CONF_NEAR_H

#include "base/str.h"

#include <stddef.h>

enum { NEAR_LONGEST = 63 };

struct near {
	const char *wrong;            /* borrowed */
	size_t edits;                 /* of `found` */
	char found[NEAR_LONGEST + 1]; /* empty: nothing is near */
};

struct near near_to(const char *wrong);
/* Of equally near names the first one offered stays. */
void near_offer(struct near *n, const char *name);
void near_offer_slice(struct near *n, struct str name);

#endif
