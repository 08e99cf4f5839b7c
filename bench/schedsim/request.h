/*
 * A request of a workload, and what became of it. The workload's maker fills in the upper
 * part, the world and its nodes the lower one.
 */
#ifndef SCHEDSIM_REQUEST_H
#define SCHEDSIM_REQUEST_H

#include "base/list.h"
#include "core/job.h"

#include <stddef.h>
#include <stdint.h>

struct node;
struct runner;

enum request_state {
	REQUEST_NEW,
	REQUEST_AT_GATEWAY, /* waits where the policy keeps it */
	REQUEST_FOLLOWING,  /* waits for the answer to an equal one */
	REQUEST_AT_NODE,    /* waits inside a node */
	REQUEST_RUNNING,
	REQUEST_DONE,
	REQUEST_REFUSED,
	REQUEST_LATE, /* its client gave up */
};

struct request {
	int64_t at_us;
	size_t serial; /* in the order of making, not of arrival */
	int model;
	enum job_class class;
	int key;
	int stream;
	int prompt_tokens;
	int fresh_tokens; /* of the prompt, where the slot holds the conversation so far */
	int output_tokens;
	int session;         /* 0: no conversation */
	uint32_t content;    /* equal ones have equal answers; 0: like no other */
	int64_t deadline_ms; /* after its arrival; 0: none */

	enum request_state state;
	int64_t start_us;  /* a slot began to work on it */
	int64_t first_us;  /* first token, about */
	int64_t end_us;    /* whatever its end */
	struct node *node; /* that has it, or had it last */
	struct runner *runner;
	int slot;
	double due;            /* the node's progress at which it is done */
	struct list link;      /* in a queue of the policy or of the node, or in node.active, */
	                       /* or in a leader's followers */
	struct list followers; /* of struct request, by link */
	struct job job;        /* of the policy that runs the real core */
};

#endif
