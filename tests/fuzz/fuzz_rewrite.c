/*
 * The first byte picks a route, the next two what is changed, the rest is a body. Of an accepted
 * body every member that may be changed reads as its new value, by the gateway and by another
 * reader that ignores the case of keys; and a single change keeps all bytes but the old value.
 */
#include "fuzz.h"

#include "proto/rewrite.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <strings.h>

enum { NUMBER = 4242 };

static const struct route *
pick_route(unsigned char pick)
{
	const struct route *table, *found = NULL;
	size_t count;

	table = route_table(&count);
	for (size_t i = pick % count; found == NULL; i = (i + 1) % count)
		if (table[i].kind == ROUTE_RUN && !table[i].multipart)
			found = &table[i];
	return found;
}

static bool
read_body(const struct route *route, struct str body, struct body_facts *out)
{
	struct body_reader *r = body_reader_create(route, str_of(""));
	bool ok = body_reader_feed(r, body) && body_reader_end(r, out);

	body_reader_destroy(&r);
	return ok;
}

static struct str
new_value(enum body_member m)
{
	if (m == BODY_MODEL)
		return str_of("\"edited\"");
	return str_of(m == BODY_USE_MMAP ? "true" : "4242");
}

static int64_t
new_number(enum body_member m)
{
	return m == BODY_USE_MMAP ? 1 : NUMBER;
}

/* However often it is there: all say the same. */
static void
check_number(const cJSON *object, enum body_member m, bool any_case)
{
	const cJSON *member;
	int seen = 0;

	cJSON_ArrayForEach (member, object) {
		const char *name = body_member_name(m);

		if (any_case ? strcasecmp(member->string, name) != 0 : strcmp(member->string, name) != 0)
			continue;
		CLAIM(m == BODY_USE_MMAP ? cJSON_IsTrue(member) : member->valuedouble == NUMBER);
		seen++;
	}
	CLAIM(seen == 1);
}

static void
check_elsewhere(struct str body, enum body_member m)
{
	cJSON *root = cJSON_ParseWithLength(body.ptr, body.len);

	CLAIM(root != NULL);
	if (m <= BODY_LAST_OPTION)
		check_number(cJSON_GetObjectItem(root, "options"), m, false);
	else if (m != BODY_MODEL)
		check_number(root, m, true);
	cJSON_Delete(root);
}

static void
check_changed(const struct route *route, struct str body, enum body_member m)
{
	struct body_facts f;

	CLAIM(read_body(route, body, &f));
	if (m == BODY_MODEL)
		CLAIM(strcmp(f.model, "edited") == 0);
	else if (m == BODY_KEEP_ALIVE)
		CLAIM(f.keep_alive_given && !f.keep_alive_zero);
	else
		CLAIM(f.numbers[m].is == BODY_GIVEN && f.numbers[m].value == new_number(m));
	check_elsewhere(body, m);
}

/* What is alike in front and behind is all but the old value. */
static void
check_kept(struct str before, struct str after, size_t changed)
{
	size_t most = before.len < after.len ? before.len : after.len, front = 0, back = 0;

	while (front < most && before.ptr[front] == after.ptr[front])
		front++;
	while (back < most - front &&
	       before.ptr[before.len - 1 - back] == after.ptr[after.len - 1 - back])
		back++;
	CLAIM(front + back + changed >= before.len);
}

static size_t
old_len(const struct body_facts *f, enum body_member m)
{
	struct body_span at;

	if (m == BODY_MODEL)
		at = f->model_at;
	else if (m == BODY_KEEP_ALIVE)
		at = f->keep_alive_at;
	else
		at = f->numbers[m].at;
	/* Options that are null give way to an object. */
	if (m <= BODY_LAST_OPTION && f->options == BODY_NULL)
		at = f->options_at;
	return at.end - at.begin;
}

static void
change(struct str body, const struct body_facts *f, const struct rewrite_edit *edits, size_t count,
       const struct route *route)
{
	struct buf out = {0};
	struct str after;

	rewrite_add(body, f, edits, count, &out);
	after = (struct str){out.data, out.len};
	for (size_t i = 0; i < count; i++)
		check_changed(route, after, edits[i].member);
	if (count == 1)
		check_kept(body, after, old_len(f, edits[0].member));
	buf_finish(&out);
}

/* The other reader has its own bounds on numbers and nesting, and refuses a NUL in a text. */
static bool
can_be_read_elsewhere(struct str body)
{
	cJSON *root = cJSON_ParseWithLength(body.ptr, body.len);

	cJSON_Delete(root);
	return root != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rewrite_edit edits[BODY_MEMBERS];
	const struct route *route;
	struct body_facts f;
	struct str body;
	size_t count = 0;

	if (size < 3)
		return 0;
	route = pick_route(data[0]);
	body = (struct str){(const char *)data + 3, size - 3};
	if (!can_be_read_elsewhere(body) || !read_body(route, body, &f) || f.model[0] == '\0')
		return 0;
	for (int i = 0; i < BODY_MEMBERS; i++) {
		enum body_member m = (enum body_member)i;
		struct rewrite_edit edit = {m, new_value(m)};

		if (!body_member_fits(route, m) || !rewrite_can(&f, m))
			continue;
		change(body, &f, &edit, 1, route);
		if (((data[1] | data[2] << 8) >> i & 1) != 0)
			edits[count++] = edit;
	}
	change(body, &f, edits, count, route);
	return 0;
}
