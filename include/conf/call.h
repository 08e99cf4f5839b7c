/*
 * How the program was called: what it shall do, and all that the configuration says for it.
 */
#ifndef CONF_CALL_H
#define CONF_CALL_H

#include "conf/settings.h"

enum settings_command {
	COMMAND_SERVE,
	COMMAND_CHECK,
	COMMAND_KEY,
	COMMAND_WARM,
	COMMAND_USAGE,
	COMMAND_TOP,
	COMMAND_HELP,
	COMMAND_VERSION
};

/* What the command line asks for. */
struct settings_call {
	enum settings_command command;
	struct settings settings; /* of serve and check; else all zero */
	const char *key_name;     /* of COMMAND_KEY; points into argv */
	/* Of the commands that ask a running drover; borrowed from argv and the environment: */
	const char *admin;        /* where its admin API is: an address, or a URL */
	const char *admin_key;    /* $DROVER_ADMIN_KEY, where that needs one; NULL: not set */
	const char *const *words; /* what stands behind the command */
	size_t word_count;
	const char *prompts;  /* of COMMAND_WARM: the list to ask; NULL: load `words` */
	const char *url;      /* where clients come in */
	const char *key;      /* $DROVER_KEY, for that; NULL: not set */
	const char *usage_by; /* of COMMAND_USAGE, as the admin API takes them */
	const char *usage_since;
	int64_t interval_ms; /* of COMMAND_TOP; 0: not given */
	bool once;           /* the same */
};

/* Reads everything; `environment` is the process's. On failure returns the exit status (1: bad
 * configuration, 2: wrong usage) and `why` has one message a line, each "FILE:LINE:COL: key.path:
 * what is wrong and what would be right" (or the variable's or option's name for FILE:LINE:COL);
 * 0: `out` is filled and the caller finishes it. */
int settings_load(int argc, char **argv, char **environment, struct settings_call *out,
                  struct buf *why);
/* `drover --help`, from the table. */
void settings_add_help(struct buf *out);

#endif
