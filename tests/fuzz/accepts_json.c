/*
 * Says of each text on its input whether the JSON scanner accepts it: four bytes
 * of length, lowest first, and the text; one byte comes back, '0' or '1'.
 */
#include "base/mem.h"
#include "proto/json.h"

#include <stdio.h>
#include <stdlib.h>

static bool
ignore(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	return true;
}

static bool
accepts(struct str text)
{
	struct json_scanner *s = json_scanner_create(ignore, NULL, UINT64_MAX);
	bool ok = json_scanner_feed(s, text) && json_scanner_end(s);

	json_scanner_destroy(&s);
	return ok;
}

int
main(void)
{
	unsigned char head[4];
	bool whole = true;

	while (whole && fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
		char *text = mem_alloc(len + 1);

		whole = fread(text, 1, len, stdin) == len;
		putchar(whole && accepts((struct str){text, len}) ? '1' : '0');
		free(text);
	}
	return whole ? 0 : 1;
}
