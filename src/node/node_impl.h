/*
 * Private: a node, and one HTTP request to it.
 *
 * A visit lives from the front end's on_request until it was answered or its
 * client is gone. Whoever takes it over (a run, an upload, a watch) hangs on it
 * and is freed with it through visit_end, which is called exactly once.
 */
#ifndef NODE_IMPL_H
#define NODE_IMPL_H

#include "base/list.h"
#include "base/map.h"
#include "catalog.h"
#include "control.h"
#include "faults.h"
#include "gates.h"
#include "io/front.h"
#include "journal.h"
#include "node/node.h"
#include "reply.h"
#include "runners.h"

struct node {
	struct loop *loop;
	struct front *front; /* owned */
	struct catalog catalog;
	struct runners runners;
	struct timer runners_timer; /* for runners_next_ms */
	struct waker pump;          /* tells wishes that became ready, and watches */
	struct list visits;         /* of struct visit, by link; owned */
	struct list watches;        /* of struct watch, by link; each owned by its visit */
	struct gates gates;
	struct list faults; /* of struct fault, by link; owned */
	struct journal journal;
	struct counts counts;
	struct map flights; /* name of a model -> struct flight; owned */
	struct map blobs;   /* digests that were uploaded -> any non-NULL */
	struct buf out;     /* what is written next; nobody keeps it over a callback */
	struct buf headers;
	char *api_key; /* owned; NULL: none is needed */
	char *version; /* owned */
	bool seeded;
	uint64_t seed;
	uint64_t last_id;
	bool on_loopback; /* then the Host is checked */
};

enum visit_step {
	VISIT_READING,   /* the body is on its way */
	VISIT_RUNNING,   /* `run` has it */
	VISIT_UPLOADING, /* the body goes into `digest` */
	VISIT_WAITING,   /* `watch` has it */
	VISIT_DRIPPING,  /* a fault sends the answer byte by byte */
	VISIT_HANGING,   /* a fault answers nothing */
	VISIT_PROGRESS,  /* `progress` has it */
};

struct visit {
	struct list link; /* in node.visits */
	struct node *node;
	struct front_req *req;
	enum visit_step step;
	const struct node_route *route; /* NULL: unknown */
	char *tail;                     /* owned; what a path parameter stood for; NULL: none */
	struct buf body;
	struct zstd_body *zstd;       /* owned; the body comes compressed; NULL: it does not */
	struct record *record;        /* in the journal, or owned by it; NULL for /sim */
	struct run *run;              /* owned, by step */
	struct sha256_hasher *hasher; /* owned; of the body, for the journal; NULL: none */
	struct watch *watch;          /* owned, by step */
	struct drip *drip;            /* owned, by step */
	struct progress *progress;    /* owned, by step */
	struct fault fault;           /* what befalls it in mid-stream, with has_fault */
	bool has_fault;
	char origin[128]; /* an allowed Origin, to be named in the answer; "": none */
};

/* One route of Ollama. */
struct node_route {
	const char *path; /* one that ends in '/' has a parameter after it */
	enum http_method method;
	enum family family;
	void (*handle)(struct visit *v); /* the body is there */
	/* Of those that run a model: */
	enum ask_kind kind;
	ask_reader read;
	const struct form *form;
};

/* node.c: answers, each of which ends the visit. */
void visit_reply(struct visit *v, int status, const char *content_type, struct str body);
/* With further headers, each line with CRLF. */
void visit_reply_with(struct visit *v, int status, const char *content_type, const char *headers,
                      struct str body);
/* Native JSON as gin writes it. */
void visit_reply_json(struct visit *v, int status, struct str body);
/* In the family of the route. */
void visit_reply_error(struct visit *v, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same from Ollama's translation of a dialect, before the native handler saw the request. */
void visit_reply_early_error(struct visit *v, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* After an answer that was written piece by piece: `end` is for the journal. */
void visit_finish(struct visit *v, const char *end);
/* Breaks the connection. */
void visit_cut(struct visit *v, const char *end);
/* The headers of an answer so far: type, what CORS wants. Valid until the next call. */
struct str visit_headers(struct visit *v, const char *content_type, const char *more);
/* The head of an answer is about to go: for journal and counters. */
void visit_note_head(struct visit *v, int status);
/* Nobody waits any more: counts, journal, memory. */
void visit_end(struct visit *v, const char *end);
bool visit_is_sim(const struct visit *v);

/* What changed may be what a watch waits for; ready wishes are told too. */
void node_wake(struct node *n);
int64_t node_now_ms(void);
/* Since 1970. */
int64_t node_wall_ns(void);

/* routes.c */
const struct node_route *node_find_route(enum http_method method, struct str path, char **tail,
                                         const char **allow);

/* access.c: false when it answered. */
bool access_check(struct visit *v);

#endif
