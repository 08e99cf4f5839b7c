/* What is shown, in columns of the screen. */
#include "text.h"

#include "base/str.h"

#include <stdio.h>
#include <wchar.h>

static wchar_t
decode(const char *p, size_t len)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	wchar_t c = (unsigned char)p[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

/* Cuts off the next character, as it may be shown. Returns its columns: 1 or 2. A character
 * without a width of its own would change the one before it. */
static int
next_char(struct str *rest, struct str *shown)
{
	size_t len = str_utf8_len(rest->ptr, rest->len);
	int width = len == 0 ? -1 : wcwidth(decode(rest->ptr, len));

	*shown = width > 0 ? (struct str){rest->ptr, len} : (struct str){"?", 1};
	len = len == 0 ? 1 : len;
	rest->ptr += len;
	rest->len -= len;
	return width > 0 ? width : 1;
}

int
text_width(const char *text)
{
	struct str rest = str_of(text), shown;
	int width = 0;

	while (rest.len > 0)
		width += next_char(&rest, &shown);
	return width;
}

static void
add_spaces(struct buf *out, int count)
{
	for (; count > 0; count--)
		buf_addc(out, ' ');
}

void
text_add_fit(struct buf *out, const char *text, int width, bool right)
{
	struct str rest = str_of(text), shown;
	int wanted = text_width(text), used = 0;

	if (wanted <= width && right)
		add_spaces(out, width - wanted);
	while (rest.len > 0) {
		int more = next_char(&rest, &shown);

		if (wanted > width && used + more > width - 1)
			break;
		buf_add(out, shown.ptr, shown.len);
		used += more;
	}
	if (wanted > width && width > 0) {
		buf_addc(out, '~');
		used++;
	}
	if (wanted > width || !right)
		add_spaces(out, width - used);
}

void
text_add_duration(struct buf *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 9950)
		buf_addf(out, "%.1fs", (double)ms / 1000);
	else if (s < 60)
		buf_addf(out, "%llds", (long long)s);
	else if (s < 3600)
		buf_addf(out, "%lldm%02llds", (long long)s / 60, (long long)s % 60);
	else if (s < 86400)
		buf_addf(out, "%lldh%02lldm", (long long)s / 3600, (long long)s / 60 % 60);
	else if (s < INT64_C(100) * 86400)
		buf_addf(out, "%lldd%02lldh", (long long)s / 86400, (long long)s / 3600 % 24);
	else
		buf_addf(out, "%lldd", (long long)s / 86400);
}

void
text_add_count(struct buf *out, int64_t value)
{
	static const char units[] = "MGTPE";
	double scaled = (double)value / 1e6;
	size_t unit = 0;

	if (value < 1000000) {
		buf_add_int(out, value);
		return;
	}
	for (; scaled >= 999.95; unit++)
		scaled /= 1000;
	buf_addf(out, "%.1f%c", scaled, units[unit]);
}

void
text_add_bytes(struct buf *out, int64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double scaled = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		buf_addf(out, "%lldB", (long long)bytes);
		return;
	}
	for (; scaled >= 1023.95; unit++)
		scaled /= 1024;
	buf_addf(out, "%.1f%s", scaled, units[unit]);
}

void
text_add_bar(struct buf *out, int width, int64_t filled, int64_t whole, const char *label)
{
	int inside = width - 2, label_width = text_width(label);
	int marks = whole <= 0 ? 0 : (int)(filled >= whole ? inside : filled * inside / whole);

	if (marks == 0 && filled > 0 && whole > 0)
		marks = 1; /* little is not nothing */
	buf_addc(out, '[');
	for (int i = 0; i < inside - label_width; i++)
		buf_addc(out, i < marks ? '|' : ' ');
	text_add_fit(out, label, label_width < inside ? label_width : inside, true);
	buf_addc(out, ']');
}
