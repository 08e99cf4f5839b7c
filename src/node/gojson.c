/* JSON as Go's encoding/json reads and writes it. */
#include "gojson.h"

#include "base/mem.h"
#include <errno.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void
add_escape(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"': buf_adds(out, "\\\""); break;
	case '\\': buf_adds(out, "\\\\"); break;
	case '\b': buf_adds(out, "\\b"); break;
	case '\f': buf_adds(out, "\\f"); break;
	case '\n': buf_adds(out, "\\n"); break;
	case '\r': buf_adds(out, "\\r"); break;
	case '\t': buf_adds(out, "\\t"); break;
	default: buf_addf(out, "\\u%04x", c); break;
	}
}

/* A sequence outside ASCII at the start of `text`; returns how many bytes it took. Go writes the
 * separators U+2028 and U+2029 and broken bytes as escapes. */
static size_t
add_wide(struct buf *out, struct str text)
{
	size_t n = str_utf8_len(text.ptr, text.len);

	if (n == 0) {
		buf_adds(out, "\\ufffd");
		return 1;
	}
	if (n == 3 && memcmp(text.ptr, "\xe2\x80\xa8", 3) == 0)
		buf_adds(out, "\\u2028");
	else if (n == 3 && memcmp(text.ptr, "\xe2\x80\xa9", 3) == 0)
		buf_adds(out, "\\u2029");
	else
		buf_add(out, text.ptr, n);
	return n;
}

void
gojson_add_escaped(struct buf *out, struct str text)
{
	size_t i = 0;

	while (i < text.len) {
		size_t run = i;

		while (run < text.len && is_plain((unsigned char)text.ptr[run]))
			run++;
		buf_add(out, text.ptr + i, run - i);
		i = run;
		if (i == text.len)
			return;
		if ((unsigned char)text.ptr[i] < 0x80)
			add_escape(out, (unsigned char)text.ptr[i++]);
		else
			i += add_wide(out, (struct str){text.ptr + i, text.len - i});
	}
}

void
gojson_add_string(struct buf *out, struct str text)
{
	buf_addc(out, '"');
	gojson_add_escaped(out, text);
	buf_addc(out, '"');
}

static int
compare_keys(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

static void add_tree(struct buf *out, const cJSON *tree, bool sorted);

static void
add_members(struct buf *out, const cJSON *tree, bool sorted)
{
	size_t count = (size_t)cJSON_GetArraySize(tree), n = 0;
	const cJSON **members = mem_zalloc(count + 1, sizeof(*members));
	const cJSON *it;

	cJSON_ArrayForEach (it, tree)
		members[n++] = it;
	if (sorted && cJSON_IsObject(tree))
		qsort(members, count, sizeof(*members), compare_keys);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		if (cJSON_IsObject(tree)) {
			gojson_add_string(out, str_of(members[i]->string));
			buf_addc(out, ':');
		}
		add_tree(out, members[i], sorted);
	}
	free(members);
}

static void
add_tree(struct buf *out, const cJSON *tree, bool sorted)
{
	char number[GOJSON_NUMBER_MAX];

	if (cJSON_IsObject(tree)) {
		buf_addc(out, '{');
		add_members(out, tree, sorted);
		buf_addc(out, '}');
	} else if (cJSON_IsArray(tree)) {
		buf_addc(out, '[');
		add_members(out, tree, sorted);
		buf_addc(out, ']');
	} else if (cJSON_IsString(tree)) {
		gojson_add_string(out, str_of(tree->valuestring));
	} else if (cJSON_IsNumber(tree)) {
		buf_add(out, number, gojson_format_float64(number, tree->valuedouble));
	} else if (cJSON_IsBool(tree)) {
		buf_adds(out, cJSON_IsTrue(tree) ? "true" : "false");
	} else {
		buf_adds(out, "null");
	}
}

void
gojson_add_tree(struct buf *out, const cJSON *tree)
{
	add_tree(out, tree, false);
}

