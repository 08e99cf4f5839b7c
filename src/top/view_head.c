/* The lines at the top: who is asked, the queue, the slots, what is done a second. */
#include "text.h"
#include "view.h"

#include <string.h>

enum { BAR_WIDTH = 26, LABEL_WIDTH = 7 };

static void
add(struct sheet *s, enum style style, const struct buf *text)
{
	sheet_add(s, style, buf_text(text), 0, false);
}

static void
add_words(struct sheet *s, enum style style, const char *text)
{
	sheet_add(s, style, text, 0, false);
}

static void
draw_title(const struct view *v, const struct picture *p, struct sheet *s)
{
	struct buf text = {0};

	buf_addf(&text, "drover %s", p->version);
	add(s, STYLE_STRONG, &text);
	buf_clear(&text);
	buf_adds(&text, " at ");
	buf_adds(&text, v->url);
	buf_adds(&text, "  up ");
	text_add_duration(&text, p->uptime_s * 1000);
	add(s, STYLE_PLAIN, &text);
	if (p->draining)
		add_words(s, STYLE_WARN, "  draining");
	if (v->paused)
		add_words(s, STYLE_WARN, "  paused");
	buf_clear(&text);
	buf_addf(&text, "  by %s", order_name(v->order));
	if (v->columns > 0)
		add(s, STYLE_FAINT, &text);
	sheet_end_line(s);
	buf_finish(&text);
}

static void
add_bar(struct sheet *s, const char *name, int64_t filled, int64_t whole)
{
	struct buf text = {0}, label = {0};

	sheet_add(s, STYLE_STRONG, name, LABEL_WIDTH, false);
	buf_addf(&label, "%lld/%lld", (long long)filled, (long long)whole);
	text_add_bar(&text, BAR_WIDTH, filled, whole, buf_text(&label));
	add(s, filled >= whole && whole > 0 ? STYLE_WARN : STYLE_BUSY, &text);
	buf_finish(&text);
	buf_finish(&label);
}

static void
draw_queue(const struct picture *p, struct sheet *s)
{
	struct buf text = {0};

	add_bar(s, "queue", p->waiting, p->queue_size);
	buf_addf(&text, "  high %lld  normal %lld  low %lld", (long long)p->high, (long long)p->normal,
	         (long long)p->low);
	if (p->waiting > 0) {
		buf_adds(&text, "  oldest ");
		text_add_duration(&text, p->oldest_ms);
	}
	add(s, STYLE_PLAIN, &text);
	sheet_end_line(s);
	buf_finish(&text);
}

static void
draw_slots(const struct picture *p, struct sheet *s)
{
	struct buf text = {0};
	int64_t busy = 0, slots = 0;
	size_t up = 0;

	for (size_t i = 0; i < p->node_count; i++) {
		busy += p->nodes[i].busy;
		slots += p->nodes[i].slots;
		up += strcmp(p->nodes[i].state, "down") != 0;
	}
	add_bar(s, "slots", busy, slots);
	buf_addf(&text, "  nodes %zu of %zu up", up, p->node_count);
	add(s, up < p->node_count ? STYLE_BAD : STYLE_PLAIN, &text);
	buf_clear(&text);
	buf_addf(&text, "  running %lld", (long long)p->running);
	add(s, STYLE_PLAIN, &text);
	sheet_end_line(s);
	buf_finish(&text);
}

/* What a node need not have run. */
static void
add_cache(const struct picture *p, struct buf *out)
{
	int64_t saved = p->hits + p->joined + p->stale, asked = saved + p->misses;

	if (asked > 0)
		buf_addf(out, "%.0f%%", (double)saved * 100 / (double)asked);
	else
		buf_addc(out, '-');
	buf_adds(out, " of ");
	text_add_count(out, asked);
	buf_adds(out, ", ");
	text_add_count(out, p->cache_entries);
	buf_adds(out, p->cache_entries == 1 ? " answer " : " answers ");
	text_add_bytes(out, p->cache_bytes);
}

static void
draw_totals(const struct picture *p, struct sheet *s)
{
	struct buf text = {0};

	buf_addf(&text, "%.1f  ", p->rate);
	add_words(s, STYLE_STRONG, "tokens/s ");
	add(s, STYLE_PLAIN, &text);
	buf_clear(&text);
	if (p->answered_a_second >= 0)
		buf_addf(&text, "%.1f of ", p->answered_a_second);
	text_add_count(&text, p->answered);
	add_words(s, STYLE_STRONG, p->answered_a_second >= 0 ? "requests/s " : "requests ");
	add(s, STYLE_PLAIN, &text);
	buf_clear(&text);
	add_cache(p, &text);
	add_words(s, STYLE_STRONG, "  cached ");
	add(s, STYLE_PLAIN, &text);
	sheet_end_line(s);
	buf_finish(&text);
}

void
view_draw_head(const struct view *v, const struct picture *p, struct sheet *s)
{
	draw_title(v, p, s);
	draw_queue(p, s);
	draw_slots(p, s);
	draw_totals(p, s);
}
