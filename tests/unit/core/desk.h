/*
 * What the tests of the scheduler share: a scheduler with nodes and jobs under a clock that
 * the test moves by hand. Names are short since tests are made of them.
 */
#ifndef TESTS_CORE_DESK_H
#define TESTS_CORE_DESK_H

#include "../check.h"
#include "core/sched.h"

#include <stdbool.h>
#include <stdint.h>

enum { DESK_JOBS = 600 };

struct desk {
	struct sched *sched;
	int64_t now;
	struct job jobs[DESK_JOBS];
	int used;
	bool was_loaded; /* of the last pick */
};

/* The defaults of the contract. */
struct sched_conf desk_conf(void);
/* Everything one. */
struct backend_conf node_conf(const char *name);
void desk_open(struct desk *d, const struct sched_conf *conf);
/* Ends what is left; all slots must be free then. */
void desk_close(struct desk *d);

/* A node that was not probed yet. */
struct backend *desk_add_unknown(struct desk *d, struct backend_conf conf);
/* A node that is up and lists "a", "b" and "c". */
struct backend *desk_add(struct desk *d, struct backend_conf conf);
/* Up to three names, the rest NULL. */
void list_models(struct backend *b, const char *first, const char *second, const char *third);
void load_models(struct backend *b, const char *first, const char *second, const char *third);

struct job *desk_new(struct desk *d, enum job_class class);
enum sched_answer desk_submit(struct desk *d, struct job *j, const char *model);
/* Submits one that must be accepted. */
struct job *desk_queue(struct desk *d, const char *model, enum job_class class);
struct job *desk_pick(struct desk *d);
/* What runs "a" is so fast that no estimate stands against a deadline. */
void desk_make_fast(struct desk *d);
/* How many started. */
int desk_pick_all(struct desk *d);
/* As done. */
void desk_end(struct desk *d, struct job *j);

#endif
