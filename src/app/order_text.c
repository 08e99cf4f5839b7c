/* The scheduler's orders in words. */
#include "app/order_text.h"

#include "core/sched.h"

#include <string.h>

static void
add_value(struct buf *out, const struct variant_options *v, enum variant_option o)
{
	if (o == OPTION_USE_MMAP)
		buf_adds(out, v->values[o] != 0 ? "true" : "false");
	else
		buf_add_int(out, v->values[o]);
}

void
order_add_label(struct buf *out, const struct order *o)
{
	buf_addf(out, "%s %s", o->kind == ORDER_LOAD ? "loading" : "unloading", o->model);
	for (enum variant_option v = 0; v < VARIANT_OPTIONS; v++)
		if (variant_options_has(&o->options, v)) {
			buf_addf(out, " %s=", variant_option_name(v));
			add_value(out, &o->options, v);
		}
}

static void
begin(struct buf *out, const struct order *o)
{
	buf_adds(out, "{\"model\":");
	buf_add_json(out, o->model, strlen(o->model));
}

static void
add_options(struct buf *out, const struct variant_options *v)
{
	const char *before = ",\"options\":{";

	if (v->given == 0)
		return;
	for (enum variant_option o = 0; o < VARIANT_OPTIONS; o++) {
		if (!variant_options_has(v, o))
			continue;
		buf_addf(out, "%s\"%s\":", before, variant_option_name(o));
		add_value(out, v, o);
		before = ",";
	}
	buf_addc(out, '}');
}

void
order_add_load(struct buf *out, const struct order *o, bool embeds, int64_t keep_alive_s)
{
	begin(out, o);
	add_options(out, &o->options);
	if (keep_alive_s != 0) {
		buf_adds(out, ",\"keep_alive\":");
		buf_add_int(out, keep_alive_s);
	}
	buf_adds(out, embeds ? ",\"input\":\"\"}" : ",\"stream\":false}");
}

void
order_add_unload(struct buf *out, const struct order *o)
{
	begin(out, o);
	buf_adds(out, ",\"stream\":false,\"keep_alive\":0}");
}
