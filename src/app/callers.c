/* Who calls. */
#include "app/callers.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>

/* Addresses that nobody calls from now and that are remembered with what they used. */
enum { IDLE_MOST = 4096 };

struct callers {
	struct caller *keys; /* owned; in the order of the settings */
	size_t key_count;
	struct limit_conf anonymous;
	struct map addresses; /* of struct caller, owned, by name */
	struct list idle;     /* of struct caller, by link; the last is the latest */
	size_t idle_count;
	struct sha256_hasher *hasher;
};

static void
caller_finish(struct caller *who)
{
	assert(who->requests == 0);
	limit_destroy(&who->limit);
	list_remove(&who->link);
	free(who->name);
}

static void
open_key(struct caller *who, const struct key_settings *k, int64_t now_ms)
{
	struct limit_conf limits = {
	    .requests_per_minute = k->requests_per_minute,
	    .burst = k->burst,
	    .tokens_per_minute = k->tokens_per_minute,
	    .concurrent = k->concurrent,
	};

	*who = (struct caller){.name = mem_strdup(k->name), .key = k};
	who->limit = limit_create(&limits, now_ms);
	list_init(&who->link);
}

struct callers *
callers_create(const struct settings *s, int64_t now_ms)
{
	struct callers *c = NEW(struct callers);

	list_init(&c->idle);
	c->hasher = sha256_hasher_create();
	c->anonymous = (struct limit_conf){
	    .requests_per_minute = s->anonymous.requests_per_minute,
	    .burst = s->anonymous.burst,
	    .concurrent = s->anonymous.concurrent,
	};
	c->keys = mem_zalloc(s->key_count, sizeof(c->keys[0]));
	c->key_count = s->key_count;
	for (size_t i = 0; i < s->key_count; i++)
		open_key(&c->keys[i], &s->keys[i], now_ms);
	return c;
}

void
callers_destroy(struct callers **cp)
{
	struct callers *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->key_count; i++)
		caller_finish(&c->keys[i]);
	MAP_FOR_EACH (it, &c->addresses) {
		caller_finish(it.value);
		free(it.value);
	}
	map_finish(&c->addresses);
	sha256_hasher_destroy(&c->hasher);
	free(c->keys);
	free(c);
}

bool
callers_have_keys(const struct callers *c)
{
	return c->key_count > 0;
}

bool
callers_have_admin(const struct callers *c)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (c->keys[i].key->admin)
			return true;
	return false;
}

struct caller *
callers_find_key(struct callers *c, struct str key)
{
	struct sha256 digest = sha256_of(c->hasher, key);
	size_t found = c->key_count;

	/* Each is compared, whole, also after one was found. */
	for (size_t i = 0; i < c->key_count; i++) {
		size_t differs =
		    CRYPTO_memcmp(digest.bytes, c->keys[i].key->digest.bytes, SHA256_BYTES) != 0;

		found = found * differs + i * (1 - differs);
	}
	return found == c->key_count ? NULL : &c->keys[found];
}

static void
forget(struct callers *c, struct caller *who)
{
	map_take(&c->addresses, who->name);
	c->idle_count--;
	caller_finish(who);
	free(who);
}

struct caller *
callers_of_address(struct callers *c, const struct net *address, int64_t now_ms)
{
	struct buf name = {0};
	struct caller *who;

	if (address == NULL)
		buf_adds(&name, "unix");
	else
		net_add_client(address, &name);
	who = map_find(&c->addresses, buf_text(&name));
	if (who == NULL) {
		who = NEW(struct caller);
		who->name = mem_strdup(buf_text(&name));
		who->limit = limit_create(&c->anonymous, now_ms);
		list_init(&who->link);
		list_add_last(&c->idle, &who->link);
		c->idle_count++;
		map_put(&c->addresses, who->name, who);
	}
	buf_finish(&name);
	return who;
}

void
callers_hold(struct callers *c, struct caller *who)
{
	if (who->requests++ > 0 || who->key != NULL)
		return;
	list_remove(&who->link);
	c->idle_count--;
}

void
callers_release(struct callers *c, struct caller **wp)
{
	struct caller *who = *wp;

	*wp = NULL;
	if (who == NULL || --who->requests > 0 || who->key != NULL)
		return;
	list_add_last(&c->idle, &who->link);
	if (++c->idle_count > IDLE_MOST)
		forget(c, LIST_FIRST(&c->idle, struct caller, link));
}
