/*
 * The configuration in force: one table (src/conf/table.c) gives each key its
 * path, kind, default, range, environment name, help and whether a reload may
 * change it. File, environment, command line, `--help`, the sample file and the
 * checks come from it.
 *
 * Order: defaults < file < environment < command line. A key that is unknown, of
 * the wrong type or out of range is an error that names file, line, column and
 * key path.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "base/buf.h"
#include "base/log.h"
#include "conf/records.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum manage_rule { MANAGE_ADMIN, MANAGE_ALL, MANAGE_NONE };
enum cache_scope { CACHE_SCOPE_SHARED, CACHE_SCOPE_KEY };

struct settings {
	struct text_list listen;
	char *admin; /* an address, or "off" */
	char *state; /* a folder, or "none"; NULL: where the system keeps such things */
	struct {
		char *cert; /* a file; NULL, like the key: where clients come in is no TLS */
		char *key;
	} tls;
	int64_t max_body; /* bytes */
	int64_t max_connections;
	int64_t drain; /* ms, as all durations */
	enum manage_rule manage;
	struct text_list hosts;        /* empty: Ollama's rule */
	struct text_list cors_origins; /* all of them (Ollama's own by default); empty: none */

	struct backend_settings *backends; /* owned; at least one, unless `demo` */
	size_t backend_count;
	char *keep_alive;              /* of models that the gateway loads; NULL: the node's own */
	struct model_settings *models; /* owned; the first that matches counts */
	size_t model_count;
	struct key_settings *keys; /* owned; none: everybody may */
	size_t key_count;
	struct {
		int64_t requests_per_minute;
		int64_t burst;
		int64_t concurrent;
	} anonymous;                      /* of an address, where there are no keys; 0: no bound */
	struct text_map aliases;          /* names of models, to what they stand for */
	struct text_list trusted_proxies; /* addresses and networks, or "unix:" */
	bool demo; /* no backend is configured: the caller adds its simulated ones */

	struct {
		int64_t size;
		int64_t per_key; /* 0: no bound */
		int64_t max_wait;
		int64_t aging;
		int64_t heartbeat; /* 0: none */
	} queue;
	struct {
		int64_t connect;
		int64_t load;
		int64_t first_byte;
		int64_t idle;
		int64_t client_head;
		int64_t client_body;
		int64_t client_idle;
		int64_t client_write;
	} timeouts;
	struct {
		int64_t attempts;
		int64_t budget_percent; /* "0.1" in the file */
	} retry;
	struct {
		int64_t interval;
		int64_t timeout;
		int64_t down_after;
		int64_t up_after;
	} health;
	struct {
		int64_t failures;
		int64_t window;
		int64_t open;
		int64_t max_open;
	} breaker;
	struct {
		enum cache_mode mode;
		int64_t ttl;
		int64_t stale;
		int64_t entries;
		int64_t memory;
		int64_t max_entry;
		enum cache_scope scope;
		bool join;
		bool charge; /* its answers count as tokens */
	} cache;
	struct {
		int64_t keep;
	} usage;
	struct {
		enum log_level level;
		enum log_format format;
		char *access; /* "stdout", "off", or a file (with a slash in it) */
		int64_t slow; /* 0: none is slow */
	} log;

	char *file; /* that was read; NULL: none */
};

void settings_finish(struct settings *s);
/* Whether anybody must show a key at the admin API. */
bool settings_have_admin_key(const struct settings *s);
/* One backend more, with the defaults for what is not said here. */
void settings_add_backend(struct settings *s, const char *name, const char *url);
/* The whole configuration in force as YAML, secrets masked. */
void settings_add_yaml(const struct settings *s, struct buf *out);
/* Adds what differs, a line a key: "queue.size: 512 -> 100", "keys: +bob, -carol", and of a secret
 * that it changed. Nothing: they are the same. */
void settings_add_changes(const struct settings *before, const struct settings *after,
                          struct buf *out);
/* The same, of the keys alone that only a restart can change. */
void settings_add_fixed_changes(const struct settings *before, const struct settings *after,
                                struct buf *out);

#endif
