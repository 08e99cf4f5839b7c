/* `drover --demo`. */
#include "app/demo.h"

#include "base/log.h"
#include "base/mem.h"
#include "node/node.h"

#include <stdlib.h>

enum { DEMO_NODES = 2 };

/* A small model that answers at once, a large one that takes its time to load, and one for
 * embeddings. */
static const char *const models[] = {
    "llama3.2:3b,tps=60,size=2GB",
    "qwen2.5:72b,load=4s,tps=12,size=47GB",
    "nomic-embed-text,embed,size=274MB",
};

struct demo {
	struct node *nodes[DEMO_NODES]; /* owned */
};

static void
say(const struct node *node, int number)
{
	struct buf url = {0};

	node_address(node, &url);
	log_info("demo", "simulated node demo-%d at %s", number, buf_text(&url));
	buf_finish(&url);
}

struct demo *
demo_create(struct loop *l, struct buf *why)
{
	struct demo *d = NEW(struct demo);
	struct node_options options;

	node_options_init(&options);
	options.listen = "127.0.0.1:0";
	options.models = models;
	options.model_count = sizeof(models) / sizeof(models[0]);
	options.max_loaded = 1;
	for (int i = 0; i < DEMO_NODES; i++) {
		d->nodes[i] = node_create(l, &options, why);
		if (d->nodes[i] == NULL) {
			demo_destroy(&d);
			return NULL;
		}
		say(d->nodes[i], i + 1);
	}
	return d;
}

void
demo_announce(const struct demo *d, struct settings *s)
{
	for (int i = 0; i < DEMO_NODES; i++) {
		struct buf name = {0}, url = {0};

		buf_addf(&name, "demo-%d", i + 1);
		node_address(d->nodes[i], &url);
		settings_add_backend(s, buf_text(&name), buf_text(&url));
		buf_finish(&name);
		buf_finish(&url);
	}
}

void
demo_destroy(struct demo **dp)
{
	struct demo *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	for (int i = 0; i < DEMO_NODES; i++)
		node_destroy(&d->nodes[i]);
	free(d);
}
