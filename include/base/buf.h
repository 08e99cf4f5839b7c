/*
 * A growing text or byte buffer. `data` is always NUL-terminated once something
 * was added; `len` does not count that NUL. A zeroed struct is an empty buffer.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; NULL while nothing was added */
	size_t len;
	size_t cap;
};

void buf_finish(struct buf *b);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
/* Adds `text` as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *text, size_t len);
/* The content as a C string, "" when empty; belongs to the buffer. */
const char *buf_text(const struct buf *b);
/* Hands the content over: the caller frees it; the buffer is empty again. */
char *buf_take(struct buf *b);

#endif
