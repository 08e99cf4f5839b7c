/*
 * Names to addresses, without blocking. evdns may answer from inside the call
 * that asks, or after it was cancelled; the lookup is an object of its own, so
 * that a late answer finds nobody instead of freed memory.
 */
#include "upstream_names.h"

#include "base/clock.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	FRESH_MS = 30 * 1000,
	RETRY_MS = 1000, /* after a lookup that failed */
};

struct lookup {
	struct names *names; /* NULL: given up */
	struct evdns_getaddrinfo_request *request;
	bool asking; /* still inside the call that started it */
};

static socklen_t
size_of(int family)
{
	return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Its place in the list, or -1. */
static int
find(const struct addresses *list, const struct sockaddr *a)
{
	for (int i = 0; i < list->count; i++)
		if (list->at[i].any.sa_family == a->sa_family &&
		    memcmp(&list->at[i], a, size_of(a->sa_family)) == 0)
			return i;
	return -1;
}

static void
add(struct addresses *list, const struct sockaddr *a, socklen_t size)
{
	bool inet = a->sa_family == AF_INET || a->sa_family == AF_INET6;

	if (!inet || size != size_of(a->sa_family) || list->count == ADDRESSES_MAX ||
	    find(list, a) >= 0)
		return;
	memcpy(&list->at[list->count++], a, size);
}

static void
add_literal(struct names *n, int family, const char *text)
{
	union address a = {0};

	a.any.sa_family = (sa_family_t)family;
	if (family == AF_INET && inet_pton(family, text, &a.v4.sin_addr) == 1)
		a.v4.sin_port = htons(n->port);
	else if (family == AF_INET6 && inet_pton(family, text, &a.v6.sin6_addr) == 1)
		a.v6.sin6_port = htons(n->port);
	else
		return;
	add(&n->known, &a.any, size_of(family));
}

/* RFC 6761 6.3: localhost is loopback, whatever a resolver says. The IPv4 address goes first,
 * since Ollama listens on that one alone. */
static void
add_fixed(struct names *n)
{
	if (strcasecmp(n->host, "localhost") == 0) {
		add_literal(n, AF_INET, "127.0.0.1");
		add_literal(n, AF_INET6, "::1");
	} else {
		add_literal(n, AF_INET, n->host);
		add_literal(n, AF_INET6, n->host);
	}
	n->fixed = n->known.count > 0;
}

/* A resolver may list its addresses in another order each time. */
static void
put_proven_first(struct names *n)
{
	int i = find(&n->known, &n->proven.any);

	if (i <= 0)
		return;
	memmove(&n->known.at[1], &n->known.at[0], (size_t)i * sizeof(n->known.at[0]));
	n->known.at[0] = n->proven;
}

/* What was known stays. */
static void
fail(struct names *n, const char *why)
{
	n->doubted = false;
	n->why = why;
	n->fresh_until_ms = clock_now_ms() + RETRY_MS;
}

static void
take_result(struct names *n, int error, const struct evutil_addrinfo *found)
{
	struct addresses list = {.count = 0};

	for (; found != NULL; found = found->ai_next)
		add(&list, found->ai_addr, found->ai_addrlen);
	if (list.count == 0) {
		fail(n, error == EVUTIL_EAI_NONAME ? "unknown host name" : "name resolution failed");
		return;
	}
	n->doubted = false;
	n->known = list;
	put_proven_first(n);
	n->fresh_until_ms = clock_now_ms() + FRESH_MS;
}

static void
on_resolved(int error, struct evutil_addrinfo *found, void *arg)
{
	struct lookup *lookup = arg;
	struct names *n = lookup->names;
	bool asking = lookup->asking;

	free(lookup);
	if (n != NULL) {
		n->lookup = NULL;
		timer_stop(&n->timer);
		take_result(n, error, found);
	}
	if (found != NULL)
		evutil_freeaddrinfo(found);
	if (n != NULL && !asking)
		n->on_done(n->arg);
}

static void
give_up(struct names *n)
{
	struct lookup *lookup = n->lookup;

	n->lookup = NULL;
	timer_stop(&n->timer);
	if (lookup == NULL)
		return;
	lookup->names = NULL;
	evdns_getaddrinfo_cancel(lookup->request);
}

static void
on_impatient(void *arg)
{
	struct names *n = arg;

	give_up(n);
	fail(n, "name resolution timed out");
	n->on_done(n->arg);
}

static void
ask(struct names *n)
{
	struct evutil_addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	struct evdns_getaddrinfo_request *request;
	struct lookup *lookup = NEW(struct lookup);
	char port[8];

	evutil_snprintf(port, sizeof(port), "%d", n->port);
	lookup->names = n;
	lookup->asking = true;
	n->lookup = lookup;
	request = evdns_getaddrinfo(loop_dns(n->loop), n->host, port, &hints, on_resolved, lookup);
	if (n->lookup == NULL)
		return;
	lookup->request = request;
	lookup->asking = false;
	timer_start(&n->timer, n->patience_ms);
}

void
names_init(struct names *n, struct loop *l, const char *host, uint16_t port, int64_t patience_ms,
           void (*on_done)(void *arg), void *arg)
{
	*n = (struct names){.loop = l,
	                    .host = host,
	                    .port = port,
	                    .patience_ms = patience_ms,
	                    .why = "name resolution failed",
	                    .on_done = on_done,
	                    .arg = arg};
	timer_init(&n->timer, l, on_impatient, n);
	add_fixed(n);
}

void
names_finish(struct names *n)
{
	give_up(n);
	timer_finish(&n->timer);
}

bool
names_want(struct names *n)
{
	if (n->fixed)
		return true;
	if (n->lookup == NULL && (n->doubted || clock_now_ms() >= n->fresh_until_ms))
		ask(n);
	return n->lookup == NULL || (n->known.count > 0 && !n->doubted);
}

void
names_worked(struct names *n, const union address *a)
{
	n->doubted = false;
	n->proven = *a;
	put_proven_first(n);
}

void
names_failed(struct names *n)
{
	n->doubted = true;
}
