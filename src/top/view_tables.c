/* The rows of nodes, with their models below them, and of requests. */
#include "text.h"
#include "view.h"

#include <string.h>

enum { BAR_WIDTH = 22, WIDE = 100, WIDER = 130 };

/* --- nodes --- */

enum { NODE_NAME, NODE_STATE, NODE_SLOTS, NODE_VERSION, NODE_URL, NODE_COLUMNS };

static const struct column node_columns[] = {
    [NODE_NAME] = {.title = "NODE, MODELS"},
    [NODE_STATE] = {.title = "STATE", .width = 9},
    [NODE_SLOTS] = {.title = "SLOTS", .width = BAR_WIDTH},
    [NODE_VERSION] = {.title = "VERSION", .width = 10, .wide_only = WIDE},
    [NODE_URL] = {.title = "URL", .wide_only = WIDE},
};

static void
put_bar(struct table *t, int64_t filled, int64_t whole, const char *label)
{
	struct buf bar = {0};

	text_add_bar(&bar, BAR_WIDTH, filled, whole, label);
	table_put(t, NODE_SLOTS, STYLE_BUSY, buf_text(&bar));
	buf_finish(&bar);
}

static void
put_slots(struct table *t, int64_t busy, int64_t slots)
{
	struct buf label = {0};

	buf_addf(&label, "%lld/%lld", (long long)busy, (long long)slots);
	put_bar(t, busy, slots, buf_text(&label));
	buf_finish(&label);
}

static void
put_loading(struct table *t, const struct model_shown *m)
{
	struct buf label = {0};

	text_add_duration(&label, m->loading_ms);
	if (m->expected_ms > 0) {
		buf_adds(&label, " of ");
		text_add_duration(&label, m->expected_ms);
	}
	put_bar(t, m->loading_ms, m->expected_ms, buf_text(&label));
	buf_finish(&label);
}

/* One that is up and not sent anything, since it failed too often, is not good. */
static void
put_node_state(struct table *t, const struct node_shown *n)
{
	if (strcmp(n->state, "up") != 0)
		table_put(t, NODE_STATE, strcmp(n->state, "down") == 0 ? STYLE_BAD : STYLE_WARN, n->state);
	else if (strcmp(n->breaker, "open") == 0)
		table_put(t, NODE_STATE, STYLE_BAD, "broken");
	else if (strcmp(n->breaker, "trying") == 0)
		table_put(t, NODE_STATE, STYLE_WARN, "trying");
	else
		table_put(t, NODE_STATE, STYLE_GOOD, n->state);
}

static void
add_model(struct table *t, const struct model_shown *m)
{
	bool loads = strcmp(m->state, "loading") == 0;
	struct buf name = {0};

	buf_addf(&name, "  %s", m->name);
	if (m->num_ctx > 0)
		buf_addf(&name, " num_ctx=%lld", (long long)m->num_ctx);
	table_add_row(t);
	table_put(t, NODE_NAME, STYLE_PLAIN, buf_text(&name));
	table_put(t, NODE_STATE, strcmp(m->state, "loaded") == 0 ? STYLE_PLAIN : STYLE_WARN, m->state);
	if (loads && m->loading_ms >= 0)
		put_loading(t, m);
	else
		put_slots(t, m->busy, m->slots);
	buf_finish(&name);
}

void
view_fill_nodes(const struct picture *p, struct table *t)
{
	table_begin(t, node_columns, NODE_COLUMNS);
	for (size_t i = 0; i < p->node_count; i++) {
		const struct node_shown *n = &p->nodes[i];

		table_add_row(t);
		table_put(t, NODE_NAME, STYLE_STRONG, n->name);
		put_node_state(t, n);
		put_slots(t, n->busy, n->slots);
		table_put(t, NODE_VERSION, STYLE_PLAIN, n->version);
		table_put(t, NODE_URL, STYLE_PLAIN, n->url);
		for (size_t j = 0; j < n->model_count; j++)
			add_model(t, &n->models[j]);
	}
}

