/* `drover usage`: one request, and its answer in columns. */
#include "app/usage_command.h"

#include "app/admin_url.h"
#include "base/buf.h"
#include "base/str.h"
#include "io/admin_client.h"
#include "io/fetch.h"
#include "io/loop.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 60000 };

struct usage_command {
	struct loop *loop; /* owned */
	struct admin_client client;
	int status; /* of the program */
};

/* ---- the table ---- */

/* Those of texts stand to the left. */
static const struct column {
	const char *title;
	const char *member;
	bool is_text;
} columns[] = {
    {"hour", "hour", true},
    {"key", "key", true},
    {"model", "model", true},
    {"requests", "requests", false},
    {"prompt", "prompt_tokens", false},
    {"output", "output_tokens", false},
    {"seconds", "seconds", false},
    {"waited", "waited_seconds", false},
    {"cached", "cached", false},
    {"refused", "refused", false},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* Refusals come by their reasons. */
static void
add_cell(const cJSON *value, struct buf *out)
{
	const cJSON *part;
	double sum = 0;

	buf_clear(out);
	if (cJSON_IsString(value)) {
		buf_adds(out, value->valuestring);
	} else if (cJSON_IsNumber(value)) {
		buf_addf(out, "%.15g", value->valuedouble);
	} else {
		cJSON_ArrayForEach (part, value)
			sum += part->valuedouble;
		buf_addf(out, "%.15g", sum);
	}
}

static void
print_cell(const struct column *c, int width, const char *text, bool is_last)
{
	printf("%*s%s", c->is_text ? -width : width, text, is_last ? "\n" : "  ");
}

static void
print_rows(const cJSON *rows)
{
	int widths[COLUMNS] = {0};
	struct buf cell = {0};
	const cJSON *row;

	for (int i = 0; i < COLUMNS; i++)
		cJSON_ArrayForEach (row, rows) {
			const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, columns[i].member);
			size_t least = strlen(columns[i].title);

			if (value == NULL)
				break; /* it was not asked for */
			add_cell(value, &cell);
			least = cell.len > least ? cell.len : least;
			widths[i] = widths[i] > (int)least ? widths[i] : (int)least;
		}
	for (int i = 0; i < COLUMNS; i++)
		if (widths[i] > 0)
			print_cell(&columns[i], widths[i], columns[i].title, i == COLUMNS - 1);
	cJSON_ArrayForEach (row, rows)
		for (int i = 0; i < COLUMNS; i++) {
			if (widths[i] == 0)
				continue;
			add_cell(cJSON_GetObjectItemCaseSensitive(row, columns[i].member), &cell);
			print_cell(&columns[i], widths[i], buf_text(&cell), i == COLUMNS - 1);
		}
	buf_finish(&cell);
}

static int
print_answer(struct str body)
{
	cJSON *answer = cJSON_ParseWithLength(body.ptr, body.len);
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(answer, "rows");
	int status = 0;

	if (!cJSON_IsArray(rows)) {
		fputs("drover usage: the answer makes no sense; is that address drover's admin API?\n",
		      stderr);
		status = 1;
	} else if (cJSON_GetArraySize(rows) == 0) {
		puts("nobody has used anything in this time");
	} else {
		print_rows(rows);
	}
	cJSON_Delete(answer);
	return status;
}

/* ---- the request ---- */

static int
say_failure(const struct usage_command *u, enum exchange_end end, int status, struct str body)
{
	struct buf why = {0};

	admin_client_explain(&u->client, end, status, body, &why);
	fprintf(stderr, "drover usage: %s%s\n", buf_text(&why),
	        exchange_end_is_connect(end) ? admin_client_hint : "");
	buf_finish(&why);
	return 1;
}

static void
on_answer(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
          void *arg)
{
	struct usage_command *u = arg;

	if (end == EXCHANGE_DONE && status == 200)
		u->status = print_answer(body);
	else
		u->status = say_failure(u, end, status, body);
	loop_stop(u->loop);
}

/* What does not belong into a target is not sent there: the answer says what would be right. */
static void
add_parameter(const char *name, const char *value, struct buf *out)
{
	buf_addf(out, "&%s=", name);
	for (; *value != '\0'; value++)
		if (*value > ' ' && *value < 0x7f && strchr("&#?", *value) == NULL)
			buf_addc(out, *value);
		else
			buf_addc(out, '_');
}

static void
run(struct usage_command *u, const struct settings_call *call)
{
	struct buf target = {0};
	struct exchange_request req;

	buf_adds(&target, "/admin/v1/usage?format=json");
	if (call->usage_by != NULL)
		add_parameter("by", call->usage_by, &target);
	if (call->usage_since != NULL)
		add_parameter("since", call->usage_since, &target);
	req = admin_client_request(&u->client, HTTP_GET, (struct str){target.data, target.len},
	                           ANSWER_MS);
	fetch_start(u->client.upstream, &req, ADMIN_CLIENT_ANSWER_MAX, on_answer, u);
	buf_finish(&target);
	loop_run(u->loop);
}

int
usage_command_run(const struct settings_call *call)
{
	struct usage_command u = {.status = 2};
	struct buf url = {0}, why = {0};

	if (!admin_url_add("usage", call->admin, &url))
		return u.status;
	u.loop = loop_create();
	if (admin_client_init(&u.client, u.loop, buf_text(&url), call->admin_key, &why))
		run(&u, call);
	else
		fprintf(stderr, "drover usage: --admin %s\n", buf_text(&why));
	admin_client_finish(&u.client);
	loop_destroy(&u.loop);
	buf_finish(&url);
	buf_finish(&why);
	return u.status;
}
