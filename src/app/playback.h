/*
 * Bytes that are there already, or come by and by, given to a client at its own
 * pace: an answer out of the cache, or one that is being recorded.
 *
 * Owner: who embeds it, and it outlives the source of its bytes only by
 * playback_stop.
 */
#ifndef APP_PLAYBACK_H
#define APP_PLAYBACK_H

#include "base/str.h"
#include "core/recording.h"

#include <stdbool.h>

struct request;

enum playback_state {
	PLAYBACK_WAITS, /* for the client, or for what is still to come */
	PLAYBACK_OVER,
	PLAYBACK_CUT, /* what is recorded broke off, or the client was too slow for it */
};

struct playback {
	struct request *request;        /* borrowed */
	struct str rest;                /* of a text in memory */
	struct recording_reader reader; /* of a recording; unattached: it is a text */
	bool at_line_start;             /* what was sent last ended a line */
};

/* The head was sent. `text` stays until the end. */
void playback_start_text(struct playback *p, struct request *r, struct str text);
void playback_start_recording(struct playback *p, struct request *r, struct recording *rec,
                              void (*on_more)(struct recording_reader *r));
/* Hands over what the client can take. */
enum playback_state playback_pump(struct playback *p);
/* Hands over all there is, however slow the client is: the rest before an end. */
void playback_rush(struct playback *p);
void playback_stop(struct playback *p);

#endif
