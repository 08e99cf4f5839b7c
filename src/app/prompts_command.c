/*
 * `drover warm --prompts`. Each slot takes the next line, asks it until it is answered or has
 * failed, and takes another; pump() ends the loop once no slot is busy and no line is left.
 */
#include "app/prompts_command.h"

#include "app/prompt_list.h"
#include "base/clock.h"
#include "base/str.h"
#include "io/exchange.h"
#include "io/loop.h"
#include "proto/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_MS = 5000,
	AT_ONCE = 4,
	TRIES_MAX = 10, /* of one line, where the gateway has no room */
	RETRY_MS_MOST = 60000,
	KEPT_BYTES_MAX = 64 * 1024,
};

struct slot {
	struct prompts_command *command; /* that it is a part of */
	struct exchange *exchange;       /* owned; NULL: none runs */
	struct timer again;              /* it waits to be asked once more */
	struct prompt_request request;
	long line;
	bool is_busy;
	int tries;
	int status; /* of the answer, and what its head said */
	int64_t retry_ms;
	bool is_stream;
	size_t *result;  /* which of the sums it adds to */
	struct buf kept; /* of a stream the last line; else the answer as far as it is wanted */
	bool line_is_whole;
};

struct prompts_command {
	struct loop *loop;         /* owned */
	struct upstream *upstream; /* owned */
	const char *url;
	const char *name; /* of the list, for messages */
	struct prompt_list list;
	bool no_more; /* lines to ask */
	bool is_gone; /* there is no drover: that was said, and nothing more is asked */
	bool on_terminal;
	int64_t began_ms;
	size_t hits, misses, not_kept, failed;
	struct slot slots[AT_ONCE];
};

/* --- what is told --- */

static size_t
count_ended(const struct prompts_command *c)
{
	return c->hits + c->misses + c->not_kept + c->failed;
}

static void
show_progress(const struct prompts_command *c)
{
	if (c->on_terminal)
		fprintf(stderr, "\r\033[K%zu asked, at %s:%ld", count_ended(c), c->name, c->list.line);
}

static void
clear_progress(const struct prompts_command *c)
{
	if (c->on_terminal)
		fputs("\r\033[K", stderr);
}

static void
fail_line(struct prompts_command *c, long line, const char *why)
{
	clear_progress(c);
	fprintf(stderr, "%s:%ld: %s\n", c->name, line, why);
	c->failed++;
}

static void
say_sum(const struct prompts_command *c)
{
	double s = (double)(clock_now_ms() - c->began_ms) / 1000;

	clear_progress(c);
	printf("%zu asked: %zu hits, %zu misses, %zu not kept, %zu failed, in %.1f s\n", count_ended(c),
	       c->hits, c->misses, c->not_kept, c->failed, s);
}

/* --- one answer --- */

static void pump(struct prompts_command *c);
static void send_request(struct slot *s, bool fresh);

static size_t *
find_result(struct prompts_command *c, struct str cache)
{
	if (str_eq(cache, "hit") || str_eq(cache, "joined") || str_eq(cache, "stale"))
		return &c->hits;
	return str_eq(cache, "miss") ? &c->misses : &c->not_kept;
}

/* 0: it does not say when to come again. */
static int64_t
read_retry(const struct http_head *head)
{
	struct str ms = http_find_header(head, "Retry-After-Ms");
	struct str s = http_find_header(head, "Retry-After");
	uint64_t wait = 0;

	if (ms.ptr == NULL || !str_to_u64(ms, &wait))
		wait = s.ptr != NULL && str_to_u64(s, &wait) && wait < RETRY_MS_MOST ? wait * 1000 : wait;
	return wait < RETRY_MS_MOST ? (int64_t)wait : RETRY_MS_MOST;
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct slot *s = arg;

	s->status = head->status;
	s->retry_ms = head->status == 429 || head->status == 503 ? read_retry(head) : 0;
	s->is_stream = stream_form_of(http_find_header(head, "Content-Type")) != STREAM_NONE;
	s->result = find_result(s->command, http_find_header(head, "X-Drover-Cache"));
}

static void
keep_last_line(struct slot *s, struct str piece)
{
	for (size_t i = 0; i < piece.len; i++) {
		if (piece.ptr[i] == '\n') {
			s->line_is_whole = s->kept.len > 0;
			continue;
		}
		if (s->line_is_whole)
			buf_clear(&s->kept);
		s->line_is_whole = false;
		if (s->kept.len < KEPT_BYTES_MAX)
			buf_addc(&s->kept, piece.ptr[i]);
	}
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct slot *s = arg;
	size_t room = KEPT_BYTES_MAX - s->kept.len;

	if (s->is_stream)
		keep_last_line(s, piece);
	else if (s->status != 200)
		buf_add(&s->kept, piece.ptr, piece.len < room ? piece.len : room);
}

static void
on_flush(struct exchange *x, void *arg)
{
	/* Nothing passes on. */
}

/* A stream begins with 200, and its last record says whether it came to its end. */
static bool
read_error(const struct slot *s, struct buf *out)
{
	struct str kept = {buf_text(&s->kept), s->kept.len};

	if (s->is_stream && str_starts_nocase(kept, "data:"))
		kept = str_trim((struct str){kept.ptr + 5, kept.len - 5});
	return (s->is_stream || s->status != 200) && refusal_read_message(kept, out);
}

