/*
 * What a request asks of its model, and what it is allowed: taken from its body into its job
 * before it waits, and put into its body when it starts, where rules or the scheduler want it
 * otherwise. `model` is the canonical name of the model that it runs.
 */
#ifndef APP_SHAPE_H
#define APP_SHAPE_H

#include "core/job.h"

struct request;

/* Sets options, unify, most_num_ctx, the numbers of tokens, unloads, and the conversation where
 * that is not known yet. */
void shape_job(const struct request *r, const char *model, struct job *j);
/* The job starts: makes the body that is sent, with r->model_sent in it, and what is said of it. */
void shape_body(struct request *r, const char *model, const struct job *j);
/* The same where nothing but the model can be another. */
void shape_model(struct request *r);

#endif
