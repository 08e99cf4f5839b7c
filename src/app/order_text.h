/* The scheduler's orders in words: bodies of requests to the node, and what the log says. */
#ifndef APP_ORDER_TEXT_H
#define APP_ORDER_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct order;

/* What is done, with the options that make it another variant: "loading m:latest num_ctx=8192". */
void order_add_label(struct buf *out, const struct order *o);
/* Of POST /api/generate, or of /api/embed where the model `embeds`: nothing to answer, so that
 * the model is only loaded. keep_alive_s < 0: for ever; 0: the node's own. */
void order_add_load(struct buf *out, const struct order *o, bool embeds, int64_t keep_alive_s);
/* Of POST /api/generate, whatever the model is for. */
void order_add_unload(struct buf *out, const struct order *o);

#endif
