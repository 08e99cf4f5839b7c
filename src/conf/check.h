/*
 * What no single value shows: defaults that follow from others, and rules between keys.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/settings.h"
#include "record.h"

/* Names and slots that nobody said. */
void check_settle(const struct record *root, struct settings *s);
/* The same for one backend. */
void check_settle_backend(struct backend_settings *b, bool slots_said);
void check_all(const struct record *root, const struct settings *s, struct report *report);

#endif
