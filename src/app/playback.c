/* Bytes to a client at its own pace. */
#include "app/playback.h"

#include "app/request.h"

/* Between two looks at whether the client keeps up. */
enum { STEP_BYTES = 64 * 1024 };

void
playback_start_text(struct playback *p, struct request *r, struct str text)
{
	*p = (struct playback){.request = r, .rest = text, .at_line_start = true};
	list_init(&p->reader.link);
}

void
playback_start_recording(struct playback *p, struct request *r, struct recording *rec,
                         void (*on_more)(struct recording_reader *r))
{
	*p = (struct playback){.request = r, .at_line_start = true};
	recording_attach(rec, &p->reader, on_more);
}

/* What comes next, not more than a step. */
static struct str
peek(const struct playback *p)
{
	struct str s = p->reader.recording == NULL ? p->rest : recording_peek(&p->reader);

	return s.len > STEP_BYTES ? (struct str){s.ptr, STEP_BYTES} : s;
}

static void
send_step(struct playback *p, struct str s)
{
	p->at_line_start = s.ptr[s.len - 1] == '\n';
	p->request->bytes_out += s.len;
	front_reply_body(p->request->client, s);
	if (p->reader.recording == NULL)
		p->rest = (struct str){p->rest.ptr + s.len, p->rest.len - s.len};
	else
		recording_skip(&p->reader, s.len);
}

static enum playback_state
state_of(const struct playback *p)
{
	if (p->reader.recording == NULL)
		return p->rest.len == 0 ? PLAYBACK_OVER : PLAYBACK_WAITS;
	if (!recording_is_over(&p->reader))
		return PLAYBACK_WAITS;
	return p->reader.lost || recording_state(p->reader.recording) == RECORDING_CUT ? PLAYBACK_CUT
	                                                                               : PLAYBACK_OVER;
}

/* The last bytes are not flushed: the end of the answer, or the flush of who writes the recording,
 * takes them along. */
enum playback_state
playback_pump(struct playback *p)
{
	struct front_req *client = p->request->client;
	struct str s;

	while (!front_reply_is_full(client) && (s = peek(p)).len > 0) {
		send_step(p, s);
		if (peek(p).len > 0)
			front_reply_flush(client);
	}
	return state_of(p);
}

void
playback_rush(struct playback *p)
{
	for (struct str s; (s = peek(p)).len > 0;)
		send_step(p, s);
}

void
playback_stop(struct playback *p)
{
	recording_detach(&p->reader);
	p->rest = (struct str){NULL, 0};
}
