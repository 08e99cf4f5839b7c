/* Keys and what goes with them. */
#include "check_keys.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BURSTS_A_MINUTE = 6 };

static const struct slot *
slot_of(const struct record *r, const char *path)
{
	int row = table_find(r->table, path);

	if (row < 0)
		abort();
	return &r->slots[row];
}

static bool
is_said(const struct record *r, const char *path)
{
	return slot_of(r, path)->origin.source != FROM_DEFAULT;
}

static void
complain(const struct record *r, const char *path, struct report *report, const char *why)
{
	record_complain(r, &slot_of(r, path)->origin, path, report, "%s", why);
}

/* ---- defaults that follow from others ---- */

static int64_t
usual_burst(int64_t requests_per_minute)
{
	int64_t burst = requests_per_minute / BURSTS_A_MINUTE;

	return requests_per_minute > 0 && burst == 0 ? 1 : burst;
}

static unsigned char
hex_value(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void
settle_digest(struct key_settings *k, struct sha256_hasher *hasher)
{
	if (k->key != NULL)
		k->digest = sha256_of(hasher, str_of(k->key));
	else if (k->key_sha256 != NULL)
		for (size_t i = 0; i < SHA256_BYTES; i++)
			k->digest.bytes[i] = (unsigned char)(hex_value(k->key_sha256[2 * i]) << 4 |
			                                     hex_value(k->key_sha256[2 * i + 1]));
}

void
check_keys_settle(const struct record *root, struct settings *s)
{
	struct sha256_hasher *hasher = sha256_hasher_create();
	const struct slot *keys = slot_of(root, "keys");

	for (size_t i = 0; i < s->key_count; i++) {
		settle_digest(&s->keys[i], hasher);
		if (!is_said(keys->records[i], "burst"))
			s->keys[i].burst = usual_burst(s->keys[i].requests_per_minute);
	}
	if (!is_said(root, "anonymous.burst"))
		s->anonymous.burst = usual_burst(s->anonymous.requests_per_minute);
	sha256_hasher_destroy(&hasher);
}

/* ---- rules between them ---- */

static void
check_alone(const struct record *r, const struct key_settings *k, struct report *report)
{
	if (k->name == NULL)
		record_complain(r, &r->origin, "", report, "name is missing; a key needs one");
	if (k->key == NULL && k->key_sha256 == NULL)
		record_complain(r, &r->origin, "", report, "key_sha256 is missing; drover key prints one");
	if (k->key != NULL && k->key_sha256 != NULL)
		complain(r, "key_sha256", report, "only one of key and key_sha256 can be given");
	if (k->burst > 0 && k->requests_per_minute == 0)
		complain(r, "burst", report, "only counts with requests_per_minute");
}

/* Whoever had that text before, from 1; 0: nobody, and `i` has it from now on. There may be many
 * thousands of keys. */
static size_t
first_with(struct map *seen, const char *text, size_t i)
{
	size_t first = (size_t)(uintptr_t)map_find(seen, text);

	if (first == 0)
		map_put(seen, text,
		        (void *)(uintptr_t)(i + 1)); // NOLINT(performance-no-int-to-ptr): a number
	return first;
}

static void
check_against_others(const struct slot *slot, const struct settings *s, struct report *report)
{
	struct map names = {0}, digests = {0};

	for (size_t i = 0; i < s->key_count; i++) {
		const struct record *r = slot->records[i];
		const struct key_settings *k = &s->keys[i];
		char hex[SHA256_HEX_SIZE];
		size_t named, same;

		sha256_write_hex(&k->digest, hex);
		named = first_with(&names, k->name, i);
		same = first_with(&digests, hex, i);
		if (named > 0)
			record_complain(r, &slot_of(r, "name")->origin, "name", report,
			                "\"%s\" is the name of keys[%zu] too", k->name, named - 1);
		if (same > 0 && same != named)
			record_complain(r, &r->origin, "", report, "is the same key as keys[%zu]", same - 1);
	}
	map_finish(&names);
	map_finish(&digests);
}

static void
check_anonymous(const struct record *root, const struct settings *s, struct report *report)
{
	/* A burst that nobody said came of the other. */
	const struct {
		const char *path;
		int64_t value;
	} limits[] = {
	    {"anonymous.requests_per_minute", s->anonymous.requests_per_minute},
	    {"anonymous.burst", is_said(root, "anonymous.burst") ? s->anonymous.burst : 0},
	    {"anonymous.concurrent", s->anonymous.concurrent},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (s->key_count > 0 && limits[i].value > 0)
			complain(root, limits[i].path, report, "only counts where there are no keys");
	if (s->anonymous.burst > 0 && s->anonymous.requests_per_minute == 0)
		complain(root, "anonymous.burst", report, "only counts with anonymous.requests_per_minute");
}

void
check_keys(const struct record *root, const struct settings *s, struct report *report)
{
	const struct slot *keys = slot_of(root, "keys");

	for (size_t i = 0; i < s->key_count; i++)
		check_alone(keys->records[i], &s->keys[i], report);
	/* Those without a name or a key would all look the same. */
	if (report->count == 0)
		check_against_others(keys, s, report);
	check_anonymous(root, s, report);
}

void
check_aliases(const struct record *root, const struct settings *s, struct report *report)
{
	const struct text_pair *items = s->aliases.items;

	for (size_t i = 0; i < s->aliases.count; i++)
		for (size_t j = 0; j < s->aliases.count; j++)
			if (strcasecmp(items[i].value, items[j].name) == 0)
				record_complain(
				    root, &slot_of(root, "aliases")->origin, "aliases", report,
				    "\"%s\" stands for \"%s\", which is an alias itself; name the model",
				    items[i].name, items[i].value);
}
