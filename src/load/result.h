/*
 * What a run prints: the table for people, and JSON for programs.
 */
#ifndef LOAD_RESULT_H
#define LOAD_RESULT_H

#include "compare.h"
#include "tally.h"

#include "base/buf.h"

/* Whether it could be written now: better known before a run than after it. NULL: nothing shall be.
 */
bool result_may_write(const char *path, struct buf *why);
/* False: `why` says why it could not be written. */
bool result_write_file(const char *path, const struct buf *text, struct buf *why);
/* What was run, in words: "generate, streamed; closed loop, 8 at once". */
void result_add_what(struct buf *out, const struct plan *plan);
/* "under 100 ms", "100-500 ms": the step of the distribution. */
void result_add_step(struct buf *out, int64_t from_us, int64_t to_us);
/* The first step of the distribution that is worth a row of its own. */
size_t result_first_step(const struct figures *f);
/* Whether this program itself was the limit: a sentence, or NULL where all is well. */
const char *result_own_limit(const struct tally *t);

/* `other` may be NULL: nothing to compare with. */
void result_add_table(struct buf *out, const struct tally *t, const char *url,
                      const struct comparison *other);
void result_add_json(struct buf *out, const struct tally *t, const char *url,
                     const struct comparison *other);

#endif
