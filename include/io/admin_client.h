/*
 * A client of a running drover's admin API, for the commands that ask it. Whole answers are had by
 * fetch_start, lines as they come by exchange_start, both of `upstream`.
 *
 * Owner: the command, in which it is embedded; what it asked is over or cancelled before its end.
 */
#ifndef IO_ADMIN_CLIENT_H
#define IO_ADMIN_CLIENT_H

#include "io/exchange.h"

struct admin_client {
	const char *url;           /* borrowed */
	struct upstream *upstream; /* owned */
	struct buf headers;        /* of each request; more may be added */
};

/* An answer that is larger is none of the admin API. */
enum { ADMIN_CLIENT_ANSWER_MAX = 64 * 1024 * 1024 };

/* `key`: an administrator's; NULL: none is needed. False: `why` says what is wrong with the URL. */
bool admin_client_init(struct admin_client *c, struct loop *l, const char *url, const char *key,
                       struct buf *why);
void admin_client_finish(struct admin_client *c);
/* Without a body; `answer_ms` bounds the wait for the answer and for each part of it, 0: nothing
 * does. */
struct exchange_request admin_client_request(const struct admin_client *c, enum http_method method,
                                             struct str target, int64_t answer_ms);
/* Adds why there is no answer, or one of another status than 200; `status` and `body` are only
 * looked at where the exchange is done. */
void admin_client_explain(const struct admin_client *c, enum exchange_end end, int status,
                          struct str body, struct buf *out);
/* Behind that where no connection was made, for who may have given no address, or the wrong one. */
extern const char admin_client_hint[];

#endif
