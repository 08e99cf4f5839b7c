/*
 * The program's log: one line an event, its subject first (a request's id, a
 * backend's name, a module). Never a prompt, an answer or a key.
 *
 * Lines go to standard error. Text form:
 *   2026-11-21T12:00:00.000Z warn  big: connect failed: refused
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

void log_set_level(enum log_level level);
void log_set_format(enum log_format format);
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(subject, ...) log_line(LOG_ERROR, subject, __VA_ARGS__)
#define log_warn(subject, ...)  log_line(LOG_WARN, subject, __VA_ARGS__)
#define log_info(subject, ...)  log_line(LOG_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...) log_line(LOG_DEBUG, subject, __VA_ARGS__)

#endif
