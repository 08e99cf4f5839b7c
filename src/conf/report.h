/*
 * What is wrong with the configuration: all that was found, one message a line, each
 * with the place that said it.
 */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Who said a value. Later ones overrule earlier ones, Ollama's variables aside: they count
 * where nobody else said anything. */
enum source { FROM_DEFAULT, FROM_OLLAMA, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct origin {
	enum source source;
	const char *name; /* borrowed: a file, a variable, an option */
	int line;         /* from 1; 0: no place in a file */
	int column;
};

struct complaint;

struct report {
	struct complaint *items; /* owned */
	size_t count;
};

void report_finish(struct report *r);
/* "ORIGIN: PATH: MESSAGE"; an empty path is left out. */
void report_add(struct report *r, const struct origin *from, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* All of them, those of a file in its order; a very long list is cut short. */
void report_write(struct report *r, struct buf *out);

#endif
