/* The data of the events of a board (board.h), as JSON on one line each. */
#ifndef APP_BOARD_TEXT_H
#define APP_BOARD_TEXT_H

#include "base/buf.h"

#include <stdint.h>

struct gateway;
struct history;

/* Of each kind, so that a snapshot is bounded: the oldest of those that wait, of the others, and
 * of the keys. What is left out is counted. */
enum { BOARD_WAITING_MOST = 200, BOARD_RUNNING_MOST = 200, BOARD_KEYS_MOST = 200 };

/* The object of a snapshot: what /admin/v1/status and /admin/v1/requests say, and the keys. Equal
 * texts are equal states: there is no time in it but of those that wait or run. */
void board_add_state(const struct gateway *g, int64_t began_wall_ms, int64_t now_ms,
                     struct buf *json);
/* The points from that number on, as far as they are kept: an object with an array for each of
 * their numbers. */
void board_add_history(const struct history *h, uint64_t from, struct buf *json);

#endif
