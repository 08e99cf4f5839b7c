/* `drover usage`: one request, and its answer in columns. */
#include "app/usage_command.h"

#include "app/admin_url.h"
#include "base/buf.h"
#include "base/str.h"
#include "io/exchange.h"
#include "io/loop.h"
#include "proto/refusal.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 60000, ANSWER_BYTES_MOST = 64 * 1024 * 1024 };

struct usage_command {
	struct loop *loop;         /* owned */
	struct upstream *upstream; /* owned */
	struct exchange *exchange; /* owned; NULL: it is over */
	struct buf url, target, headers, answer;
	int status; /* of the answer */
	enum exchange_end end;
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
print_answer(const struct usage_command *u)
{
	cJSON *answer = cJSON_Parse(buf_text(&u->answer));
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

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	((struct usage_command *)arg)->status = head->status;
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct usage_command *u = arg;

	if (u->answer.len + piece.len <= ANSWER_BYTES_MOST)
		buf_add(&u->answer, piece.ptr, piece.len);
}

static void
on_flush(struct exchange *x, void *arg)
{
	/* Nothing passes on. */
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct usage_command *u = arg;

	u->exchange = NULL;
	u->end = end;
	loop_stop(u->loop);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

static int
say_failure(const struct usage_command *u)
{
	struct buf message = {0};

	if (u->end != EXCHANGE_DONE)
		buf_addf(&message,
		         "no admin API at %s: %s. Is drover running, and its admin API there? Else give "
		         "--admin URL",
		         buf_text(&u->url), exchange_end_text(u->end));
	else if (!refusal_read_message((struct str){u->answer.data, u->answer.len}, &message))
		buf_addf(&message, "%s answered %d", buf_text(&u->url), u->status);
	if (u->status == 401)
		buf_adds(&message, "; set DROVER_ADMIN_KEY");
	fprintf(stderr, "drover usage: %s\n", buf_text(&message));
	buf_finish(&message);
	return 1;
}

static int
run(struct usage_command *u)
{
	struct upstream_conf conf = {
	    .url = buf_text(&u->url), .tls_verify = true, .connect_ms = CONNECT_MS, .idle_max = 1};
	struct exchange_request req = {
	    .method = HTTP_GET,
	    .target = {u->target.data, u->target.len},
	    .headers = {u->headers.data, u->headers.len},
	    .first_byte_ms = ANSWER_MS,
	    .idle_ms = ANSWER_MS,
	};
	struct buf why = {0};

	u->upstream = upstream_create(u->loop, &conf, &why);
	if (u->upstream == NULL) {
		fprintf(stderr, "drover usage: --admin %s\n", buf_text(&why));
		buf_finish(&why);
		return 2;
	}
	buf_finish(&why);
	u->exchange = exchange_start(u->upstream, &req, &exchange_ops, u);
	loop_run(u->loop);
	return u->end == EXCHANGE_DONE && u->status == 200 ? print_answer(u) : say_failure(u);
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

int
usage_command_run(const struct settings_call *call)
{
	struct usage_command u = {0};
	int status = 2;

	if (!admin_url_add("usage", call->admin, &u.url))
		return status;
	buf_adds(&u.target, "/admin/v1/usage?format=json");
	if (call->usage_by != NULL)
		add_parameter("by", call->usage_by, &u.target);
	if (call->usage_since != NULL)
		add_parameter("since", call->usage_since, &u.target);
	buf_adds(&u.headers, "User-Agent: drover\r\n");
	if (call->admin_key != NULL)
		buf_addf(&u.headers, "Authorization: Bearer %s\r\n", call->admin_key);
	u.loop = loop_create();
	status = run(&u);
	exchange_cancel(&u.exchange);
	upstream_destroy(&u.upstream);
	loop_destroy(&u.loop);
	buf_finish(&u.url);
	buf_finish(&u.target);
	buf_finish(&u.headers);
	buf_finish(&u.answer);
	return status;
}
