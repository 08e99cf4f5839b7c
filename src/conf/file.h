/*
 * The configuration file: YAML of at most 1 MiB, into a record.
 */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "base/str.h"
#include "record.h"

#include <stdbool.h>

/* Reads a whole file. False: `report` says why, in the name of `asked_by` (an option or a
 * variable); a file that is not there is no complaint when nobody asked. */
bool file_read(const char *path, const struct origin *asked_by, struct buf *out,
               struct report *report);
/* Sets what the text says; `name` is the file in complaints, and must outlive the record. */
void file_apply(struct record *root, struct str text, const char *name, char *const *environment,
                struct report *report);

#endif
