/*
 * The access log.
 *
 * What cannot be written, since a disk is full or nobody reads the pipe, is kept and tried again;
 * above a bound later lines are lost, and counted. It costs no request anything.
 */
#include "app/access_log.h"

#include "app/request.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FLUSH_MS = 100,
	AGAIN_MS = 10, /* where something was left: a pipe has room for 64 KiB */
	FLUSH_BYTES = 32 * 1024,
	KEPT_BYTES_MAX = 1024 * 1024, /* of what could not be written */
	LAST_WAIT_MS = 1000,          /* for a reader, with nothing to come after it */
};

struct access_log {
	char *path; /* owned; NULL: standard output */
	int fd;     /* -1: off, or the file could not be opened again */
	enum log_format format;
	struct buf lines;
	bool waits;   /* the last attempt left something */
	int64_t lost; /* lines, since it was last written whole */
	struct timer timer;
	int64_t stamp_s; /* the second that `stamp` names */
	char stamp[32];
};

static void
flush(struct access_log *log, int wait_ms)
{
	struct buf *lines = &log->lines;
	size_t written;

	if (log->fd < 0)
		return;
	written = outlet_write(log->fd, (struct str){lines->data, lines->len}, wait_ms);
	log->waits = written < lines->len;
	if (log->waits) {
		if (written > 0)
			memmove(lines->data, lines->data + written, lines->len - written);
		lines->len -= written;
		timer_start(&log->timer, AGAIN_MS);
		return;
	}
	buf_clear(lines);
	if (log->lost > 0)
		log_warn("access log", "it can be written again; %lld lines were lost",
		         (long long)log->lost);
	log->lost = 0;
}

/* Whether a line can be taken. */
static bool
has_room(struct access_log *log)
{
	if (log->fd < 0 || log->lines.len < KEPT_BYTES_MAX)
		return log->fd >= 0;
	if (log->lost++ == 0)
		log_warn("access log", "it cannot be written: lines are lost from now on");
	return false;
}

static void
on_timer(void *arg)
{
	flush(arg, 0);
}

/* To open a named pipe that nobody reads would else wait for a reader. */
static int
open_target(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
}

struct access_log *
access_log_create(struct loop *l, const char *target, enum log_format format, struct buf *why)
{
	struct access_log *log = NEW(struct access_log);

	log->format = format;
	log->fd = -1;
	log->stamp_s = -1;
	timer_init(&log->timer, l, on_timer, log);
	if (strcmp(target, "stdout") == 0) {
		log->fd = STDOUT_FILENO;
	} else if (strcmp(target, "off") != 0) {
		log->path = mem_strdup(target);
		log->fd = open_target(target);
		if (log->fd < 0) {
			buf_addf(why, "log.access: %s: %s", target, strerror(errno));
			access_log_destroy(&log);
		}
	}
	return log;
}

static void
close_file(struct access_log *log)
{
	if (log->path != NULL && log->fd >= 0)
		close(log->fd);
}

void
access_log_destroy(struct access_log **lp)
{
	struct access_log *log = *lp;

	*lp = NULL;
	if (log == NULL)
		return;
	flush(log, LAST_WAIT_MS);
	close_file(log);
	timer_finish(&log->timer);
	buf_finish(&log->lines);
	free(log->path);
	free(log);
}

void
access_log_reopen(struct access_log *log)
{
	if (log->path == NULL)
		return;
	flush(log, 0);
	close_file(log);
	log->fd = open_target(log->path);
	if (log->fd < 0)
		log_error("access log", "%s: %s", log->path, strerror(errno));
}

static void
add_stamp(struct access_log *log)
{
	int64_t ms = clock_wall_ms();
	struct buf *b = &log->lines;
	int rest = (int)(ms % 1000);

	if (ms / 1000 != log->stamp_s) {
		time_t seconds = (time_t)(ms / 1000);
		struct tm utc;

		log->stamp_s = ms / 1000;
		gmtime_r(&seconds, &utc);
		strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S.", &utc);
	}
	buf_adds(b, log->stamp);
	buf_addc(b, (char)('0' + rest / 100));
	buf_addc(b, (char)('0' + rest / 10 % 10));
	buf_addc(b, (char)('0' + rest % 10));
	buf_addc(b, 'Z');
}

/* How a field is introduced, with its length known to the compiler. */
struct field {
	struct str text;
	struct str json;
};

#define FIELD(name) \
	(&(const struct field){{" " name "=", sizeof(name) + 1}, {",\"" name "\":", sizeof(name) + 3}})

