/*
 * The settings table: one row for each key, and everything else follows it (file,
 * environment, command line, help, checks, the view of what is in force).
 *
 * A table describes one C struct. The root table describes struct settings; a row of
 * KIND_RECORDS holds a list of structs that a table of its own describes.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
	KIND_DURATION, /* int64_t, milliseconds */
	KIND_SIZE,     /* int64_t, bytes */
	KIND_INTEGER,  /* int64_t */
	KIND_RATIO,    /* int64_t, percent; 0 to 1 in text */
	KIND_BOOL,     /* bool */
	KIND_WORD,     /* an enum: the place among `words` is its value */
	KIND_TEXT,     /* char *, owned, or NULL */
	KIND_TEXTS,    /* struct text_list */
	KIND_PAIRS,    /* struct text_map; only in the root table */
	KIND_RECORDS,  /* a pointer to an array, and its length at `count_offset` */
};

/* Whether the text can stand; if not, `why` says what would ("is no URL; ..."). */
typedef bool (*text_check)(struct str text, struct buf *why);

struct row {
	const char *path; /* "queue.size" */
	enum kind kind;
	bool secret;         /* never shown */
	bool reloadable;     /* false: only a restart changes it */
	size_t offset;       /* in the struct that the table describes */
	const char *initial; /* the default as text, lists with commas; NULL: none */
	const char *help;
	int64_t least, most;      /* of a number; of a list its length is at most `most` */
	const char *const *words; /* ends with NULL */
	text_check check;         /* of a text, of each text in a list, of names and values of pairs */
	const char *option;       /* its option, "--listen"; NULL: none */
	const char *argument;     /* the option's argument in the help */
	const char *ollama;       /* Ollama's variable that counts when nothing else is said */
	size_t count_offset;
	const struct table *of; /* of KIND_RECORDS */
};

#define NO_SINGLE_ROW SIZE_MAX

struct table {
	const struct row *rows;
	size_t count;
	size_t size;       /* of the struct */
	size_t single_row; /* that a record given as one text sets: its URL; or NO_SINGLE_ROW */
};

extern const struct table settings_table;

/* The row's index, or -1. */
int table_find(const struct table *t, const char *path);
/* Whether `path` is a group of keys, as "queue" is. */
bool table_has_group(const struct table *t, const char *path);
/* KIND_TEXTS, KIND_PAIRS or KIND_RECORDS. */
bool table_is_list(const struct row *row);
/* Adds "; did you mean queue.size?" where a key is near. */
void table_add_suggestion(const struct table *t, const char *path, struct buf *out);
/* DROVER_QUEUE_SIZE of "queue.size". */
void table_add_variable(const char *path, struct buf *out);

#endif
