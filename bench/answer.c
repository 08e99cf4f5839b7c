/*
 * An answer is read by lines but for its data, whose lines are only counted.
 */
#include "answer.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void
answer_begin(struct answer *a)
{
	a->part = PART_STATUS;
	a->status = 0;
	a->chunked = false;
	a->hit = false;
	a->left = 0;
	a->lines = 0;
	a->line_len = 0;
}

static uint64_t
count_lines(const char *p, size_t len)
{
	const char *end = p + len;
	uint64_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

static enum verdict
take_field(struct answer *a, struct str line)
{
	struct str name = {0};

	if (line.len == 0) {
		a->part = a->chunked ? PART_CHUNK_SIZE : PART_DATA;
		return a->chunked || a->left > 0 ? VERDICT_MORE : VERDICT_WHOLE;
	}
	if (!str_split(&line, ':', &name))
		return VERDICT_BROKEN;
	if (str_eq_nocase(name, "transfer-encoding"))
		a->chunked = true;
	else if (str_eq_nocase(name, "content-length") && !str_to_u64(str_trim(line), &a->left))
		return VERDICT_BROKEN;
	else if (str_eq_nocase(name, "x-drover-cache") || str_eq_nocase(name, "x-cache"))
		a->hit = str_eq_nocase(str_trim(line), "hit");
	return VERDICT_MORE;
}

static enum verdict
take_chunk_size(struct answer *a, const char *line)
{
	char *end;

	a->left = strtoull(line, &end, 16);
	a->part = a->left == 0 ? PART_TRAILER : PART_DATA;
	return end == line ? VERDICT_BROKEN : VERDICT_MORE;
}

/* `line` is NUL-terminated, without its CRLF. */
static enum verdict
take_line(struct answer *a, struct str line)
{
	switch (a->part) {
	case PART_STATUS:
		a->status = line.len > 12 ? (int)strtol(line.ptr + 9, NULL, 10) : 0;
		a->part = PART_FIELD;
		return VERDICT_MORE;
	case PART_FIELD: return take_field(a, line);
	case PART_CHUNK_SIZE: return take_chunk_size(a, line.ptr);
	case PART_CHUNK_END:
		a->part = PART_CHUNK_SIZE;
		return line.len == 0 ? VERDICT_MORE : VERDICT_BROKEN;
	case PART_TRAILER: return line.len == 0 ? VERDICT_WHOLE : VERDICT_MORE;
	case PART_DATA: break;
	}
	abort();
}

static size_t
gather_line(struct answer *a, const char *p, size_t len, enum verdict *verdict)
{
	const char *eol = memchr(p, '\n', len);
	size_t n = eol == NULL ? len : (size_t)(eol - p) + 1;

	if (n >= sizeof(a->line) - a->line_len) {
		*verdict = VERDICT_BROKEN;
		return n;
	}
	memcpy(a->line + a->line_len, p, n);
	a->line_len += n;
	if (eol != NULL) {
		size_t bare = a->line_len - 1;

		if (bare > 0 && a->line[bare - 1] == '\r')
			bare--;
		a->line[bare] = '\0';
		a->line_len = 0;
		*verdict = take_line(a, (struct str){a->line, bare});
	}
	return n;
}

static enum verdict
take_data(struct answer *a, const char *p, size_t n)
{
	a->lines += count_lines(p, n);
	a->left -= n;
	if (a->left > 0)
		return VERDICT_MORE;
	a->part = PART_CHUNK_END;
	return a->chunked ? VERDICT_MORE : VERDICT_WHOLE;
}

enum verdict
answer_feed(struct answer *a, const char *p, size_t len)
{
	enum verdict verdict = VERDICT_MORE;

	while (len > 0) {
		size_t n = len;

		if (verdict != VERDICT_MORE)
			return VERDICT_BROKEN;
		if (a->part != PART_DATA) {
			n = gather_line(a, p, len, &verdict);
		} else {
			if (n > a->left)
				n = a->left;
			verdict = take_data(a, p, n);
		}
		p += n;
		len -= n;
	}
	return verdict;
}
