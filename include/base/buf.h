/*
 * A growing text or byte buffer. `data` is always NUL-terminated once something
 * was added; `len` does not count that NUL. A zeroed struct is an empty buffer.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data; /* owned; NULL while nothing was added */
	size_t len;
	size_t cap;
};

void buf_finish(struct buf *b);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);
/* Makes room for `more` bytes and a NUL. */
void buf_reserve(struct buf *b, size_t more);
/* A number in decimal. */
void buf_add_int(struct buf *b, int64_t value);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0), nonnull));
/* Adds `text` as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *text, size_t len);
/* The content as a C string, "" when empty; belongs to the buffer. */
const char *buf_text(const struct buf *b);
/* Hands the content over: the caller frees it; the buffer is empty again. */
char *buf_take(struct buf *b);

/* In the header: every head and every piece of a stream is put together by them. */
static inline void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (b->cap - b->len <= len)
		buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static inline void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

#endif
