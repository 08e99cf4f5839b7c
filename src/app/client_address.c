/* Where a request comes from. */
#include "app/client_address.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void
trust_init(struct trust *t, const struct text_list *proxies)
{
	*t = (struct trust){.nets = mem_zalloc(proxies->count, sizeof(t->nets[0]))};
	for (size_t i = 0; i < proxies->count; i++)
		if (strcmp(proxies->items[i], "unix:") == 0)
			t->sockets = true;
		else if (net_parse(str_of(proxies->items[i]), &t->nets[t->count]))
			t->count++;
		else
			abort(); /* conf looked */
}

void
trust_finish(struct trust *t)
{
	free(t->nets);
	*t = (struct trust){0};
}

static bool
is_trusted(const struct trust *t, const struct client_address *a)
{
	if (a->is_socket)
		return t->sockets;
	for (size_t i = 0; i < t->count; i++)
		if (net_has(&t->nets[i], &a->net))
			return true;
	return false;
}

/* Cuts the part behind the last comma off. */
static struct str
take_last(struct str *list)
{
	struct str part = *list;

	while (part.len > 0 && list->ptr[part.len - 1] != ',')
		part.len--;
	part = (struct str){list->ptr + part.len, list->len - part.len};
	list->len -= part.len;
	if (list->len > 0)
		list->len--; /* the comma */
	return str_trim(part);
}

/* Some proxies tell the port too: "192.0.2.1:4711", "[2001:db8::1]:4711". */
static struct str
without_port(struct str s)
{
	const char *colon = memrchr(s.ptr, ':', s.len);
	size_t len = colon == NULL ? 0 : (size_t)(colon - s.ptr);
	bool is_v4 = len > 0 && memchr(s.ptr, ':', len) == NULL;
	bool is_v6 = len > 0 && s.ptr[0] == '[' && s.ptr[len - 1] == ']';
	uint64_t port;

	if ((!is_v4 && !is_v6) || !str_to_u64((struct str){colon + 1, s.len - len - 1}, &port))
		return s;
	return (struct str){s.ptr, len};
}

/* Through one header line, from its end. False: the client was found, or what is no address. */
static bool
follow(const struct trust *t, struct str line, struct client_address *a)
{
	while (line.len > 0 && is_trusted(t, a)) {
		struct net net;

		if (!net_parse_address(without_port(take_last(&line)), &net))
			return false;
		*a = (struct client_address){.is_forwarded = true, .net = net};
	}
	return is_trusted(t, a);
}

static struct client_address
address_of_peer(const char *peer)
{
	const char *colon = strrchr(peer, ':');
	struct client_address a = {0};

	a.is_socket = strncmp(peer, "unix:", 5) == 0;
	if (!a.is_socket && !net_parse_address((struct str){peer, (size_t)(colon - peer)}, &a.net))
		abort(); /* the front wrote it */
	return a;
}

/* A proxy adds one of these, whichever it prefers. */
static bool
is_of_proxy(struct str name)
{
	switch (name.ptr[0] | 0x20) {
	case 'f': return str_eq_nocase(name, "Forwarded");
	case 'v': return str_eq_nocase(name, "Via");
	case 'x': return str_eq_nocase(name, "X-Real-IP") || str_starts_nocase(name, "X-Forwarded-");
	}
	return false;
}

static bool
came_by_proxy(const struct http_head *head)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (is_of_proxy(head->headers[i].name))
			return true;
	return false;
}

struct client_address
client_address_of(const struct trust *t, const char *peer, const struct http_head *head)
{
	struct client_address a = address_of_peer(peer);
	bool trusted = is_trusted(t, &a);

	for (size_t i = head->header_count; trusted && i > 0; i--)
		if (str_eq_nocase(head->headers[i - 1].name, "X-Forwarded-For") &&
		    !follow(t, head->headers[i - 1].value, &a))
			break;
	/* A proxy serves others; of a trusted one it is known when it tells the address of whom. */
	a.is_local = a.is_socket || net_is_loopback(&a.net);
	if (a.is_local && !a.is_forwarded)
		a.is_local = !came_by_proxy(head);
	return a;
}
