/*
 * The program's log: formatted into one buffer, written with one call.
 *
 * Nobody waits for who does not read it: after one patient attempt, lines are lost, and counted,
 * until there is room again. Several threads log.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/outlet.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static enum log_format format = LOG_TEXT;
enum { PATIENCE_MS = 1000 };

static atomic_int lost; /* lines in a row */
static const char *const names[] = {"error", "warn", "info", "debug"};

void
log_set_level(enum log_level level)
{
	threshold = level;
}

void
log_set_format(enum log_format f)
{
	format = f;
}

bool
log_wants(enum log_level level)
{
	return level <= threshold;
}

static void
add_time(struct buf *line)
{
	int64_t ms = clock_wall_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	buf_addf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
	         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(ms % 1000));
}

/* A peer's bytes may be in the message: a line stays one line. */
static void
flatten(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

static void
add_line(struct buf *line, enum log_level level, const char *subject, const struct buf *message)
{
	size_t at = line->len;

	if (format == LOG_JSON) {
		buf_adds(line, "{\"time\":\"");
		add_time(line);
		buf_addf(line, "\",\"level\":\"%s\",\"subject\":", names[level]);
		buf_add_json(line, subject, strlen(subject));
		buf_adds(line, ",\"message\":");
		buf_add_json(line, buf_text(message), message->len);
		buf_adds(line, "}");
	} else {
		add_time(line);
		buf_addf(line, " %-5s %s: %s", names[level], subject, buf_text(message));
		flatten(line->data + at);
	}
	buf_addc(line, '\n');
}

static void
add_lost(struct buf *line, int count)
{
	struct buf message = {0};

	buf_addf(&message, "nobody read it: %d lines were lost", count);
	add_line(line, LOG_WARN, "log", &message);
	buf_finish(&message);
}

void
log_line(enum log_level level, const char *subject, const char *fmt, ...)
{
	struct buf line = {0}, message = {0};
	int missed = atomic_load(&lost);
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	buf_addv(&message, fmt, args);
	va_end(args);
	if (missed > 0)
		add_lost(&line, missed);
	add_line(&line, level, subject, &message);
	if (outlet_write(STDERR_FILENO, (struct str){line.data, line.len},
	                 missed > 0 ? 0 : PATIENCE_MS) == 0)
		atomic_fetch_add(&lost, 1);
	else
		atomic_fetch_sub(&lost, missed);
	buf_finish(&line);
	buf_finish(&message);
}
