/*
 * Who may change nodes, and which node is meant.
 */
#ifndef APP_MANAGE_H
#define APP_MANAGE_H

#include <stdbool.h>

struct request;
struct server;

/* By the rule of `manage`; without keys, `admin` means clients on loopback. */
bool manage_is_allowed(const struct request *r);
/* What X-Drover-Backend names; NULL when it is not given. False: it may not be given, or names
 * no backend; the request was refused. */
bool manage_choose_server(struct request *r, struct server **out);

#endif
