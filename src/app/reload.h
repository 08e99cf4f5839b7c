/*
 * Another configuration in the place of the one in force (SIGHUP, POST /admin/v1/reload).
 *
 * All or nothing: it is read, checked, and what can fail is made, before anything changes.
 * So one that changes what only another process can have is refused whole: what is in force was
 * always written, and checked, as one.
 *
 * A file of thousands of keys is read for long, so a thread does that, and requests go on
 * meanwhile. Whoever asks while it is read may have changed it since: it is read once more, for all
 * of them.
 */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

#include "base/buf.h"
#include "base/list.h"
#include "conf/settings.h"

#include <stdbool.h>

struct gateway;
struct reloader;

/* Where the next configuration comes from. */
struct reload_source {
	/* As the program was called, read anew; in a thread, so it looks at nothing that changes while
	 * the gateway runs. False: `why` has the complaints, a line each. */
	bool (*load)(struct settings *out, struct buf *why, void *arg);
	void *arg;
};

/* Who waits for a reload's end. Owner: who asks; it forgets it before it goes. */
struct reload_asker {
	/* True: it is in force, and `said` has what changed, a line each. False: nothing changed, and
	 * `said` has what is wrong. Either was logged, with who asked for it. */
	void (*told)(bool ok, const struct buf *said, void *arg);
	void *arg;
	struct list link; /* of the reloader's; itself while it waits for nothing */
};

struct reloader *reloader_create(struct gateway *g, const struct reload_source *source);
/* Nobody is told any more. NULL is allowed. */
void reloader_destroy(struct reloader **r);
/* Where no thread can be had, `told` is called before this returns. Who asks again while it waits
 * waits for the later one. */
void reload_ask(struct reloader *r, const char *asked_by, struct reload_asker *asker);
/* It is not told, and what it asked for happens. */
void reload_forget(struct reload_asker *asker);

#endif
