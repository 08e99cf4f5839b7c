/*
 * A link between two programs of one machine, parent and child: whole messages in their order,
 * each with a descriptor where one is handed over.
 *
 * Owner of a struct link: who created it.
 */
#ifndef IO_LINK_H
#define IO_LINK_H

#include "base/buf.h"
#include "base/str.h"
#include "io/loop.h"

#include <stdbool.h>

enum { LINK_MESSAGE_MAX = 16 * 1024 };

enum link_got { LINK_MESSAGE, LINK_NOTHING, LINK_ENDED };

/* Both ends, which no program that is started meanwhile inherits. False: errno says why. */
bool link_open_ends(int ends[2]);
/* Waits for the next message. `passed` gets the descriptor that came with it, or -1; the caller
 * closes it. LINK_NOTHING when none came in `wait_ms`. */
enum link_got link_receive(int end, int64_t wait_ms, struct buf *message, int *passed);

struct link;

struct link_ops {
	/* `message` is valid during the call. A descriptor that nobody waits for is closed. */
	void (*on_message)(struct str message, void *arg);
	/* The other side has closed. Nothing more comes. */
	void (*on_end)(void *arg);
};

/* Takes `end` over. */
struct link *link_create(struct loop *l, int end, const struct link_ops *ops, void *arg);
/* Not from inside its own callbacks. NULL is allowed. */
void link_destroy(struct link **l);
/* `passed`: a descriptor that the other side gets a copy of, or -1. False: the other side does
 * not read, or is gone. From any thread. */
bool link_send(const struct link *l, struct str message, int passed);

#endif
