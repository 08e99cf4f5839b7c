/*
 * Models that are loaded before anybody asks for them: those that rules of the configuration
 * name (`models: warm:`), at the start and every so often, and those that an administrator asks
 * for.
 *
 * What a rule wants and finds no room for is tried again with each round of probes, until it
 * is there.
 */
#ifndef APP_WARMER_H
#define APP_WARMER_H

#include "base/list.h"
#include "core/warm.h"
#include "proto/model_name.h"

struct gateway;
struct warmer;

struct warmer *warmer_create(struct gateway *g);
/* Other rules are in force. One that was there goes on where it was; a new one is due now. */
void warmer_apply(struct warmer *w);
/* The backend is not configured any more: who asked for it alone is told. */
void warmer_forget_backend(struct warmer *w, struct backend *b);
/* No ask may be left. */
void warmer_destroy(struct warmer **w);
/* Something changed that may matter: an order ended, a node was probed. The pump follows. */
void warmer_wake(struct warmer *w);
/* The pump's part: begins what can begin, tells those who asked. */
void warmer_review(struct warmer *w);

/* The gateway is draining: nothing is loaded any more, and who asked is told. */
void warmer_give_up(struct warmer *w);

/* What an administrator asked for. Embedded in its owner. */
struct warm_ask {
	struct list link; /* in warmer.asks */
	struct warm_wish wish;
	char model[MODEL_NAME_MAX]; /* wish.model */
	/* The answer is another one than before; WARM_LATER and WARM_LOADING are not the last. After
	 * the last nothing more comes. */
	void (*tell)(struct warm_ask *ask, enum warm_answer answer, struct backend *where);
	enum warm_answer told;
	bool was_told;
};

/* `model` is canonical. The first answer comes from the pump. */
void warmer_ask(struct warmer *w, struct warm_ask *ask, const char *model, struct backend *only);
/* Nothing more is told; a load that was begun goes on. */
void warmer_forget(struct warm_ask *ask);

#endif
