/*
 * Keys and what goes with them: defaults that follow from others, and rules between
 * them.
 */
#ifndef CONF_CHECK_KEYS_H
#define CONF_CHECK_KEYS_H

#include "conf/settings.h"
#include "record.h"

/* Digests of the keys, and bursts that nobody said. */
void check_keys_settle(const struct record *root, struct settings *s);
void check_keys(const struct record *root, const struct settings *s, struct report *report);
void check_aliases(const struct record *root, const struct settings *s, struct report *report);

#endif
