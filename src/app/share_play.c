/*
 * Answers that are given to a client: out of the cache, or after the recording that
 * another request leads.
 *
 * A follower that wants what the leader wants reads along; one that wants another
 * form, or another name of the model, attaches as well but reads nothing until the
 * recording has ended.
 */
#include "app/share_impl.h"

#include "app/gateway.h"
#include "base/clock.h"

#include <string.h>

/* --- playing --- */

static bool
has_begun(const struct share *s)
{
	return s->request->first_byte_ms != 0;
}

static void
send_head(struct share *s, const char *cache, int64_t age_ms, struct str rewritten, int64_t length)
{
	struct request *r = s->request;
	struct buf *headers = &r->gateway->header_lines;
	struct front_head head = {.status = 200, .length = length};

	heartbeat_stop(&s->heartbeat);
	r->first_byte_ms = clock_now_ms();
	if (r->in_stream)
		return;
	buf_clear(headers);
	buf_adds(headers, "Content-Type: ");
	buf_adds(headers, transcript_content_type(s->family, s->want.form));
	buf_adds(headers, "\r\n");
	request_add_headers(r, headers);
	r->cache = cache;
	buf_adds(headers, "X-Drover-Cache: ");
	buf_adds(headers, cache);
	if (age_ms >= 0) {
		buf_adds(headers, "\r\nAge: ");
		buf_add_int(headers, age_ms / 1000);
	}
	buf_adds(headers, "\r\n");
	if (rewritten.len > 0)
		buf_addf(headers, "X-Drover-Rewrite: %.*s\r\n", STR_ARG(rewritten));
	head.headers = (struct str){headers->data, headers->len};
	r->status = 200;
	front_reply_head(r->client, &head);
}

const char share_too_slow[] = "the client is too slow for an answer that others share";

void
share_cut_client(struct share *s, const char *why)
{
	struct request *r = s->request;
	const char *type = transcript_content_type(s->family, s->want.form);

	request_cut(r, stream_form_of(str_of(type)), s->playback.at_line_start, 502, why);
	playback_stop(&s->playback);
}

void
share_play(struct share *s)
{
	struct request *r = s->request;

	switch (playback_pump(&s->playback)) {
	case PLAYBACK_WAITS: front_reply_flush(r->client); return;
	case PLAYBACK_OVER:
		r->work = NULL;
		request_end(r, JOB_DONE);
		return;
	case PLAYBACK_CUT: break;
	}
	r->work = NULL;
	playback_rush(&s->playback);
	share_cut_client(s, s->playback.reader.lost ? share_too_slow : "the answer broke off");
	request_end(r, JOB_BACKEND_ERROR);
}

static void
play_text(struct share *s, struct str text, const char *cache, int64_t age_ms, struct str rewritten)
{
	struct request *r = s->request;

	r->work = &s->work;
	request_drop_body(r);
	send_head(s, cache, age_ms, rewritten,
	          s->want.form == TRANSCRIPT_WHOLE ? (int64_t)text.len : -1);
	playback_start_text(&s->playback, r, text);
	share_play(s);
}

/* Whether it can be sent as it is. */
static bool
fits(const struct share *s, enum transcript_form form, struct str model, bool include_usage)
{
	bool counts = form == TRANSCRIPT_STREAM &&
	              (s->family == ANSWER_OPENAI_CHAT || s->family == ANSWER_OPENAI_COMPLETION);

	return form == s->want.form && model.len == s->want.model.len &&
	       memcmp(model.ptr, s->want.model.ptr, model.len) == 0 &&
	       (!counts || include_usage == s->want.include_usage);
}

/* An answer out of the cache counts as if a node had given it, where that is wanted. */
static void
charge(struct request *r, const struct transcript *t)
{
	const char *type = transcript_content_type(t->family, t->form);
	struct usage_reader u;

	if (!r->config->settings.cache.charge)
		return;
	usage_init(&u);
	usage_add(&u, t->body);
	r->usage_known = usage_read(&u, r->dialect, stream_form_of(str_of(type)), &r->usage);
}

