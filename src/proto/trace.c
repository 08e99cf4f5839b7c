/* Readers of traces, one function a format. */
#include "proto/trace.h"

#include "base/mem.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6, MOST_FIELDS = 8 };

static const char burstgpt_columns[] = "Timestamp,";
static const double most_tokens = 1e9;

/* --- CSV --- */

static size_t
split(const char *line, struct str *fields)
{
	struct str rest = str_trim(str_of(line));
	size_t count = 0;

	while (count < MOST_FIELDS && str_split(&rest, ',', &fields[count]))
		count++;
	return count;
}

static bool
to_number(struct str text, double *out)
{
	char copy[32], *end;

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0' && *out >= 0 && *out < most_tokens;
}

static bool
to_tokens(struct str text, int *out)
{
	double value;

	if (!to_number(text, &value))
		return false;
	*out = (int)value;
	return true;
}

static enum trace_read
read_plain(const char *line, struct trace_row *row)
{
	struct str f[MOST_FIELDS];

	if (split(line, f) != COLUMNS || !to_number(f[0], &row->at_s) ||
	    !to_tokens(f[4], &row->prompt_tokens) || !to_tokens(f[5], &row->output_tokens))
		return TRACE_BAD;
	row->model = f[1];
	row->class = f[2];
	row->key = f[3];
	return TRACE_ROW;
}

static enum trace_read
read_burstgpt(const char *line, struct trace_row *row)
{
	struct str f[MOST_FIELDS];

	if (strncmp(line, burstgpt_columns, strlen(burstgpt_columns)) == 0)
		return TRACE_NOTHING;
	if (split(line, f) != COLUMNS || !to_number(f[0], &row->at_s) ||
	    !to_tokens(f[2], &row->prompt_tokens) || !to_tokens(f[3], &row->output_tokens))
		return TRACE_BAD;
	row->model = f[1];
	row->class = f[5];
	return row->output_tokens > 0 ? TRACE_ROW : TRACE_NOTHING;
}

/* --- Mooncake --- */

static void
add_block(struct trace_row *row, uint64_t id)
{
	if (row->block_count == row->block_room) {
		row->block_room = row->block_room == 0 ? 64 : row->block_room * 2;
		row->blocks = mem_realloc(row->blocks, row->block_room * sizeof(row->blocks[0]));
	}
	row->blocks[row->block_count++] = id;
}

static bool
get_number(const cJSON *json, const char *key, double *out)
{
	const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, key);

	if (!cJSON_IsNumber(it) || it->valuedouble < 0 || it->valuedouble >= 1e15)
		return false;
	*out = it->valuedouble;
	return true;
}

static enum trace_read
read_mooncake(const char *line, struct trace_row *row)
{
	cJSON *json = cJSON_Parse(line);
	double at_ms, prompt, output;
	enum trace_read read = TRACE_BAD;
	const cJSON *id;

	if (!get_number(json, "timestamp", &at_ms) || !get_number(json, "input_length", &prompt) ||
	    !get_number(json, "output_length", &output) || prompt >= most_tokens ||
	    output >= most_tokens)
		goto out;
	cJSON_ArrayForEach (id, cJSON_GetObjectItemCaseSensitive(json, "hash_ids")) {
		if (!cJSON_IsNumber(id) || id->valuedouble < 0 || id->valuedouble >= 0x1p53)
			goto out;
		add_block(row, (uint64_t)id->valuedouble);
	}
	row->at_s = at_ms / 1000;
	row->prompt_tokens = (int)prompt;
	row->output_tokens = (int)output;
	read = TRACE_ROW;
out:
	cJSON_Delete(json);
	return read;
}

/* --- all --- */

enum trace_read
trace_read_line(enum trace_format format, const char *line, struct trace_row *row)
{
	row->model = row->class = row->key = (struct str){"", 0};
	row->block_count = 0;
	if (*line == '\0')
		return TRACE_NOTHING;
	switch (format) {
	case TRACE_PLAIN: return read_plain(line, row);
	case TRACE_MOONCAKE: return read_mooncake(line, row);
	case TRACE_BURSTGPT: return read_burstgpt(line, row);
	}
	abort();
}

bool
trace_guess(const char *line, enum trace_format *format)
{
	static const enum trace_format all[] = {TRACE_MOONCAKE, TRACE_BURSTGPT, TRACE_PLAIN};
	struct trace_row row = {0};
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(all) / sizeof(all[0]); i++)
		if (*line != '\0' && trace_read_line(all[i], line, &row) != TRACE_BAD) {
			*format = all[i];
			found = true;
		}
	trace_row_finish(&row);
	return found;
}

void
trace_row_finish(struct trace_row *row)
{
	free(row->blocks);
	*row = (struct trace_row){0};
}
