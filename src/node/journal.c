/*
 * What a node saw. Only ended records are ever dropped: whoever is under way
 * holds a pointer to its own.
 */
#include "journal.h"

#include "gojson.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void
journal_init(struct journal *j)
{
	*j = (struct journal){0};
	list_init(&j->records);
}

static void
drop(struct journal *j, struct record *r)
{
	list_remove(&r->link);
	j->kept--;
	free(r->head);
	free(r->model);
	free(r);
}

void
journal_finish(struct journal *j)
{
	struct record *r;

	LIST_FOR_EACH (r, &j->records, struct record, link)
		drop(j, r);
	if (j->file != NULL)
		fclose(j->file);
}

bool
journal_open(struct journal *j, const char *path)
{
	j->file = fopen(path, "a");
	if (j->file == NULL)
		return false;
	setvbuf(j->file, NULL, _IOLBF, 0);
	return true;
}

static char *
copy_head(const struct http_head *head)
{
	struct buf text = {0};

	buf_add(&text, head->target.ptr, head->target.len);
	buf_addc(&text, '\n');
	for (size_t i = 0; i < head->header_count; i++) {
		const struct http_header *h = &head->headers[i];

		buf_add(&text, h->name.ptr, h->name.len);
		buf_add(&text, ": ", 2);
		buf_add(&text, h->value.ptr, h->value.len);
		buf_addc(&text, '\n');
	}
	return buf_take(&text);
}

struct record *
journal_add(struct journal *j, const struct http_head *head, int64_t now_ms)
{
	struct record *r = NEW(struct record), *oldest = LIST_FIRST(&j->records, struct record, link);

	r->number = ++j->count;
	r->head = copy_head(head);
	r->method = head->method;
	r->arrived_ms = now_ms;
	list_add_last(&j->records, &r->link);
	if (j->kept++ >= JOURNAL_KEPT && oldest->end != NULL)
		drop(j, oldest);
	return r;
}

static void
add_headers(struct buf *out, struct str lines)
{
	struct str line;
	bool first = true;

	buf_adds(out, "\"headers\":[");
	while (str_split(&lines, '\n', &line)) {
		const char *colon = memchr(line.ptr, ':', line.len);

		if (colon == NULL)
			continue;
		buf_adds(out, first ? "[" : ",[");
		gojson_add_string(out, (struct str){line.ptr, (size_t)(colon - line.ptr)});
		buf_addc(out, ',');
		gojson_add_string(out, (struct str){colon + 2, line.len - (size_t)(colon + 2 - line.ptr)});
		buf_addc(out, ']');
		first = false;
	}
	buf_addc(out, ']');
}

static void
add_number(struct buf *out, const char *key, int64_t value)
{
	buf_addf(out, ",\"%s\":%lld", key, (long long)value);
}

static void
add_record(struct buf *out, const struct record *r)
{
	struct str rest = str_of(r->head), target;

	str_split(&rest, '\n', &target);
	buf_addf(out, "{\"number\":%llu,\"method\":\"%s\",\"target\":", (unsigned long long)r->number,
	         http_method_name(r->method));
	gojson_add_string(out, target);
	buf_addc(out, ',');
	add_headers(out, rest);
	if (r->model != NULL) {
		buf_adds(out, ",\"model\":");
		gojson_add_string(out, str_of(r->model));
	}
	add_number(out, "body_bytes", (int64_t)r->body_bytes);
	buf_addf(out, ",\"body_sha256\":\"%s\"", r->body_sha256);
	add_number(out, "arrived_ms", r->arrived_ms);
	add_number(out, "started_ms", r->started_ms);
	add_number(out, "first_ms", r->first_ms);
	add_number(out, "ended_ms", r->ended_ms);
	add_number(out, "status", r->status);
	add_number(out, "bytes_out", (int64_t)r->bytes_out);
	add_number(out, "tokens", r->tokens);
	buf_adds(out, ",\"end\":");
	if (r->end == NULL)
		buf_adds(out, "null}");
	else
		buf_addf(out, "\"%s\"}", r->end);
}

static void
write_line(struct journal *j, const struct record *r)
{
	struct buf line = {0};

	if (j->file == NULL)
		return;
	add_record(&line, r);
	buf_addc(&line, '\n');
	/* A file that is full does not end the node. */
	(void)fwrite(line.data, 1, line.len, j->file);
	buf_finish(&line);
}

void
journal_begin(struct journal *j, const struct record *r)
{
	write_line(j, r);
}

void
journal_end(struct journal *j, struct record *r, const char *end, int64_t now_ms)
{
	r->end = end;
	r->ended_ms = now_ms;
	write_line(j, r);
}

void
journal_add_json(const struct journal *j, uint64_t after, struct buf *out)
{
	const struct record *r;
	bool first = true;

	buf_addc(out, '[');
	LIST_FOR_EACH (r, &j->records, const struct record, link) {
		if (r->number <= after)
			continue;
		buf_adds(out, first ? "" : ",\n");
		add_record(out, r);
		first = false;
	}
	buf_addc(out, ']');
}

void
journal_clear(struct journal *j)
{
	struct record *r;

	LIST_FOR_EACH (r, &j->records, struct record, link)
		if (r->end != NULL)
			drop(j, r);
}