/* --- requests --- */

enum {
	ROW_STATE,
	ROW_CLASS,
	ROW_POSITION,
	ROW_ETA,
	ROW_AGE,
	ROW_WAITED,
	ROW_TOKENS,
	ROW_RATE,
	ROW_KEY,
	ROW_MODEL,
	ROW_NODE,
	ROW_ID,
	ROW_COLUMNS
};

static const struct column row_columns[] = {
    [ROW_STATE] = {.title = "STATE", .width = 7},
    [ROW_CLASS] = {.title = "CLASS", .width = 6},
    [ROW_POSITION] = {.title = "POS", .width = 4, .right = true},
    [ROW_ETA] = {.title = "ETA", .width = 6, .right = true},
    [ROW_AGE] = {.title = "AGE", .width = 6, .right = true},
    [ROW_WAITED] = {.title = "WAITED", .width = 6, .right = true, .wide_only = WIDE},
    [ROW_TOKENS] = {.title = "TOKENS", .width = 6, .right = true},
    [ROW_RATE] = {.title = "TOK/S", .width = 6, .right = true},
    [ROW_KEY] = {.title = "KEY"},
    [ROW_MODEL] = {.title = "MODEL"},
    [ROW_NODE] = {.title = "NODE"},
    [ROW_ID] = {.title = "ID", .wide_only = WIDER},
};

static void
put_duration(struct table *t, size_t column, int64_t ms)
{
	struct buf text = {0};

	if (ms >= 0) {
		text_add_duration(&text, ms);
		table_put(t, column, STYLE_PLAIN, buf_text(&text));
	}
	buf_finish(&text);
}

static void
put_count(struct table *t, size_t column, int64_t value)
{
	struct buf text = {0};

	if (value >= 0) {
		text_add_count(&text, value);
		table_put(t, column, STYLE_PLAIN, buf_text(&text));
	}
	buf_finish(&text);
}

static void
put_rate(struct table *t, double rate)
{
	struct buf text = {0};

	if (rate >= 0) {
		buf_addf(&text, rate < 9999 ? "%.1f" : "%.0f", rate);
		table_put(t, ROW_RATE, STYLE_PLAIN, buf_text(&text));
	}
	buf_finish(&text);
}

/* Who waits for a model that is being loaded waits for something else than a slot. */
static void
put_state(struct table *t, const struct request_shown *r)
{
	if (*r->loading_on != '\0')
		table_put(t, ROW_STATE, STYLE_WARN, "loading");
	else if (strcmp(r->state, "running") == 0)
		table_put(t, ROW_STATE, STYLE_GOOD, r->state);
	else
		table_put(t, ROW_STATE, STYLE_PLAIN,
		          strcmp(r->state, "receiving") == 0 ? "receive" : r->state);
}

void
view_fill_requests(const struct picture *p, struct table *t)
{
	table_begin(t, row_columns, ROW_COLUMNS);
	for (size_t i = 0; i < p->row_count; i++) {
		const struct request_shown *r = &p->rows[i];

		table_add_row(t);
		put_state(t, r);
		table_put(t, ROW_CLASS, STYLE_PLAIN, r->class);
		put_count(t, ROW_POSITION, r->position);
		put_duration(t, ROW_ETA, r->eta_ms);
		put_duration(t, ROW_AGE, r->age_ms);
		put_duration(t, ROW_WAITED, r->waited_ms);
		put_count(t, ROW_TOKENS, r->tokens);
		put_rate(t, r->rate);
		table_put(t, ROW_KEY, STYLE_PLAIN, r->key);
		table_put(t, ROW_MODEL, STYLE_PLAIN, r->model);
		table_put(t, ROW_NODE, STYLE_PLAIN, *r->loading_on != '\0' ? r->loading_on : r->backend);
		table_put(t, ROW_ID, STYLE_PLAIN, r->id);
	}
}
