/*
 * What /admin/v1/events tells those who watch: the state of the gateway once a second, the last
 * hour, and what went wrong lately.
 *
 * A second's news are put together once for all watchers, and only while somebody watches. A
 * watcher that has not taken what it was sent is skipped, and gets everything anew once it can
 * take more: nothing waits for it in memory beyond what the front keeps for any client. The last
 * hour is noted whether anybody watches or not, so that a page that was just opened shows it.
 *
 * Owner: the gateway. A watcher is embedded in the call that it belongs to.
 */
#ifndef APP_BOARD_H
#define APP_BOARD_H

#include "base/list.h"
#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

struct board;
struct front_req;
struct gateway;
struct request;

enum { BOARD_WATCHERS_MAX = 64 };

struct board_watcher {
	struct front_req *client; /* borrowed; its answer has begun */
	/* Ends the answer, and forgets the watcher. */
	void (*dismiss)(struct board_watcher *w);
	struct board *board; /* borrowed */
	bool needs_all;      /* it is new, or was skipped */
	struct list link;    /* in board.watchers; linked to itself: it does not watch */
};

struct board *board_create(struct gateway *g);
/* Nobody may watch. */
void board_destroy(struct board **b);

/* --- what is noted --- */

void board_saw_first_token(struct board *b, int64_t after_ms);
/* A request ended. `r` still has all that it had. */
void board_saw_end(struct board *b, struct request *r, enum job_end end);

/* --- who watches --- */

bool board_is_full(const struct board *b);
/* `client` and `dismiss` are set. The first news come at once, or nearly. */
void board_watch(struct board *b, struct board_watcher *w);
/* Ends the answer of each: who wants to go on watching comes again, to whoever serves then. */
void board_dismiss(struct board *b);
/* Does nothing to who does not watch. */
void board_forget(struct board_watcher *w);

#endif
