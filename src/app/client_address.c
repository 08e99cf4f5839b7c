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

/* Through one header line, from its end. False: the client was found, or what is no address. */
static bool
follow(const struct trust *t, struct str line, struct client_address *a)
{
	while (line.len > 0 && is_trusted(t, a)) {
		struct net net;

		if (!net_parse_address(take_last(&line), &net))
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

struct client_address
client_address_of(const struct trust *t, const char *peer, const struct http_head *head)
{
	struct client_address a = address_of_peer(peer);
	bool tells = http_find_header(head, "X-Forwarded-For").ptr != NULL ||
	             http_find_header(head, "Forwarded").ptr != NULL;
	bool trusted = is_trusted(t, &a);

	for (size_t i = head->header_count; trusted && i > 0; i--)
		if (str_eq_nocase(head->headers[i - 1].name, "X-Forwarded-For") &&
		    !follow(t, head->headers[i - 1].value, &a))
			break;
	a.is_local = (a.is_socket || net_is_loopback(&a.net)) && (trusted || !tells);
	return a;
}
