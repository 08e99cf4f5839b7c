/*
 * Asks the admin API again and again, and makes pictures of what it answers; does one thing there
 * when told to.
 *
 * Owner: who created it. Callbacks may call anything here but asker_destroy.
 */
#ifndef TOP_ASKER_H
#define TOP_ASKER_H

#include "base/buf.h"
#include "io/loop.h"
#include "picture.h"
#include "proto/http.h"
#include "top/top.h"

#include <stdbool.h>

struct asker;

struct asker_ops {
	/* The picture is the asker's, until the next one comes. */
	void (*on_picture)(struct picture *p, void *arg);
	/* There is none: nobody answers (`reached` is false), or not that. It is asked again. */
	void (*on_failure)(bool reached, const char *why, void *arg);
	/* What asker_act was told to do was done, or was not. */
	void (*on_acted)(bool done, const char *text, void *arg);
};

/* NULL: `why` says what is wrong with the URL. The first call comes once the loop runs. */
struct asker *asker_create(struct loop *l, const struct top_conf *conf, int64_t interval_ms,
                           const struct asker_ops *ops, void *arg, struct buf *why);
void asker_destroy(struct asker **a);
/* `name` is put into `path` for its '*'; `what` says in the past what is done then. False: one is
 * under way. */
bool asker_act(struct asker *a, enum http_method method, const char *path, const char *name,
               const char *what);
/* Nothing is asked until it is not paused any more; then at once. */
void asker_pause(struct asker *a, bool paused);

#endif
