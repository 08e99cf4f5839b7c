/*
 * The command line: what to do, and the settings that it overrules.
 */
#ifndef CONF_COMMAND_LINE_H
#define CONF_COMMAND_LINE_H

#include "base/buf.h"
#include "conf/call.h"
#include "record.h"

#include <stdbool.h>

struct given {
	size_t row;        /* of settings_table */
	const char *value; /* borrowed */
};

struct command_line {
	enum settings_command command;
	const char *key_name; /* of COMMAND_KEY; borrowed */
	const char *usage_by; /* these two of COMMAND_USAGE; borrowed; NULL: not said */
	const char *usage_since;
	int64_t interval_ms; /* these two of COMMAND_TOP; 0: not said */
	bool once;
	const char *prompts; /* these two of COMMAND_WARM; borrowed; NULL: not said */
	const char *url;
	bool demo;
	const char *const *words; /* behind the command, borrowed */
	size_t word_count;
	const char *file;     /* of -c, borrowed; NULL: none */
	struct given *givens; /* owned; in their order */
	size_t given_count;
};

/* False: wrong usage, and `why` says what. command_line_finish is needed also then. */
bool command_line_parse(struct command_line *c, int argc, char **argv, struct buf *why);
/* What was given for a key last; NULL: nothing. */
const char *command_line_given(const struct command_line *c, const char *path);
void command_line_finish(struct command_line *c);
void command_line_apply(const struct command_line *c, struct record *root, struct report *report);

#endif
