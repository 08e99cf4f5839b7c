/* Numbers as people read them. */
#include "format.h"

#include <math.h>
#include <stdio.h>

void
format_add_us(struct buf *out, double us)
{
	if (us < 99.5)
		buf_addf(out, "%.3f ms", us / 1e3);
	else if (us < 9995)
		buf_addf(out, "%.2f ms", us / 1e3);
	else if (us < 99950)
		buf_addf(out, "%.1f ms", us / 1e3);
	else if (us < 999500)
		buf_addf(out, "%.0f ms", us / 1e3);
	else if (us < 9.995e6)
		buf_addf(out, "%.2f s", us / 1e6);
	else if (us < 119.95e6)
		buf_addf(out, "%.1f s", us / 1e6);
	else
		buf_addf(out, "%lld m %02d s", llround(us / 1e6) / 60, (int)(llround(us / 1e6) % 60));
}

void
format_add_count(struct buf *out, int64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);

	for (int i = 0; i < len; i++) {
		buf_addc(out, digits[i]);
		if ((len - i - 1) % 3 == 0 && i + 1 < len && digits[i] != '-')
			buf_addc(out, ',');
	}
}

void
format_add_number(struct buf *out, double x)
{
	double size = fabs(x);

	if (size >= 999.5)
		format_add_count(out, (int64_t)llround(x));
	else if (size >= 99.95 || size == 0)
		buf_addf(out, "%.0f", x);
	else if (size >= 9.995)
		buf_addf(out, "%.1f", x);
	else if (size >= 0.9995)
		buf_addf(out, "%.2f", x);
	else
		buf_addf(out, "%.3f", x);
}

void
format_add_html(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&': buf_adds(out, "&amp;"); break;
		case '<': buf_adds(out, "&lt;"); break;
		case '>': buf_adds(out, "&gt;"); break;
		case '"': buf_adds(out, "&quot;"); break;
		default: buf_addc(out, *text);
		}
}

int
format_columns(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}
