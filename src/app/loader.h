/*
 * Carries out the scheduler's orders: loads and unloads, each a request of the gateway's
 * own to the node, with a time limit of its own. No client can end one.
 *
 * A load is an empty generate, or an empty embed where the node says that the model cannot
 * generate. An unload is over when /api/ps does not show the model any more.
 */
#ifndef APP_LOADER_H
#define APP_LOADER_H

struct errand;
struct gateway;
struct load_failure;
struct loader;
struct order;
struct server;

struct loader *loader_create(struct gateway *g);
/* No errand may be left. */
void loader_destroy(struct loader **l);

/* The orders of one node, one at a time. The server owns it. */
struct errand *errand_create(struct loader *l, struct server *s);
/* Drops what is under way. NULL is allowed. */
void errand_destroy(struct errand **e);
/* What is under way is given up, and the scheduler told. */
void errand_give_up(struct errand *e);

void loader_carry_out(struct loader *l, const struct order *o);
/* The gateway is draining: orders under way are given up, and the scheduler is told. */
void loader_give_up(struct loader *l);
/* A node lost the model and does not load it again, as a request of a client has found. */
void loader_saw_stuck(struct loader *l, const char *model, const char *backend);
/* Of the last try to load the model anywhere, by its canonical name; NULL: it did not fail. Valid
 * until the next order ends. */
const struct load_failure *loader_find_failure(const struct loader *l, const char *model);

#endif
