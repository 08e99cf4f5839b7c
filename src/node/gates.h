/*
 * Gates: a test closes one by name, requests that name it stop at its point, and
 * go on when the test opens it. A request names gates by the header X-Sim-Gate
 * (several with commas), by `gate:NAME` in its prompt, and by the model it is for.
 *
 * Points: before_load (while its model is being loaded), before_first_token,
 * before_token:N (from 1), before_each_token, before_end. A gate that was opened
 * `times` times lets as many stops pass and holds the next; opened without a
 * number it is gone.
 */
#ifndef NODE_GATES_H
#define NODE_GATES_H

#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum gate_point { GATE_LOAD, GATE_TOKEN, GATE_EACH_TOKEN, GATE_END };

struct gate {
	struct list link; /* in gates.closed */
	char *name;       /* owned */
	enum gate_point point;
	int token;        /* of GATE_TOKEN, from 1 */
	int64_t permits;  /* stops that may still pass */
	struct list held; /* of struct gate_hold, by link; first come, first freed */
};

/* A request at a gate. */
struct gate_hold {
	struct list link;  /* in gate.held while it is held */
	struct gate *gate; /* NULL: not held */
	void (*on_open)(void *arg);
	void *arg;
};

struct gates {
	struct list closed; /* of struct gate, by link; owned */
	int held;           /* requests that are held now */
};

void gates_init(struct gates *g);
/* Nobody may be held. */
void gates_finish(struct gates *g);
/* False when `point` is none. An equal name is replaced; who is held there stays held. */
bool gates_close(struct gates *g, const char *name, const char *point);
/* `times` <= 0: for ever. False when there is no such gate. on_open is called for each it frees. */
bool gates_open(struct gates *g, const char *name, int64_t times);
void gates_open_all(struct gates *g);

void gate_hold_init(struct gate_hold *h, void (*on_open)(void *arg), void *arg);
/* Whether the request must stop before `point`; then it is held until on_open. `names` are the
 * gates it names, with commas between. */
bool gates_stop(struct gates *g, struct gate_hold *h, struct str names, enum gate_point point,
                int token);
/* The request is gone. */
void gate_hold_leave(struct gates *g, struct gate_hold *h);

#endif
