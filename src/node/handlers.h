/* Private: what answers the routes, each with the body read; it ends the visit. */
#ifndef NODE_HANDLERS_H
#define NODE_HANDLERS_H

#include "node_impl.h"

void manage_root(struct visit *v);
void manage_version(struct visit *v);
void manage_status(struct visit *v);
void manage_account(struct visit *v);
void manage_recommendations(struct visit *v);
void manage_pull(struct visit *v);
void manage_push(struct visit *v);
void manage_create(struct visit *v);
void manage_copy(struct visit *v);
void manage_delete(struct visit *v);
void listing_tags(struct visit *v);
void listing_ps(struct visit *v);
void listing_show(struct visit *v);
void listing_models(struct visit *v);
void listing_model(struct visit *v);
void blobs_head(struct visit *v);
/* Before the body is read: true when it took the visit over or answered. */
bool blobs_begin(struct visit *v);
void blobs_end(struct visit *v);
/* Runs a model. */
void run_begin(struct visit *v);

#endif
