/*
 * Durations and sizes as people write them.
 *
 * A duration: a whole number and one of ms s m h d (500ms, 90s, 400d), or 0.
 * A size: a whole number, alone or with B KB MB GB TB (powers of 1000) or KiB
 * MiB GiB TiB (powers of 1024). Both refuse signs, fractions and overflow.
 */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

bool unit_parse_duration_ms(struct str text, int64_t *out_ms);
bool unit_parse_size_bytes(struct str text, int64_t *out_bytes);
/* As Go's time.ParseDuration reads it, which Ollama uses for keep_alive: a sign, then
 * decimals with ns us ms s m h one after another ("1h30m", "-1s", "1.5h"), or "0". */
bool unit_parse_go_duration_ns(struct str text, int64_t *out_ns);
/* How long a model stays loaded: as Ollama takes keep_alive (a duration of Go, or whole seconds),
 * or as we write durations. In whole seconds; -1: for ever. Refuses less than a second. */
bool unit_parse_keep_alive_s(struct str text, int64_t *out_s);
/* The shortest way to write it so that it reads back the same: 90000 -> "90s". */
void unit_add_duration_ms(struct buf *out, int64_t ms);

/* As Go writes a duration, and OpenAI the time until a limit is reset: 20ms, 1.5s, 6m0s, 1h0m0s. */
void unit_add_go_duration_ms(struct buf *out, int64_t ms);

#endif
