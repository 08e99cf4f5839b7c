/* Base64 with padding. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)p[i] << 16;
		char four[4];

		v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= left > 2 ? p[i + 2] : 0;
		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = left > 1 ? digits[v >> 6 & 63] : '=';
		four[3] = left > 2 ? digits[v & 63] : '=';
		buf_add(out, four, 4);
	}
}

static int
value_of(char c)
{
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* Adds the bytes of one group of four; `pads` of them are '='. */
static void
add_group(struct buf *out, uint32_t bits, int pads)
{
	char three[3] = {(char)(bits >> 16 & 0xff), (char)(bits >> 8 & 0xff), (char)(bits & 0xff)};

	buf_add(out, three, (size_t)(3 - pads));
}

bool
base64_decode(struct str text, struct buf *out)
{
	uint32_t bits = 0;
	int count = 0, pads = 0;
	bool ended = false;

	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.ptr[i]);

		if (text.ptr[i] == '\n' || text.ptr[i] == '\r')
			continue;
		if (ended)
			return false;
		if (text.ptr[i] == '=' && count >= 2)
			pads++;
		else if (value < 0 || pads > 0)
			return false;
		bits = bits << 6 | (value < 0 ? 0 : (uint32_t)value);
		if (++count < 4)
			continue;
		add_group(out, bits, pads);
		bits = 0;
		count = 0;
		ended = pads > 0;
	}
	return count == 0;
}
