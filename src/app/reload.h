/*
 * Another configuration in the place of the one in force (SIGHUP, POST /admin/v1/reload).
 *
 * All or nothing: it is read, checked, and what can fail is made, before anything changes.
 * So one that changes what only another process can have is refused whole: what is in force was
 * always written, and checked, as one. What each part does is a row of the table in reload.c.
 */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

#include "base/buf.h"
#include "conf/settings.h"

#include <stdbool.h>

struct gateway;

/* Where the next configuration comes from. */
struct reload_source {
	/* As the program was called, read anew. False: `why` has the complaints, a line each. */
	bool (*load)(struct settings *out, struct buf *why, void *arg);
	void *arg;
};

/* True: it is in force, and `said` has what changed, a line each. False: nothing changed, and
 * `said` has what is wrong. Either is logged, with who asked for it. */
bool reload_run(struct gateway *g, const char *asked_by, struct buf *said);

#endif
