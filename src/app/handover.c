/* The messages of a handover: words, and what they carry. */
#include "app/handover.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const uses[] = {[SOCKETS_FRONT] = "front", [SOCKETS_ADMIN] = "admin"};

enum { USES = sizeof(uses) / sizeof(uses[0]), OTHER_NUMBERS = 6 };

void
handover_add_socket(const struct sockets_item *item, struct buf *out)
{
	buf_addf(out, "socket %s %s %s", uses[item->use], item->chosen ? "chosen" : "configured",
	         item->address);
}

static bool
take_word(struct str *rest, const char *word)
{
	struct str before = *rest, part;

	if (str_split(rest, ' ', &part) && str_eq(part, word))
		return true;
	*rest = before;
	return false;
}

bool
handover_read_socket(struct str message, struct sockets_item *item)
{
	bool found = false;

	if (!take_word(&message, "socket"))
		return false;
	for (size_t i = 0; i < USES && !found; i++) {
		found = take_word(&message, uses[i]);
		item->use = (enum sockets_use)i;
	}
	item->chosen = take_word(&message, "chosen");
	if (!found || !(item->chosen || take_word(&message, "configured")) || message.ptr == NULL)
		return false;
	item->address = message.ptr;
	return true;
}

void
handover_add_drained(const char *name, struct buf *out)
{
	buf_addf(out, "drained %s", name);
}

bool
handover_read_drained(struct str message, struct str *name)
{
	if (!take_word(&message, "drained") || message.ptr == NULL)
		return false;
	*name = message;
	return true;
}

static int64_t *
number_of(struct tally_count *n, size_t i)
{
	int64_t *const numbers[OTHER_NUMBERS] = {&n->requests, &n->prompt_tokens, &n->output_tokens,
	                                         &n->slot_ms,  &n->waited_ms,     &n->cached};

	return i < OTHER_NUMBERS ? numbers[i] : &n->refused[i - OTHER_NUMBERS];
}

/* No name has a line feed in it. */
void
handover_add_usage(const struct tally_row *row, struct buf *out)
{
	struct tally_count count = row->count;

	buf_addf(out, "usage %lld", (long long)row->hour);
	for (size_t i = 0; i < OTHER_NUMBERS + TALLY_REFUSALS; i++)
		buf_addf(out, " %lld", (long long)*number_of(&count, i));
	buf_addf(out, "\n%s\n%s", row->key, row->model);
}

/* A later program may count more than this one, or less. */
bool
handover_read_usage(struct str message, tally_fn fn, void *arg)
{
	struct tally_row row = {0};
	struct str numbers, key, part;
	uint64_t n;
	char *name, *model;

	if (!take_word(&message, "usage") || !str_split(&message, '\n', &numbers) ||
	    !str_split(&message, '\n', &key) || message.ptr == NULL ||
	    !str_split(&numbers, ' ', &part) || !str_to_u64(part, &n))
		return false;
	row.hour = (int64_t)n;
	for (size_t i = 0; i < OTHER_NUMBERS + TALLY_REFUSALS; i++)
		if (str_split(&numbers, ' ', &part) && str_to_u64(part, &n))
			*number_of(&row.count, i) = (int64_t)n;
	row.key = name = mem_strndup(key.ptr, key.len);
	row.model = model = mem_strndup(message.ptr, message.len);
	fn(&row, arg);
	free(name);
	free(model);
	return true;
}
