/* Faults that a test switches on. */
#include "faults.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault_name {
	const char *name;
	enum fault_kind kind;
	int64_t after_tokens; /* when it is left out */
};

static const struct fault_name names[] = {
    {"status", FAULT_STATUS, -1},
    {"busy", FAULT_BUSY, -1},
    {"close", FAULT_CLOSE, -1},
    {"reset", FAULT_RESET, -1},
    {"hang", FAULT_HANG, -1},
    {"garbage", FAULT_GARBAGE, -1},
    {"two_lengths", FAULT_TWO_LENGTHS, -1},
    {"wrong_length", FAULT_WRONG_LENGTH, -1},
    {"truncated_chunk", FAULT_TRUNCATED_CHUNK, 1},
    {"slow", FAULT_SLOW, -1},
    {"error", FAULT_ERROR, 1},
    {"no_done", FAULT_NO_DONE, 1},
};

static const struct fault_name *
find_name(const char *kind)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, kind) == 0)
			return &names[i];
	return NULL;
}

bool
faults_add(struct list *faults, const cJSON *body, struct buf *why)
{
	const struct fault_name *name = find_name(gojson_text(body, "kind"));
	struct fault *f;

	if (name == NULL) {
		buf_addf(why, "unknown kind of fault '%s'", gojson_text(body, "kind"));
		return false;
	}
	f = NEW(struct fault);
	f->kind = name->kind;
	f->count = gojson_int(body, "count", 1);
	f->status = (int)gojson_int(body, "status", 500);
	f->after_tokens = gojson_int(body, "after_tokens", name->after_tokens);
	f->interval_ms = gojson_int(body, "interval_ms", 10);
	snprintf(f->route, sizeof(f->route), "%s", gojson_text(body, "route"));
	snprintf(f->message, sizeof(f->message), "%s", gojson_text(body, "message"));
	if (f->message[0] == '\0')
		snprintf(f->message, sizeof(f->message), "an error was switched on");
	if (f->count == 0 || f->status < 200 || f->status > 999 || f->interval_ms < 0) {
		buf_adds(why, "count, status or interval_ms out of range");
		free(f);
		return false;
	}
	list_add_last(faults, &f->link);
	return true;
}

static void
drop(struct fault *f)
{
	list_remove(&f->link);
	free(f);
}

bool
faults_take(struct list *faults, const char *name, bool runs_model, struct fault *out)
{
	struct fault *f;

	LIST_FOR_EACH (f, faults, struct fault, link) {
		if (f->route[0] == '\0' ? !runs_model : !str_glob(f->route, name))
			continue;
		*out = *f;
		list_init(&out->link);
		if (f->count > 0 && --f->count == 0)
			drop(f);
		return true;
	}
	return false;
}

void
faults_clear(struct list *faults)
{
	struct fault *f;

	LIST_FOR_EACH (f, faults, struct fault, link)
		drop(f);
}

const char *
faults_help(void)
{
	return "    status           answers `status` (500) with `message`\n"
	       "    busy             503, as when the queue is full\n"
	       "    close, reset     closes with FIN or RST, before the head or after_tokens\n"
	       "    hang             goes silent, before the head or after_tokens\n"
	       "    garbage          a head with lines that are no headers\n"
	       "    two_lengths      two different Content-Lengths\n"
	       "    wrong_length     promises more bytes than it sends, and closes\n"
	       "    truncated_chunk  closes inside a chunk, after_tokens (1)\n"
	       "    slow             the whole answer byte by byte, one each interval_ms (10)\n"
	       "    error            Ollama's error record in mid-stream, after_tokens (1)\n"
	       "    no_done          a stream that ends without its last record, after_tokens (1)\n";
}
