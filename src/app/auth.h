/*
 * Who may do what: the key that a request brings, and what that key allows.
 */
#ifndef APP_AUTH_H
#define APP_AUTH_H

#include "core/job.h"

#include <stdbool.h>

struct callers;
struct http_head;
struct request;

/* Sets r->caller; the route is known. False: it needs a key and brings none that is known; it was
 * refused. */
bool auth_take(struct request *r);
/* By its canonical name. */
bool auth_may_use_model(const struct request *r, const char *model);
/* For the routes of one model. False: refused. */
bool auth_allows_model(struct request *r, const char *model);
/* May change nodes, and choose one: a key of an administrator; without keys, clients on this
 * machine. */
bool auth_is_admin(const struct request *r);
/* For the admin API: where a key is of an administrator, such a key is needed. */
bool auth_admits_admin(struct callers *callers, const struct http_head *head);
/* The class of who asks for none, and the highest to be had. */
enum job_class auth_class(const struct request *r);

#endif
