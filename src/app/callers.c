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
	struct caller **keys; /* owned, each too; in the order of the settings */
	size_t key_count;
	struct limit_conf anonymous;
	struct map addresses; /* of struct caller, owned, by name */
	struct list idle;     /* of struct caller, by link; the last is the latest */
	size_t idle_count;
	struct list removed; /* of struct caller, owned, by link: keys that requests still hold */
	struct sha256_hasher *hasher;
};

static void
caller_destroy(struct caller *who)
{
	assert(who->requests == 0);
	limit_destroy(&who->limit);
	list_remove(&who->link);
	config_release(&who->config);
	free(who->name);
	free(who);
}

static struct limit_conf
limits_of(const struct key_settings *k)
{
	return (struct limit_conf){
	    .requests_per_minute = k->requests_per_minute,
	    .burst = k->burst,
	    .tokens_per_minute = k->tokens_per_minute,
	    .concurrent = k->concurrent,
	};
}

static struct caller *
caller_create(const char *name, const struct limit_conf *limits, int64_t now_ms)
{
	struct caller *who = NEW(struct caller);

	who->name = mem_strdup(name);
	who->limit = limit_create(limits, now_ms);
	list_init(&who->link);
	return who;
}

/* --- keys come and go --- */

/* `who`: the one of this name that there is; NULL: none. */
static struct caller *
open_key(struct caller *who, struct config *config, const struct key_settings *k, int64_t now_ms)
{
	struct limit_conf limits = limits_of(k);

	if (who == NULL)
		who = caller_create(k->name, &limits, now_ms);
	else
		limit_reshape(who->limit, &limits, now_ms);
	config_release(&who->config);
	who->config = config_hold(config);
	who->key = k;
	who->removed = false;
	list_remove(&who->link);
	return who;
}

/* Its requests end as they began. */
static void
remove_key(struct callers *c, struct caller *who)
{
	if (who->removed)
		return;
	who->removed = true;
	if (who->requests == 0)
		caller_destroy(who);
	else
		list_add_last(&c->removed, &who->link);
}

static struct map
known_keys(const struct callers *c)
{
	struct map known = {0};
	struct caller *who;

	for (size_t i = 0; i < c->key_count; i++)
		map_put(&known, c->keys[i]->name, c->keys[i]);
	LIST_FOR_EACH (who, &c->removed, struct caller, link)
		map_put(&known, who->name, who);
	return known;
}

static void
apply_keys(struct callers *c, struct config *config, int64_t now_ms)
{
	const struct settings *s = &config->settings;
	struct caller **keys = mem_zalloc(s->key_count, sizeof(keys[0]));
	struct map known = known_keys(c);

	for (size_t i = 0; i < s->key_count; i++) {
		const struct key_settings *k = &s->keys[i];

		keys[i] = open_key(map_take(&known, k->name), config, k, now_ms);
	}
	MAP_FOR_EACH (it, &known)
		remove_key(c, it.value);
	map_finish(&known);
	free(c->keys);
	c->keys = keys;
	c->key_count = s->key_count;
}

void
callers_apply(struct callers *c, struct config *config, int64_t now_ms)
{
	const struct settings *s = &config->settings;

	apply_keys(c, config, now_ms);
	c->anonymous = (struct limit_conf){
	    .requests_per_minute = s->anonymous.requests_per_minute,
	    .burst = s->anonymous.burst,
	    .concurrent = s->anonymous.concurrent,
	};
	MAP_FOR_EACH (it, &c->addresses)
		limit_reshape(((struct caller *)it.value)->limit, &c->anonymous, now_ms);
}

struct callers *
callers_create(struct config *config, int64_t now_ms)
{
	struct callers *c = NEW(struct callers);

	list_init(&c->idle);
	list_init(&c->removed);
	c->hasher = sha256_hasher_create();
	callers_apply(c, config, now_ms);
	return c;
}

void
callers_destroy(struct callers **cp)
{
	struct callers *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	assert(list_empty(&c->removed));
	for (size_t i = 0; i < c->key_count; i++)
		caller_destroy(c->keys[i]);
	MAP_FOR_EACH (it, &c->addresses)
		caller_destroy(it.value);
	map_finish(&c->addresses);
	sha256_hasher_destroy(&c->hasher);
	free(c->keys);
	free(c);
}

/* --- who calls --- */

void
callers_each(const struct callers *c, void (*fn)(struct caller *who, void *arg), void *arg)
{
	for (size_t i = 0; i < c->key_count; i++)
		fn(c->keys[i], arg);
	MAP_FOR_EACH (it, &c->addresses)
		fn(it.value, arg);
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
		if (c->keys[i]->key->admin)
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
		    CRYPTO_memcmp(digest.bytes, c->keys[i]->key->digest.bytes, SHA256_BYTES) != 0;

		found = found * differs + i * (1 - differs);
	}
	return found == c->key_count ? NULL : c->keys[found];
}

static void
forget(struct callers *c, struct caller *who)
{
	assert(who != NULL);
	map_take(&c->addresses, who->name);
	c->idle_count--;
	caller_destroy(who);
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
		who = caller_create(buf_text(&name), &c->anonymous, now_ms);
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

/* Nobody calls from there now. */
static void
rest(struct callers *c, struct caller *who)
{
	list_add_last(&c->idle, &who->link);
	if (++c->idle_count > IDLE_MOST)
		forget(c, LIST_FIRST(&c->idle, struct caller, link));
}

void
callers_release(struct callers *c, struct caller **wp)
{
	struct caller *who = *wp;

	*wp = NULL;
	if (who == NULL || --who->requests > 0)
		return;
	if (who->removed)
		caller_destroy(who);
	else if (who->key == NULL)
		rest(c, who);
}