void
gojson_add_map(struct buf *out, const cJSON *tree)
{
	add_tree(out, tree, true);
}

void
gojson_add_int(struct buf *out, int64_t value)
{
	char text[GOJSON_NUMBER_MAX];
	size_t at = sizeof(text);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		text[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		text[--at] = '-';
	buf_add(out, text + at, sizeof(text) - at);
}

/* printf writes 1e-07 where Go writes 1e-7; it leaves 1e+21 as it is. */
static size_t
trim_exponent(char *text, size_t len)
{
	if (len >= 4 && text[len - 4] == 'e' && text[len - 3] == '-' && text[len - 2] == '0') {
		text[len - 2] = text[len - 1];
		text[len - 1] = '\0';
		return len - 1;
	}
	return len;
}

/* A value that was rounded up to the next power of ten has a zero too many: 0.00010. */
static size_t
trim_fraction(char *text, size_t len)
{
	if (memchr(text, '.', len) == NULL)
		return len;
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	text[len] = '\0';
	return len;
}

/* The digits of a shortest %e form say how many decimals the plain form needs. */
static size_t
write_shortest(char out[GOJSON_NUMBER_MAX], double value, int digits)
{
	double size = fabs(value);
	int exponent, n;

	if (size != 0 && (size < 1e-6 || size >= 1e21)) {
		n = snprintf(out, GOJSON_NUMBER_MAX, "%.*e", digits - 1, value);
		return trim_exponent(out, (size_t)n);
	}
	exponent = size == 0 ? 0 : (int)floor(log10(size));
	n = digits - 1 - exponent;
	n = snprintf(out, GOJSON_NUMBER_MAX, "%.*f", n < 0 ? 0 : n, value);
	return trim_fraction(out, (size_t)n);
}

size_t
gojson_format_float32(char out[GOJSON_NUMBER_MAX], float value)
{
	for (int digits = 1; digits < 9; digits++) {
		size_t n = write_shortest(out, (double)value, digits);

		if (strtof(out, NULL) == value)
			return n;
	}
	return write_shortest(out, (double)value, 9);
}

size_t
gojson_format_float64(char out[GOJSON_NUMBER_MAX], double value)
{
	if (value == floor(value) && fabs(value) < 1e15)
		return (size_t)snprintf(out, GOJSON_NUMBER_MAX, "%.0f", value);
	for (int digits = 1; digits < 17; digits++) {
		size_t n = write_shortest(out, value, digits);

		if (strtod(out, NULL) == value)
			return n;
	}
	return write_shortest(out, value, 17);
}

void
gojson_add_time(struct buf *out, int64_t unix_ns)
{
	/* Streams stamp every token: the same second is broken up once. One thread a loop. */
	static _Thread_local time_t last = -1;
	static _Thread_local char text[32];
	time_t second = (time_t)(unix_ns / 1000000000);
	int64_t fraction = unix_ns % 1000000000;
	char digits[10] = ".000000000";
	size_t n = sizeof(digits);

	if (second != last) {
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		last = second;
	}
	buf_adds(out, text);
	for (size_t i = n; i > 1; fraction /= 10)
		digits[--i] = (char)('0' + fraction % 10);
	while (n > 0 && (digits[n - 1] == '0' || digits[n - 1] == '.'))
		n--;
	buf_add(out, digits, n);
	buf_addc(out, 'Z');
}

static struct str
skip_blanks(struct str text)
{
	while (text.len > 0 && (text.ptr[0] == ' ' || (text.ptr[0] >= '\t' && text.ptr[0] <= '\r'))) {
		text.ptr++;
		text.len--;
	}
	return text;
}

/* Whether an object or a list was cut off, as far as its last byte tells. */
static bool
is_cut_off(struct str text)
{
	char first = text.ptr[0], last = text.ptr[text.len - 1];

	return (first == '{' && last != '}') || (first == '[' && last != ']');
}

cJSON *
gojson_parse(struct str text, struct buf *why)
{
	struct str rest = skip_blanks(text);
	const char *end = NULL;
	cJSON *tree;

	if (rest.len == 0) {
		buf_adds(why, "EOF");
		return NULL;
	}
	tree = cJSON_ParseWithLengthOpts(rest.ptr, rest.len, &end, 0);
	if (tree != NULL)
		return tree;
	if (is_cut_off(rest) || end == NULL || end >= rest.ptr + rest.len)
		buf_adds(why, "unexpected EOF");
	else
		buf_addf(why, "invalid character '%c' looking for beginning of value",
		         (unsigned char)*end < 0x20 || (unsigned char)*end > 0x7e ? '?' : *end);
	return NULL;
}

const cJSON *
gojson_get(const cJSON *object, const char *key)
{
	const cJSON *it, *found = NULL;

	cJSON_ArrayForEach (it, object)
		if (it->string != NULL && (it->string[0] | 32) == (key[0] | 32) &&
		    strcasecmp(it->string, key) == 0 && !cJSON_IsNull(it))
			found = it;
	return found;
}

const char *
gojson_text(const cJSON *object, const char *key)
{
	const cJSON *value = gojson_get(object, key);

	return cJSON_IsString(value) ? value->valuestring : "";
}

bool
gojson_bool(const cJSON *object, const char *key, bool fallback)
{
	const cJSON *value = gojson_get(object, key);

	return cJSON_IsBool(value) ? cJSON_IsTrue(value) : fallback;
}

static int64_t
to_int(double value)
{
	if (value >= 9e18)
		return INT64_MAX;
	return value <= -9e18 ? INT64_MIN : (int64_t)value;
}

int64_t
gojson_int(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *value = gojson_get(object, key);

	return cJSON_IsNumber(value) ? to_int(value->valuedouble) : fallback;
}

const cJSON *
gojson_list(const cJSON *value)
{
	return cJSON_IsArray(value) ? value : NULL;
}

static bool
has_type(const cJSON *value, enum gojson_type type)
{
	switch (type) {
	case GOJSON_TEXT: return cJSON_IsString(value);
	case GOJSON_BOOL: return cJSON_IsBool(value);
	case GOJSON_INT:
		return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
	case GOJSON_FLOAT: return cJSON_IsNumber(value);
	case GOJSON_LIST: return cJSON_IsArray(value);
	case GOJSON_OBJECT: return cJSON_IsObject(value);
	}
	abort();
}

const char *
gojson_type_name(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "string";
	if (cJSON_IsBool(value))
		return "bool";
	if (cJSON_IsArray(value))
		return "array";
	return cJSON_IsObject(value) ? "object" : "number";
}

static void
add_value_name(struct buf *out, const cJSON *value, enum gojson_type wanted)
{
	buf_adds(out, gojson_type_name(value));
	if (cJSON_IsNumber(value) && wanted == GOJSON_INT) {
		char number[GOJSON_NUMBER_MAX];

		gojson_format_float64(number, value->valuedouble);
		buf_addf(out, " %s", number);
	}
}

bool
gojson_check(const cJSON *object, const char *owner, const struct gojson_field *fields,
             size_t count, struct buf *why)
{
	if (!cJSON_IsObject(object)) {
		buf_adds(why, "json: cannot unmarshal ");
		add_value_name(why, object, GOJSON_OBJECT);
		buf_addf(why, " into Go value of type %s", owner);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const cJSON *value = gojson_get(object, fields[i].key);
		const char *dot = strrchr(owner, '.');

		if (value == NULL || has_type(value, fields[i].type))
			continue;
		buf_adds(why, "json: cannot unmarshal ");
		add_value_name(why, value, fields[i].type);
		buf_addf(why, " into Go struct field %s.%s of type %s", dot == NULL ? owner : dot + 1,
		         fields[i].key, fields[i].go_type);
		return false;
	}
	return true;
}