static void
settle(struct slot *s)
{
	struct prompts_command *c = s->command;
	struct buf message = {0};
	bool told = read_error(s, &message);

	if (s->status == 200 && !told) {
		++*s->result;
	} else {
		if (!told)
			buf_addf(&message, "%s answered %d", c->url, s->status);
		if (s->status == 401)
			buf_adds(&message, "; set DROVER_KEY");
		fail_line(c, s->line, buf_text(&message));
	}
	buf_finish(&message);
	s->is_busy = false;
}

static void
say_gone(struct slot *s, enum exchange_end end)
{
	struct prompts_command *c = s->command;

	if (!c->is_gone) {
		clear_progress(c);
		fprintf(stderr,
		        "drover warm: no drover at %s: %s. Is it running there? Else give --url URL\n",
		        c->url, exchange_end_text(end));
	}
	c->is_gone = true;
	c->failed++;
	s->is_busy = false;
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct slot *s = arg;

	s->exchange = NULL;
	if (end == EXCHANGE_STALE) {
		send_request(s, true);
	} else if (exchange_end_is_connect(end)) {
		say_gone(s, end);
	} else if (end != EXCHANGE_DONE) {
		fail_line(s->command, s->line, exchange_end_text(end));
		s->is_busy = false;
	} else if (s->retry_ms > 0 && s->tries < TRIES_MAX && !s->command->is_gone) {
		timer_start(&s->again, s->retry_ms);
	} else {
		settle(s);
	}
	pump(s->command);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

/* --- one after another --- */

static void
send_request(struct slot *s, bool fresh)
{
	struct exchange_request req = {
	    .method = HTTP_POST,
	    .target = {s->request.path.data, s->request.path.len},
	    .headers = str_of("Content-Type: application/json\r\nUser-Agent: drover-warm\r\n"
	                      "X-Drover-Priority: low\r\n"),
	    .body = {s->request.body.data, s->request.body.len},
	    .fresh = fresh,
	};

	buf_clear(&s->kept);
	s->line_is_whole = false;
	s->exchange = exchange_start(s->command->upstream, &req, &exchange_ops, s);
}

static void
on_again(void *arg)
{
	struct slot *s = arg;

	s->tries++;
	send_request(s, false);
}

/* Reading may block, on a pipe: what is under way then waits in the buffers of its sockets. */
static bool
take_line(struct slot *s)
{
	struct prompts_command *c = s->command;
	struct buf why = {0};
	enum prompt_read read;

	while ((read = prompt_list_next(&c->list, &s->request, &why)) == PROMPT_BAD) {
		fail_line(c, c->list.line, buf_text(&why));
		buf_clear(&why);
	}
	buf_finish(&why);
	s->line = c->list.line;
	return read == PROMPT_READ;
}

static void
pump(struct prompts_command *c)
{
	size_t busy = 0;

	for (size_t i = 0; i < AT_ONCE; i++) {
		struct slot *s = &c->slots[i];

		if (!s->is_busy && !c->no_more && !c->is_gone) {
			s->is_busy = take_line(s);
			c->no_more = !s->is_busy;
			s->tries = 1;
			if (s->is_busy)
				send_request(s, false);
		}
		busy += s->is_busy;
	}
	show_progress(c);
	if (busy == 0)
		loop_stop(c->loop);
}

static void
work(struct prompts_command *c)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		c->slots[i].command = c;
		timer_init(&c->slots[i].again, c->loop, on_again, &c->slots[i]);
	}
	c->began_ms = clock_now_ms();
	pump(c);
	loop_run(c->loop);
	if (ferror(c->list.file)) {
		clear_progress(c);
		fprintf(stderr, "drover warm: %s cannot be read to its end\n", c->name);
		c->failed++;
	}
	say_sum(c);
	for (size_t i = 0; i < AT_ONCE; i++) {
		timer_finish(&c->slots[i].again);
		prompt_request_finish(&c->slots[i].request);
		buf_finish(&c->slots[i].kept);
	}
}

static int
run(struct prompts_command *c, const struct settings_call *call)
{
	struct upstream_conf conf = {
	    .url = c->url,
	    .api_key = call->key,
	    .tls_verify = true,
	    .connect_ms = CONNECT_MS,
	    .idle_max = AT_ONCE,
	};
	struct buf why = {0};
	int status = 2;

	c->loop = loop_create();
	c->upstream = upstream_create(c->loop, &conf, &why);
	if (c->upstream == NULL) {
		fprintf(stderr, "drover warm: --url %s\n", buf_text(&why));
	} else {
		work(c);
		status = c->failed > 0 ? 1 : 0;
	}
	buf_finish(&why);
	upstream_destroy(&c->upstream);
	loop_destroy(&c->loop);
	return status;
}

int
prompts_command_run(const struct settings_call *call)
{
	bool from_stdin = strcmp(call->prompts, "-") == 0;
	struct prompts_command c = {
	    .url = call->url,
	    .name = from_stdin ? "standard input" : call->prompts,
	    .list = {.file = from_stdin ? stdin : fopen(call->prompts, "r")},
	    .on_terminal = isatty(STDERR_FILENO) == 1,
	};
	int status;

	if (c.list.file == NULL) {
		fprintf(stderr, "drover warm: %s: %s\n", call->prompts, strerror(errno));
		return 2;
	}
	status = run(&c, call);
	prompt_list_finish(&c.list);
	if (!from_stdin)
		fclose(c.list.file);
	return status;
}
