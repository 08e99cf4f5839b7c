/*
 * The inside of a share: share.c decides, share_play.c gives answers to clients,
 * share_record.c takes them from the relay.
 */
#ifndef APP_SHARE_IMPL_H
#define APP_SHARE_IMPL_H

#include "app/answers.h"
#include "app/heartbeat.h"
#include "app/playback.h"
#include "app/request.h"
#include "app/share.h"

struct share {
	struct work work; /* first */
	struct request *request;
	enum answer_family family;
	struct cache_key key;
	char model[MODEL_NAME_MAX]; /* canonical */
	struct transcript_want want;
	struct flight_member member;
	struct heartbeat heartbeat;  /* of a follower, until the answer begins */
	struct recording *recording; /* held while the answer comes from a node; NULL: none */
	struct playback playback;
	struct cache_entry *entry;   /* pinned; NULL: none */
	struct buf converted;        /* what is played, where it had to be made */
	struct buf rewritten;        /* of a follower: what rules changed in its leader's request */
	struct list settle_link;     /* in answers.settling */
	enum transcript_form source; /* of a follower: what it makes its own of */
	bool spoilt;                 /* another model answers: it is not kept */
	bool records;                /* it was sent to a node, and its answer may be kept */
	bool headless;
};

/* share.c */
struct share *share_of(struct flight_member *m);
struct answers *share_answers(const struct share *s);
/* It is looked at in the next turn of the loop. */
void share_settle_later(struct share *s);
/* A leader without a client ends when it was the last to follow. */
void share_leave_flight(struct share *s);

/* share_play.c */
extern const char share_too_slow[];
extern const struct work_ops share_work_ops;
void share_on_begin(struct flight_member *m, struct recording *rec);
/* From the entry, as `cache` says; false: it cannot be given in the wanted form. */
bool share_play_entry(struct share *s, const struct answer_kept *k, const char *cache);
/* In the middle of the answer; the request is without a client then. */
void share_cut_client(struct share *s, const char *why);
/* Goes on; ends the request where its answer is over. */
void share_play(struct share *s);

#endif
