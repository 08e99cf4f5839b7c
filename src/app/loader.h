/*
 * Carries out the scheduler's orders: loads and unloads, each a request of the gateway's
 * own to the node, with a time limit of its own. No client can end one.
 *
 * A load is an empty generate, or an empty embed where the node says that the model cannot
 * generate. An unload is over when /api/ps does not show the model any more.
 */
#ifndef APP_LOADER_H
#define APP_LOADER_H

struct gateway;
struct load_failure;
struct loader;
struct order;

/* The gateway's servers must be there, and stay as they are. */
struct loader *loader_create(struct gateway *g);
/* Orders under way are dropped. */
void loader_destroy(struct loader **l);
void loader_carry_out(struct loader *l, const struct order *o);
/* The gateway is draining: orders under way are given up, and the scheduler is told. */
void loader_give_up(struct loader *l);
/* A node lost the model and does not load it again, as a request of a client has found. */
void loader_saw_stuck(struct loader *l, const char *model, const char *backend);
/* Of the last try to load the model anywhere, by its canonical name; NULL: it did not fail. Valid
 * until the next order ends. */
const struct load_failure *loader_find_failure(const struct loader *l, const char *model);

#endif
