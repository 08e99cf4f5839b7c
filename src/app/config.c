/* A configuration and who holds it. */
#include "app/config.h"

#include "base/mem.h"
#include "base/str.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool
is_loopback_address(const char *address)
{
	static const char *const patterns[] = {"127.*", "localhost", "localhost:*", "unix:*"};

	if (strncmp(address, "[::1]", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (str_glob(patterns[i], address))
			return true;
	return false;
}

static bool
listens_on_loopback_only(const struct settings *s)
{
	for (size_t i = 0; i < s->listen.count; i++)
		if (!is_loopback_address(s->listen.items[i]))
			return false;
	return true;
}

static void
destroy(struct config *c)
{
	list_remove(&c->link);
	aliases_finish(&c->aliases);
	trust_finish(&c->trust);
	settings_finish(&c->settings);
	free(c);
}

struct config *
config_create(struct settings *s, struct buf *why)
{
	struct config *c = NEW(struct config);

	c->settings = *s;
	*s = (struct settings){0};
	c->holders = 1;
	list_init(&c->link);
	trust_init(&c->trust, &c->settings.trusted_proxies);
	c->hosts = (struct host_rule){&c->settings.hosts, listens_on_loopback_only(&c->settings)};
	c->origins = (struct origin_rule){&c->settings.cors_origins};
	if (!aliases_init(&c->aliases, &c->settings.aliases, why)) {
		destroy(c);
		return NULL;
	}
	return c;
}

struct config *
config_hold(struct config *c)
{
	c->holders++;
	return c;
}

bool
config_release(struct config **cp)
{
	struct config *c = *cp;

	*cp = NULL;
	if (c == NULL || --c->holders > 0)
		return false;
	assert(c->holders == 0);
	destroy(c);
	return true;
}
