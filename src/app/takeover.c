/*
 * The new program's side of a handover.
 *
 *   LOOKING -> WAITING -> SERVING -> ALONE
 *
 * If the former program ends early, this one serves at once: nobody else does.
 */
#include "app/takeover.h"

#include "app/accounts.h"
#include "app/gateway.h"
#include "app/handover.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKETS_WITHIN_MS = 10000, LOOK_MS = 10, LOOK_MOST_MS = 10000 };
enum { DESCRIPTOR_MOST = 1024 * 1024 };

enum takeover_state {
	TAKEOVER_LOOKING, /* at its nodes, for the first time */
	TAKEOVER_WAITING, /* for the files */
	TAKEOVER_SERVING, /* and hears what the former one still counts */
	TAKEOVER_ALONE,   /* the former one has ended */
};

struct takeover {
	struct gateway *gateway; /* borrowed */
	enum takeover_state state;
	struct link *link; /* owned */
	struct timer timer;
	int64_t began_ms;
	void (*on_serving)(void *arg);
	void *arg;
};

static const char log_name[] = "upgrade";

/* --- the start --- */

static bool
receive_sockets(int end, struct sockets *given)
{
	struct buf message = {0};
	struct sockets_item item;
	bool over = false, ok = true;
	int fd;

	while (ok && !over) {
		struct str text;

		ok = link_receive(end, SOCKETS_WITHIN_MS, &message, &fd) == LINK_MESSAGE;
		text = (struct str){message.data, message.len};
		over = ok && str_eq(text, HANDOVER_SOCKETS_END);
		if (ok && !over && fd >= 0 && handover_read_socket(text, &item))
			sockets_add(given, &item, fd);
		else if (ok && fd >= 0)
			close(fd);
	}
	buf_finish(&message);
	return ok;
}

bool
takeover_find(struct sockets *given, int *end, struct buf *why)
{
	const char *value = getenv(HANDOVER_VARIABLE);
	uint64_t n;
	bool ok;

	*end = -1;
	if (value == NULL)
		return true;
	ok = str_to_u64(str_of(value), &n) && n <= DESCRIPTOR_MOST &&
	     fcntl((int)n, F_SETFD, FD_CLOEXEC) == 0 && receive_sockets((int)n, given);
	if (ok)
		*end = (int)n;
	else
		buf_adds(why, HANDOVER_VARIABLE " is for a program that takes the place of another, and "
		                                "that one does not answer");
	unsetenv(HANDOVER_VARIABLE);
	return ok;
}

/* --- the handover --- */

static void
serve(struct takeover *t)
{
	timer_stop(&t->timer);
	gateway_open_state(t->gateway);
	gateway_hold(t->gateway, false);
	t->state = TAKEOVER_SERVING;
	t->on_serving(t->arg);
}

/* A node that does not answer is known too, as soon as its first round is over; one that takes long
 * for it is not waited for. */
static void
on_look(void *arg)
{
	struct takeover *t = arg;

	if (!gateway_has_looked(t->gateway) && clock_now_ms() - t->began_ms < LOOK_MOST_MS) {
		timer_start(&t->timer, LOOK_MS);
		return;
	}
	t->state = TAKEOVER_WAITING;
	(void)link_send(t->link, str_of(HANDOVER_PREPARED), -1); /* if it is gone, on_end comes */
}

static void
keep_drained(struct takeover *t, struct str name)
{
	struct server *s = gateway_find_server(t->gateway, name);

	if (s == NULL)
		return;
	backend_set_draining(s->backend, true);
	log_info(backend_name(s->backend), "drains, as it did in the former program");
}

static void
take_usage(const struct tally_row *row, void *arg)
{
	accounts_add_row(((struct takeover *)arg)->gateway->accounts, row);
}

static void
on_message(struct str message, void *arg)
{
	struct takeover *t = arg;
	struct str name;

	switch (t->state) {
	case TAKEOVER_LOOKING:
	case TAKEOVER_ALONE: return;
	case TAKEOVER_WAITING:
		if (handover_read_drained(message, &name))
			keep_drained(t, name);
		if (!str_eq(message, HANDOVER_STATE))
			return;
		serve(t);
		(void)link_send(t->link, str_of(HANDOVER_READY), -1);
		return;
	case TAKEOVER_SERVING: (void)handover_read_usage(message, take_usage, t); return;
	}
	abort();
}

static void
on_end(void *arg)
{
	struct takeover *t = arg;

	if (t->state == TAKEOVER_SERVING) {
		log_info(log_name, "the former program has ended");
	} else {
		log_warn(log_name, "the former program has ended early");
		serve(t);
	}
	t->state = TAKEOVER_ALONE;
	t->gateway->has_former = false;
}

static const struct link_ops ops = {.on_message = on_message, .on_end = on_end};

struct takeover *
takeover_create(struct gateway *g, int end, void (*on_serving)(void *arg), void *arg)
{
	struct takeover *t = NEW(struct takeover);

	t->gateway = g;
	t->on_serving = on_serving;
	t->arg = arg;
	t->began_ms = clock_now_ms();
	t->link = link_create(g->loop, end, &ops, t);
	timer_init(&t->timer, g->loop, on_look, t);
	g->has_former = true;
	gateway_hold(g, true);
	on_look(t);
	return t;
}

void
takeover_destroy(struct takeover **tp)
{
	struct takeover *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	link_destroy(&t->link);
	timer_finish(&t->timer);
	free(t);
}
