/* Traces in memory. */
#include "recording.h"

#include "base/map.h"
#include "base/mem.h"
#include "proto/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDED_MAX = 10 * 1000 * 1000, NAMES_MAX = 10000 };

/* Names to their index, plus one, in the pointer's place. */
struct names {
	struct map indices;
	char ***texts;
	size_t *count;
};

static int
index_of(struct names *n, struct str name)
{
	char *text;
	void *found;

	if (name.len == 0 || *n->count == NAMES_MAX)
		return -1;
	text = mem_strndup(name.ptr, name.len);
	found = map_find(&n->indices, text);
	if (found != NULL) {
		free(text);
		return (int)(intptr_t)found - 1;
	}
	*n->texts = mem_realloc(*n->texts, (*n->count + 1) * sizeof(char *));
	(*n->texts)[(*n->count)++] = text;
	map_put(&n->indices, text,
	        (void *)(intptr_t)*n->count); // NOLINT(performance-no-int-to-ptr): a number
	return (int)*n->count - 1;
}

static size_t
add_blocks(struct recording *r, const struct trace_row *row)
{
	size_t first = r->block_count;

	if (r->block_count + row->block_count > r->block_room) {
		r->block_room = (r->block_count + row->block_count) * 2;
		r->blocks = mem_realloc(r->blocks, r->block_room * sizeof(r->blocks[0]));
	}
	for (size_t i = 0; i < row->block_count; i++)
		r->blocks[r->block_count++] = row->blocks[i];
	return first;
}

static void
add(struct recording *r, const struct trace_row *row, double speed, struct names *models,
    struct names *keys)
{
	if (r->count == r->room) {
		r->room = r->room == 0 ? 1024 : r->room * 2;
		r->all = mem_realloc(r->all, r->room * sizeof(r->all[0]));
	}
	r->all[r->count++] = (struct recorded){
	    .due_us = (int64_t)(row->at_s / speed * 1e6),
	    .model = index_of(models, row->model),
	    .key = index_of(keys, row->key),
	    .prompt_tokens = row->prompt_tokens,
	    .output_tokens = row->output_tokens,
	    .first_block = add_blocks(r, row),
	    .block_count = row->block_count,
	};
}

static int
by_time(const void *a, const void *b)
{
	const struct recorded *x = a, *y = b;

	return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static void
begin_at_zero(struct recording *r)
{
	int64_t first;

	qsort(r->all, r->count, sizeof(r->all[0]), by_time);
	first = r->all[0].due_us;
	for (size_t i = 0; i < r->count; i++)
		r->all[i].due_us -= first;
}

static const char *
read_lines(struct recording *r, FILE *f, double speed, int *number)
{
	struct names models = {.texts = &r->models, .count = &r->model_count};
	struct names keys = {.texts = &r->keys, .count = &r->key_count};
	enum trace_format format = TRACE_PLAIN;
	struct trace_row row = {0};
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0;

	while (wrong == NULL && getline(&line, &room, f) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (++*number == 1 && !trace_guess(line, &format)) {
			wrong = "this is no trace of a known format";
			break;
		}
		switch (trace_read_line(format, line, &row)) {
		case TRACE_ROW: add(r, &row, speed, &models, &keys); break;
		case TRACE_NOTHING: break;
		case TRACE_BAD: wrong = "this is not of the format that the first line has"; break;
		}
		if (r->count > RECORDED_MAX)
			wrong = "more than ten million requests";
	}
	if (wrong == NULL && r->count == 0)
		wrong = "there is no request in it";
	free(line);
	trace_row_finish(&row);
	map_finish(&models.indices);
	map_finish(&keys.indices);
	return wrong;
}

bool
recording_read(struct recording *r, const char *path, double speed, struct buf *why)
{
	FILE *f = fopen(path, "r");
	const char *wrong;
	int number = 0;

	*r = (struct recording){0};
	if (f == NULL) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	wrong = read_lines(r, f, speed, &number);
	fclose(f);
	if (wrong != NULL)
		buf_addf(why, "%s:%d: %s", path, number, wrong);
	else
		begin_at_zero(r);
	return wrong == NULL;
}

static void
free_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

void
recording_finish(struct recording *r)
{
	free(r->all);
	free(r->blocks);
	free_names(r->models, r->model_count);
	free_names(r->keys, r->key_count);
	*r = (struct recording){0};
}