static void
add_name(struct access_log *log, const struct field *f)
{
	struct str s = log->format == LOG_JSON ? f->json : f->text;

	buf_add(&log->lines, s.ptr, s.len);
}

/* In text, a value is quoted only when it has a blank, a quote or what could break the line. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c <= ' ' || c == '"' || c == '=' || c >= 0x7f)
			return false;
	}
	return s.len > 0;
}

static void
add_text(struct access_log *log, const struct field *f, struct str value)
{
	add_name(log, f);
	if (value.ptr == NULL)
		buf_adds(&log->lines, log->format == LOG_JSON ? "null" : "-");
	else if (log->format == LOG_TEXT && is_plain(value))
		buf_add(&log->lines, value.ptr, value.len);
	else
		buf_add_json(&log->lines, value.ptr, value.len);
}

/* A value that has nothing to be quoted, or NULL. */
static void
add_word(struct access_log *log, const struct field *f, const char *word)
{
	bool quoted = log->format == LOG_JSON && word != NULL;

	add_name(log, f);
	if (quoted)
		buf_addc(&log->lines, '"');
	buf_adds(&log->lines, word != NULL ? word : log->format == LOG_JSON ? "null" : "-");
	if (quoted)
		buf_addc(&log->lines, '"');
}

static void
add_number(struct access_log *log, const struct field *f, int64_t value)
{
	add_name(log, f);
	buf_add_int(&log->lines, value);
}

static void
begin_line(struct access_log *log, const char *id, const char *peer)
{
	if (log->format == LOG_JSON)
		buf_adds(&log->lines, "{\"time\":\"");
	add_stamp(log);
	if (log->format == LOG_JSON)
		buf_addc(&log->lines, '"');
	add_word(log, FIELD("id"), id);
	add_word(log, FIELD("client"), peer);
}

static void
end_line(struct access_log *log)
{
	buf_adds(&log->lines, log->format == LOG_JSON ? "}\n" : "\n");
	if (log->timer.due_ms == 0)
		timer_start(&log->timer, FLUSH_MS);
	if (log->lines.len >= FLUSH_BYTES && !log->waits)
		flush(log, 0);
}

static struct str
text_or_null(const char *text)
{
	if (text == NULL || *text == '\0')
		return (struct str){0};
	return str_of(text);
}

static void
add_tokens(struct access_log *log, const struct field *field, const struct request *r, int tokens)
{
	if (r->usage_known)
		add_number(log, field, tokens);
	else
		add_text(log, field, (struct str){0});
}

void
access_log_add(struct access_log *log, const struct request *r, const char *end)
{
	int64_t now = clock_now_ms();

	if (!has_room(log))
		return;
	begin_line(log, r->id, r->peer);
	add_word(log, FIELD("trace"), *r->trace == '\0' ? NULL : r->trace);
	add_text(log, FIELD("key"),
	         text_or_null(r->caller == NULL || r->caller->key == NULL ? NULL : r->caller->name));
	add_word(log, FIELD("method"), http_method_name(r->method));
	add_word(log, FIELD("route"), r->route == NULL ? NULL : r->route->path);
	add_text(log, FIELD("model"), text_or_null(r->facts.model));
	add_number(log, FIELD("status"), r->status);
	add_number(log, FIELD("bytes_in"), (int64_t)r->bytes_in);
	add_number(log, FIELD("bytes_out"), (int64_t)r->bytes_out);
	add_tokens(log, FIELD("tokens_in"), r, r->usage.prompt);
	add_tokens(log, FIELD("tokens_out"), r, r->usage.output);
	add_number(log, FIELD("waited_ms"), r->waited_ms);
	if (r->first_byte_ms > 0)
		add_number(log, FIELD("first_byte_ms"), r->first_byte_ms - r->began_ms);
	else
		add_text(log, FIELD("first_byte_ms"), (struct str){0});
	add_number(log, FIELD("total_ms"), now - r->began_ms);
	add_text(log, FIELD("backend"), text_or_null(r->backend));
	add_word(log, FIELD("cache"), r->cache);
	add_number(log, FIELD("attempts"), r->attempts);
	add_word(log, FIELD("end"), end);
	end_line(log);
}

void
access_log_add_refusal(struct access_log *log, const char *id, const char *peer, struct str path,
                       int status)
{
	if (!has_room(log))
		return;
	begin_line(log, id, peer);
	add_text(log, FIELD("path"), path);
	add_number(log, FIELD("status"), status);
	add_text(log, FIELD("end"), str_of("refused"));
	end_line(log);
}
