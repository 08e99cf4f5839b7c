/*
 * One struct that a table describes, while it is being filled: knows who said each
 * value, so that whoever comes last wins and every complaint has its place.
 */
#ifndef CONF_RECORD_H
#define CONF_RECORD_H

#include "report.h"
#include "table.h"

struct record {
	const struct table *table;
	struct record *parent; /* NULL: this is the root */
	size_t parent_row;
	size_t index; /* among the parent's records of that row */
	void *root_base;
	struct origin origin; /* who said that there is such a record */
	struct slot *slots;   /* owned; one a row */
};

struct slot {
	struct origin origin;
	struct record **records; /* owned, each too; of a KIND_RECORDS row */
	size_t record_count;
};

/* The struct stays the caller's; it is filled with the defaults. */
void record_init(struct record *r, const struct table *t, void *base);
void record_finish(struct record *r);
/* The struct that it fills. */
void *record_base(const struct record *r);
/* "backends[1].weight". */
void record_add_path(const struct record *r, const char *path, struct buf *out);
void record_complain(const struct record *r, const struct origin *from, const char *path,
                     struct report *report, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Each of these says `from` for the row, or complains there. */
void record_set(struct record *r, size_t row, const struct origin *from, struct str text,
                struct report *report);
/* Empties a list; items and records then come one by one. */
void record_clear_list(struct record *r, size_t row, const struct origin *from);
void record_add_item(struct record *r, size_t row, const struct origin *from, struct str text,
                     struct report *report);
void record_add_pair(struct record *r, size_t i, const struct origin *from, struct str name,
                     struct str text, struct report *report);
struct record *record_add_record(struct record *r, size_t row, const struct origin *from);
/* An item, or a record that is told by one text, its URL. */
void record_add_any(struct record *r, size_t row, const struct origin *from, struct str text,
                    struct report *report);
/* A value of any kind; a list from one text, at commas. */
void record_set_any(struct record *r, size_t row, const struct origin *from, struct str text,
                    struct report *report);

#endif
