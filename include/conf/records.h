/*
 * What stands in the configuration's lists: nodes, rules for models, keys. The
 * settings own them, and each text in them.
 */
#ifndef CONF_RECORDS_H
#define CONF_RECORDS_H

#include "base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum priority { PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_LOW };

/* Inherit: of a rule for models, as of all. */
enum cache_mode { CACHE_MODE_DETERMINISTIC, CACHE_MODE_ALL, CACHE_MODE_OFF, CACHE_MODE_INHERIT };

struct text_list {
	char **items; /* owned, each too */
	size_t count;
};

struct text_pair {
	char *name;  /* owned */
	char *value; /* owned */
};

struct text_map {
	struct text_pair *items; /* owned */
	size_t count;
};

struct backend_settings {
	char *name; /* host:port of url when left out */
	char *url;
	int64_t weight;
	int64_t parallel;
	int64_t max_loaded;
	int64_t slots; /* parallel x max_loaded when left out */
	struct text_list models;
	char *api_key; /* NULL: none */
	char *tls_ca;  /* NULL: the system's */
	bool tls_verify;
};

/* A rule for models; what is 0, NULL or empty changes nothing. */
struct model_settings {
	char *match;      /* a glob over names */
	char *keep_alive; /* unit_parse_keep_alive_s reads it */
	struct {
		bool at_start;
		int64_t every;
		struct text_list backends; /* their names; empty: one of those that have it */
	} warm;
	int64_t load; /* timeouts.load */
	struct {
		int64_t usual; /* "default" in the file */
		int64_t most;  /* "max" */
	} num_predict;
	struct {
		int64_t usual;
		int64_t most;
		bool unify;
	} num_ctx;
	struct text_list fallback;
	enum cache_mode cache;
};

/* Who may use the gateway. */
struct key_settings {
	char *name;
	char *key;            /* NULL: only its digest was told */
	char *key_sha256;     /* NULL: the key itself was told */
	struct sha256 digest; /* of the key, in either case */
	enum priority priority;
	int64_t weight;
	int64_t requests_per_minute; /* 0: no bound, as for those below */
	int64_t burst;
	int64_t tokens_per_minute;
	int64_t concurrent;
	struct text_list models; /* globs; empty: all */
	bool admin;
};

#endif
