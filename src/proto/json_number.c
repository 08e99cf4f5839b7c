/* Numbers of JSON by their value. */
#include "json_number.h"

#include "proto/json.h"

#include <stdbool.h>

enum { POWER_DIGITS_MAX = 9 };

/* Of a number that the scanner has accepted. */
struct parts {
	bool negative;
	char digits[JSON_NUMBER_MAX + 1]; /* of the whole and the fraction */
	size_t len;
	int64_t power;
	bool huge; /* the power is */
};

static void
read_power(struct parts *p, const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	int64_t value = 0;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	while (at < end && *at == '0')
		at++;
	p->huge = end - at > POWER_DIGITS_MAX;
	for (; at < end && !p->huge; at++)
		value = value * 10 + (*at - '0');
	p->power += negative ? -value : value;
}

static void
read_parts(struct parts *p, struct str number)
{
	const char *at = number.ptr, *end = number.ptr + number.len;
	bool fraction = false;

	p->negative = *at == '-';
	p->huge = false;
	p->len = 0;
	p->power = 0;
	at += p->negative;
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			fraction = true;
			continue;
		}
		p->power -= fraction;
		if (p->len > 0 || *at != '0')
			p->digits[p->len++] = *at;
	}
	if (at < end)
		read_power(p, at + 1, end);
	for (; p->len > 0 && p->digits[p->len - 1] == '0'; p->len--)
		p->power++;
}

void
json_number_add_canonical(struct buf *out, struct str number)
{
	struct parts p;

	read_parts(&p, number);
	if (p.len == 0) {
		buf_adds(out, p.negative ? "n-0e0;" : "n0e0;");
		return;
	}
	if (p.huge) {
		buf_addc(out, 'N');
		buf_add(out, number.ptr, number.len);
		buf_addc(out, ';');
		return;
	}
	buf_adds(out, p.negative ? "n-" : "n");
	buf_add(out, p.digits, p.len);
	buf_addc(out, 'e');
	buf_add_int(out, p.power);
	buf_addc(out, ';');
}
