/*
 * Gates.
 *
 * A permit frees one stop: of who is held first, or of the next who comes.
 */
#include "gates.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
gates_init(struct gates *g)
{
	list_init(&g->closed);
	g->held = 0;
}

static void
gate_destroy(struct gate *gate)
{
	assert(list_empty(&gate->held));
	list_remove(&gate->link);
	free(gate->name);
	free(gate);
}

void
gates_finish(struct gates *g)
{
	struct gate *gate;

	LIST_FOR_EACH (gate, &g->closed, struct gate, link)
		gate_destroy(gate);
}

static struct gate *
find(const struct gates *g, struct str name)
{
	struct gate *gate;

	LIST_FOR_EACH (gate, &g->closed, struct gate, link)
		if (str_eq(name, gate->name))
			return gate;
	return NULL;
}

static bool
read_point(const char *text, enum gate_point *point, int *token)
{
	static const char numbered[] = "before_token:";
	uint64_t value;

	*token = 1;
	if (strcmp(text, "before_load") == 0)
		*point = GATE_LOAD;
	else if (strcmp(text, "before_first_token") == 0)
		*point = GATE_TOKEN;
	else if (strcmp(text, "before_each_token") == 0)
		*point = GATE_EACH_TOKEN;
	else if (strcmp(text, "before_end") == 0)
		*point = GATE_END;
	else if (strncmp(text, numbered, strlen(numbered)) == 0 &&
	         str_to_u64(str_of(text + strlen(numbered)), &value) && value >= 1 &&
	         value < INT32_MAX) {
		*point = GATE_TOKEN;
		*token = (int)value;
	} else {
		return false;
	}
	return true;
}

bool
gates_close(struct gates *g, const char *name, const char *point_text)
{
	struct gate *gate = find(g, str_of(name));
	enum gate_point point;
	int token;

	if (name[0] == '\0' || !read_point(point_text, &point, &token))
		return false;
	if (gate == NULL) {
		gate = NEW(struct gate);
		gate->name = mem_strdup(name);
		list_init(&gate->held);
		list_add_last(&g->closed, &gate->link);
	}
	gate->point = point;
	gate->token = token;
	gate->permits = 0;
	return true;
}

static void
let_first_go(struct gates *g, struct gate *gate)
{
	struct gate_hold *h = LIST_FIRST(&gate->held, struct gate_hold, link);

	gate_hold_leave(g, h);
	h->on_open(h->arg);
}

/* Only who is held now is freed: who comes back to the gate meanwhile is held again. */
static void
free_held(struct gates *g, struct gate *gate, int64_t times)
{
	int64_t held = 0;

	for (struct list *l = gate->held.next; l != &gate->held; l = l->next)
		held++;
	for (; held > 0 && times > 0 && !list_empty(&gate->held); held--, times--)
		let_first_go(g, gate);
	gate->permits += times;
}

static void
remove_gate(struct gates *g, struct gate *gate)
{
	list_remove(&gate->link);
	while (!list_empty(&gate->held))
		let_first_go(g, gate);
	gate_destroy(gate);
}

bool
gates_open(struct gates *g, const char *name, int64_t times)
{
	struct gate *gate = find(g, str_of(name));

	if (gate == NULL)
		return false;
	if (times > 0)
		free_held(g, gate, times);
	else
		remove_gate(g, gate);
	return true;
}

void
gates_open_all(struct gates *g)
{
	struct gate *gate;

	while ((gate = LIST_FIRST(&g->closed, struct gate, link)) != NULL)
		remove_gate(g, gate);
}

void
gate_hold_init(struct gate_hold *h, void (*on_open)(void *arg), void *arg)
{
	*h = (struct gate_hold){.on_open = on_open, .arg = arg};
	list_init(&h->link);
}

static bool
is_at(const struct gate *gate, enum gate_point point, int token)
{
	if (point != GATE_TOKEN)
		return gate->point == point;
	return gate->point == GATE_EACH_TOKEN || (gate->point == GATE_TOKEN && gate->token == token);
}

bool
gates_stop(struct gates *g, struct gate_hold *h, struct str names, enum gate_point point, int token)
{
	struct str rest = names, name;

	while (!list_empty(&g->closed) && str_split(&rest, ',', &name)) {
		struct gate *gate = find(g, str_trim(name));

		if (gate == NULL || !is_at(gate, point, token))
			continue;
		if (gate->permits > 0) {
			gate->permits--;
			continue;
		}
		h->gate = gate;
		list_add_last(&gate->held, &h->link);
		g->held++;
		return true;
	}
	return false;
}

void
gate_hold_leave(struct gates *g, struct gate_hold *h)
{
	if (h->gate == NULL)
		return;
	h->gate = NULL;
	list_remove(&h->link);
	g->held--;
}