/* False: the entry cannot be given in the wanted form. */
bool
share_play_entry(struct share *s, const struct answer_kept *k, const char *cache)
{
	int64_t age_ms = cache_entry_age_ms(s->entry, clock_now_ms());
	const struct transcript *t = &k->transcript;
	struct str text = t->body;

	if (!fits(s, t->form, k->model, k->include_usage)) {
		if (!transcript_write(t, &s->want, &s->converted)) {
			buf_clear(&s->converted);
			return false;
		}
		text = (struct str){s->converted.data, s->converted.len};
	}
	charge(s->request, t);
	play_text(s, text, cache, age_ms, k->rewritten);
	return true;
}

/* --- following --- */

/* The leader's answer is of no use: it runs by itself. */
static void
run_alone(struct share *s)
{
	playback_stop(&s->playback);
	share_leave_flight(s);
	share_settle_later(s);
}

/* It waits for all of the answer, to make its own of it. */
static void
on_more_converting(struct recording_reader *reader)
{
	struct playback *p = LIST_ENTRY(reader, struct playback, reader);
	struct share *s = LIST_ENTRY(p, struct share, playback);
	struct recording *rec = reader->recording;
	struct transcript t = {.family = s->family, .form = s->source};
	struct buf all = {0};
	bool ok = recording_state(rec) == RECORDING_WHOLE && recording_is_kept(rec);

	if (recording_state(rec) == RECORDING_OPEN && recording_is_kept(rec))
		return;
	if (ok)
		recording_copy(rec, &all);
	t.body = (struct str){buf_text(&all), all.len};
	ok = ok && transcript_is_complete(&t) && transcript_write(&t, &s->want, &s->converted);
	buf_finish(&all);
	if (!ok) {
		buf_clear(&s->converted);
		run_alone(s);
		return;
	}
	playback_stop(&s->playback);
	share_leave_flight(s);
	play_text(s, (struct str){s->converted.data, s->converted.len}, "joined", -1,
	          (struct str){buf_text(&s->rewritten), s->rewritten.len});
}

static void
on_more_live(struct recording_reader *reader)
{
	struct playback *p = LIST_ENTRY(reader, struct playback, reader);

	share_play(LIST_ENTRY(p, struct share, playback));
}

void
share_on_begin(struct flight_member *m, struct recording *rec)
{
	struct share *s = share_of(m), *leader = share_of(flight_leader(m));
	const struct transcript_want *w = &leader->want;

	s->source = w->form;
	buf_add(&s->rewritten, leader->request->rewritten.data, leader->request->rewritten.len);
	if (!fits(s, w->form, w->model, w->include_usage)) {
		playback_start_recording(&s->playback, s->request, rec, on_more_converting);
		return;
	}
	request_drop_body(s->request);
	send_head(s, "joined", -1, (struct str){buf_text(&s->rewritten), s->rewritten.len}, -1);
	playback_start_recording(&s->playback, s->request, rec, on_more_live);
	share_play(s);
}

static void
abandon(struct work *w)
{
	/* The request ends next, and drops the share. */
	playback_stop(&((struct share *)w)->playback);
}

static void
drained(struct work *w)
{
	struct share *s = (struct share *)w;
	struct flight_member *leader = flight_leader(&s->member);
	struct request *led = leader == NULL ? NULL : share_of(leader)->request;

	if (!has_begun(s))
		return;
	share_play(s); /* may free it */
	if (led != NULL && led->work != NULL)
		led->work->ops->drained(led->work);
}

static void
describe(const struct work *w, struct buf *json)
{
	const struct share *s = (const struct share *)w;

	buf_addf(
	    json,
	    "\"state\":\"%s\",\"class\":null,\"position\":null,\"eta_ms\":null,\"loading_on\":null,"
	    "\"waited_ms\":%lld",
	    s->member.role == FLIGHT_FOLLOWS && !has_begun(s) ? "joined" : "running",
	    (long long)(clock_now_ms() - s->request->began_ms));
}

/* Who follows sees what comes to its leader. */
static int64_t
tokens(const struct work *w)
{
	const struct share *s = (const struct share *)w;
	struct flight_member *leader = flight_leader(&s->member);

	return leader == NULL || leader == &s->member || !has_begun(s)
	           ? -1
	           : request_tokens(share_of(leader)->request);
}

const struct work_ops share_work_ops = {
    .abandon = abandon,
    .drained = drained,
    .describe = describe,
    .tokens = tokens,
};
