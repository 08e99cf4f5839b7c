/* Addresses and given sockets. */
#include "app/listen.h"

#include "app/origin.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void
drop_texts(struct text_list *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	t->count = 0;
}

static void
add_text(struct text_list *t, const char *text)
{
	t->items = mem_realloc(t->items, (t->count + 1) * sizeof(t->items[0]));
	t->items[t->count++] = mem_strdup(text);
}

static void
override_one(const struct sockets_item *item, void *arg)
{
	struct settings *s = arg;

	if (!item->chosen)
		return;
	switch (item->use) {
	case SOCKETS_FRONT: add_text(&s->listen, item->address); return;
	case SOCKETS_ADMIN:
		free(s->admin);
		s->admin = mem_strdup(item->address);
		return;
	}
	abort();
}

bool
listen_override(struct settings *s, const struct sockets *given, struct buf *why)
{
	if (sockets_are_chosen(given, SOCKETS_FRONT))
		drop_texts(&s->listen);
	sockets_for_each(given, override_one, s);
	if (!sockets_are_chosen(given, SOCKETS_ADMIN) || strncmp(s->admin, "unix:", 5) == 0 ||
	    host_is_loopback(str_of(s->admin)) || settings_have_admin_key(s))
		return true;
	buf_addf(why,
	         "the socket \"admin\" that the service manager gave listens on %s, which is not of "
	         "this machine alone, and no key has admin: true",
	         s->admin);
	return false;
}

/* A name may have several sockets: one for each of its addresses. */
bool
listen_at(struct front *f, struct sockets *given, enum sockets_use use, const char *address,
          struct buf *why)
{
	bool own = !sockets_are_chosen(given, use);
	int fd = sockets_take(given, use, address);

	if (fd < 0)
		return front_listen(f, address, why);
	for (; fd >= 0; fd = sockets_take(given, use, address))
		if (!front_adopt(f, fd, address, own, why))
			return false;
	return true;
}
