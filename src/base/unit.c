/* Durations and sizes as people write them. */
#include "base/unit.h"

#include <math.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit durations_ms[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static const struct unit sizes_bytes[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", 1LL << 10},
    {"MiB", 1LL << 20},
    {"GiB", 1LL << 30},
    {"TiB", 1LL << 40},
};

static const struct unit go_durations_ns[] = {
    {"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct unit *
find_unit(const struct unit *table, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(name, table[i].name))
			return &table[i];
	return NULL;
}

static bool
parse_whole(struct str text, const struct unit *table, size_t count, int64_t *out)
{
	const struct unit *unit;
	size_t digits = 0;
	uint64_t value;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	if (!str_to_u64((struct str){text.ptr, digits}, &value))
		return false;
	unit = find_unit(table, count, (struct str){text.ptr + digits, text.len - digits});
	if (unit == NULL || value > (uint64_t)(INT64_MAX / unit->factor))
		return false;
	*out = (int64_t)value * unit->factor;
	return true;
}

bool
unit_parse_duration_ms(struct str text, int64_t *out_ms)
{
	if (str_eq(text, "0")) {
		*out_ms = 0;
		return true;
	}
	return parse_whole(text, durations_ms, COUNT(durations_ms), out_ms);
}

bool
unit_parse_size_bytes(struct str text, int64_t *out_bytes)
{
	return parse_whole(text, sizes_bytes, COUNT(sizes_bytes), out_bytes);
}

/* Reads one "1.5h" off `text`; the amount is at least 0. */
static bool
take_go_part(struct str *text, double *ns)
{
	const struct unit *unit;
	double value = 0;
	size_t i = 0, digits = 0, start;

	for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++, digits++)
		value = value * 10 + (text->ptr[i] - '0');
	if (i < text->len && text->ptr[i] == '.') {
		double scale = 1;

		for (i++; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++, digits++)
			value += (text->ptr[i] - '0') * (scale /= 10);
	}
	if (digits == 0)
		return false;
	start = i;
	while (i < text->len && text->ptr[i] != '.' && (text->ptr[i] < '0' || text->ptr[i] > '9'))
		i++;
	unit = find_unit(go_durations_ns, COUNT(go_durations_ns),
	                 (struct str){text->ptr + start, i - start});
	if (unit == NULL)
		return false;
	*ns = value * (double)unit->factor;
	text->ptr += i;
	text->len -= i;
	return true;
}

bool
unit_parse_go_duration_ns(struct str text, int64_t *out_ns)
{
	double total = 0, part;
	bool negative = text.len > 0 && text.ptr[0] == '-';

	if (text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+'))
		text = (struct str){text.ptr + 1, text.len - 1};
	if (str_eq(text, "0")) {
		*out_ns = 0;
		return true;
	}
	if (text.len == 0)
		return false;
	while (text.len > 0) {
		if (!take_go_part(&text, &part))
			return false;
		total += part;
	}
	if (total >= 9.2e18)
		return false;
	*out_ns = (int64_t)llround(negative ? -total : total);
	return true;
}

bool
unit_parse_keep_alive_s(struct str text, int64_t *out_s)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	struct str amount = {text.ptr + negative, text.len - negative};
	int64_t value;
	uint64_t whole;

	if (str_to_u64(amount, &whole))
		*out_s = (int64_t)whole;
	else if (unit_parse_duration_ms(amount, &value))
		*out_s = value / 1000;
	else if (unit_parse_go_duration_ns(amount, &value) && value >= 0)
		*out_s = value / 1000000000;
	else
		return false;
	if (*out_s == 0)
		return false;
	if (negative)
		*out_s = -1;
	return true;
}

void
unit_add_duration_ms(struct buf *out, int64_t ms)
{
	size_t best = 0;

	if (ms == 0) {
		buf_adds(out, "0");
		return;
	}
	for (size_t i = 0; i < COUNT(durations_ms); i++)
		if (ms % durations_ms[i].factor == 0)
			best = i;
	buf_addf(out, "%lld%s", (long long)(ms / durations_ms[best].factor), durations_ms[best].name);
}

void
unit_add_go_duration_ms(struct buf *out, int64_t ms)
{
	int64_t seconds = ms / 1000, rest = ms % 1000;

	if (ms > 0 && seconds == 0) {
		buf_addf(out, "%lldms", (long long)ms);
		return;
	}
	if (seconds >= 3600)
		buf_addf(out, "%lldh", (long long)(seconds / 3600));
	if (seconds >= 60)
		buf_addf(out, "%lldm", (long long)(seconds / 60 % 60));
	buf_addf(out, "%lld", (long long)(seconds % 60));
	if (rest > 0) {
		buf_addf(out, ".%03lld", (long long)rest);
		while (out->data[out->len - 1] == '0')
			out->data[--out->len] = '\0';
	}
	buf_addc(out, 's');
}
