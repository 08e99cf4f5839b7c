/*
 * An answer that comes from a node: recorded for the cache and for followers. The
 * client of the request itself is one of the readers.
 */
#include "app/share_impl.h"

#include "app/gateway.h"

enum {
	AHEAD_BYTES_MAX = 256 * 1024,
	/* Who reads as fast as anybody is never lost, however much one read of the node brings. */
	RECORDING_BYTES_LEAST = 4 * AHEAD_BYTES_MAX,
	/* A recording may be that much longer than what is kept: its chunks have heads. */
	RECORDING_SPARE_BYTES = 64 * 1024,
};

/* A client that is too slow for the others is cut; the work goes on for them. */
static void
on_more_led(struct recording_reader *reader)
{
	struct playback *p = LIST_ENTRY(reader, struct playback, reader);
	struct share *s = LIST_ENTRY(p, struct share, playback);

	if (playback_pump(p) == PLAYBACK_CUT && reader->lost) {
		share_cut_client(s, share_too_slow);
		s->headless = true;
		share_settle_later(s);
	}
}

void
share_spoil(struct request *r)
{
	if (r->share != NULL)
		r->share->spoilt = true;
}

bool
share_begin_answer(struct request *r, const struct http_head *head)
{
	struct share *s = r->share;
	size_t most = (size_t)r->config->settings.cache.max_entry;

	if (s == NULL || !s->records || head->status != 200 ||
	    http_find_header(head, "Content-Encoding").ptr != NULL)
		return false;
	s->recording = recording_create(RECORDING_SPARE_BYTES +
	                                (most > RECORDING_BYTES_LEAST ? most : RECORDING_BYTES_LEAST));
	playback_start_recording(&s->playback, r, s->recording, on_more_led);
	if (s->member.role == FLIGHT_LEADS)
		flight_begin(share_answers(s)->flights, &s->member, s->recording);
	return true;
}

void
share_add(struct request *r, struct str piece)
{
	recording_append(r->share->recording, piece);
}

void
share_flush(struct request *r)
{
	if (r->client != NULL)
		front_reply_flush_soon(r->client);
}

bool
share_is_ahead(const struct request *r)
{
	return recording_ahead_bytes(r->share->recording) > AHEAD_BYTES_MAX;
}

void
share_resume(struct request *r)
{
	if (r->client == NULL)
		return;
	playback_pump(&r->share->playback);
	front_reply_flush(r->client);
}

static void
keep(struct share *s)
{
	struct buf all = {0};
	struct answer_kept k = {
	    .transcript = {.family = s->family, .form = s->want.form},
	    .model = s->want.model,
	    .rewritten = {buf_text(&s->request->rewritten), s->request->rewritten.len},
	    .include_usage = s->want.include_usage,
	};

	if (s->spoilt || !recording_is_kept(s->recording))
		return;
	recording_copy(s->recording, &all);
	k.transcript.body = (struct str){buf_text(&all), all.len};
	if (transcript_is_complete(&k.transcript))
		answers_keep(share_answers(s), &s->key.digest, s->model, &k);
	buf_finish(&all);
}

/* Followers that read the recording end with it; those that wait for its end still find their
 * leader. Then the flight is over. */
bool
share_end_answer(struct request *r, bool whole)
{
	struct share *s = r->share;

	if (r->client == NULL)
		playback_stop(&s->playback);
	if (whole)
		keep(s);
	recording_end(s->recording, whole);
	share_leave_flight(s);
	if (!whole && r->client != NULL)
		playback_rush(&s->playback);
	recording_release(&s->recording);
	return s->playback.at_line_start;
}

bool
share_goes_on(struct request *r)
{
	struct share *s = r->share;

	if (s == NULL || s->playback.reader.recording == NULL || r->client == NULL)
		return false;
	r->work = &s->work;
	share_play(s);
	return true;
}
