/* Numbers of the settings: from text, and back. */
#include "number.h"

#include "base/unit.h"

#include <stdlib.h>

/* ---- reading ---- */

static bool
parse_ratio_percent(struct str text, int64_t *out)
{
	struct str whole, part = {"0", 1};
	uint64_t ones, hundredths;

	(void)str_split(&text, '.', &whole);
	if (text.ptr != NULL)
		part = text;
	if (!str_to_u64(whole, &ones) || !str_to_u64(part, &hundredths) || part.len > 2 || ones > 1)
		return false;
	if (part.len == 1)
		hundredths *= 10;
	*out = (int64_t)(ones * 100 + hundredths);
	return true;
}

static bool
parse_integer(struct str text, int64_t *out)
{
	uint64_t value;

	if (!str_to_u64(text, &value))
		return false;
	*out = (int64_t)value;
	return true;
}

bool
number_parse(enum kind kind, struct str text, int64_t *out)
{
	switch (kind) {
	case KIND_DURATION: return unit_parse_duration_ms(text, out);
	case KIND_SIZE: return unit_parse_size_bytes(text, out);
	case KIND_INTEGER: return parse_integer(text, out);
	case KIND_RATIO: return parse_ratio_percent(text, out);
	case KIND_BOOL:
	case KIND_WORD:
	case KIND_TEXT:
	case KIND_TEXTS:
	case KIND_PAIRS:
	case KIND_RECORDS: break;
	}
	abort();
}

/* ---- writing ---- */

static void
add_size_bytes(struct buf *out, int64_t bytes)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (unit < 4 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	buf_addf(out, "%lld%s", (long long)bytes, units[unit]);
}

static void
add_ratio(struct buf *out, int64_t percent)
{
	if (percent % 100 == 0)
		buf_addf(out, "%d", (int)percent / 100);
	else if (percent % 10 == 0)
		buf_addf(out, "%d.%d", (int)percent / 100, (int)percent % 100 / 10);
	else
		buf_addf(out, "%d.%02d", (int)percent / 100, (int)percent % 100);
}

void
number_add(enum kind kind, int64_t value, struct buf *out)
{
	switch (kind) {
	case KIND_DURATION: unit_add_duration_ms(out, value); return;
	case KIND_SIZE: add_size_bytes(out, value); return;
	case KIND_INTEGER: buf_addf(out, "%lld", (long long)value); return;
	case KIND_RATIO: add_ratio(out, value); return;
	case KIND_BOOL:
	case KIND_WORD:
	case KIND_TEXT:
	case KIND_TEXTS:
	case KIND_PAIRS:
	case KIND_RECORDS: break;
	}
	abort();
}

void
number_add_range(const struct row *row, struct buf *why)
{
	buf_adds(why, "; give ");
	number_add(row->kind, row->least, why);
	buf_adds(why, " to ");
	number_add(row->kind, row->most, why);
	if (row->kind == KIND_DURATION)
		buf_adds(why, ", with one of ms s m h d");
	if (row->kind == KIND_SIZE)
		buf_adds(why, ", with one of B KB MB GB KiB MiB GiB");
}
