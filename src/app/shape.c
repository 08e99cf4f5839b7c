/*
 * From a request's body to its job, and from the job back to the body.
 *
 * The body as it came is kept until an answer begins, and each try makes what it sends from that:
 * the variant may have changed meanwhile.
 */
#include "app/shape.h"

#include "app/gateway.h"
#include "app/request.h"
#include "app/rules.h"
#include "core/sched.h"
#include "proto/rewrite.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_PER_TOKEN = 4 };

static bool
is_native(const struct request *r)
{
	return r->dialect == DIALECT_OLLAMA;
}

/* Routes that answer with text: of the others are embeddings, which have no tokens to count. */
static bool
generates(const struct request *r)
{
	return r->route->content_key != NULL || r->route->most_key != NULL;
}

static int32_t
narrow(int64_t value)
{
	return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

/* --- into the job --- */

/* The same numbers, each on its own floor. */
static enum body_member
member_of(enum variant_option o)
{
	switch (o) {
	case OPTION_NUM_CTX: return BODY_NUM_CTX;
	case OPTION_NUM_BATCH: return BODY_NUM_BATCH;
	case OPTION_NUM_GPU: return BODY_NUM_GPU;
	case OPTION_MAIN_GPU: return BODY_MAIN_GPU;
	case OPTION_USE_MMAP: return BODY_USE_MMAP;
	case OPTION_NUM_THREAD: return BODY_NUM_THREAD;
	case VARIANT_OPTIONS: break;
	}
	abort();
}

static void
take_options(const struct body_facts *f, struct variant_options *out)
{
	*out = (struct variant_options){0};
	for (int i = 0; i < VARIANT_OPTIONS; i++) {
		const struct body_number *n = &f->numbers[member_of((enum variant_option)i)];

		if (n->is == BODY_GIVEN)
			variant_options_set(out, (enum variant_option)i, narrow(n->value));
	}
}

/* Ollama makes a context of 4 of what is none. */
static void
take_context(const struct body_facts *f, const struct model_settings *rule,
             struct variant_options *out)
{
	int32_t most = narrow(rule->num_ctx.most), wanted = out->values[OPTION_NUM_CTX];

	if (wanted <= 0)
		variant_options_unset(out, OPTION_NUM_CTX);
	if (wanted <= 0 && rewrite_can(f, BODY_NUM_CTX))
		wanted = narrow(rule->num_ctx.usual);
	if (wanted > 0)
		variant_options_set(out, OPTION_NUM_CTX, most > 0 && wanted > most ? most : wanted);
}

/* What the body says: 0 where it sets no bound. */
static int64_t
said_most(const struct body_facts *f)
{
	static const enum body_member members[] = {BODY_NUM_PREDICT, BODY_MAX_TOKENS,
	                                           BODY_MAX_COMPLETION_TOKENS, BODY_MAX_OUTPUT_TOKENS};
	int64_t least = 0;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct body_number *n = &f->numbers[members[i]];

		if (n->is == BODY_GIVEN && n->value > 0 && (least == 0 || n->value < least))
			least = n->value;
	}
	return least;
}

/* What holds instead of what was said; `given`: something was. */
static int64_t
allowed_most(const struct model_settings *rule, bool given, int64_t said)
{
	int64_t most = rule->num_predict.most;

	if (!given && rule->num_predict.usual > 0)
		said = rule->num_predict.usual;
	return most > 0 && (said <= 0 || said > most) ? most : said;
}

static int
output_tokens(const struct request *r, const struct model_settings *rule)
{
	int64_t said = said_most(&r->facts);

	if (!generates(r) || r->facts.load_only)
		return 1;
	return narrow(allowed_most(rule, said > 0, said));
}

static uint64_t
conversation_of(const struct request *r, const char *model)
{
	struct body_span at = r->facts.first_turn;

	/* What is compressed is not kept in the clear. */
	if (at.end == 0 || r->is_zstd)
		return 0;
	return str_hash((struct str){r->body.data + at.begin, at.end - at.begin},
	                str_hash(str_of(model), 0));
}

void
shape_job(const struct request *r, const char *model, struct job *j)
{
	const struct model_settings *rule = rules_find(&r->config->settings, model);
	const struct body_facts *f = &r->facts;

	j->prompt_tokens = narrow((int64_t)(f->text_bytes / BYTES_PER_TOKEN));
	j->most_output_tokens = output_tokens(r, rule);
	/* The rule's own is put in its place. */
	j->unloads = f->keep_alive_zero && rule->keep_alive == NULL;
	if (j->conversation == 0)
		j->conversation = conversation_of(r, model);
	if (!is_native(r) || j->slotless)
		return;
	take_options(f, &j->options);
	take_context(f, rule, &j->options);
	j->unify = rule->num_ctx.unify;
	j->most_num_ctx = narrow(rule->num_ctx.most);
}

/* --- into the body --- */

/* What is to be changed, and the texts of it. */
struct changes {
	const struct body_facts *facts;
	struct rewrite_edit edits[BODY_MEMBERS];
	size_t count;
	char texts[BODY_MEMBERS][24];
	struct buf *said;
};

static void
say(struct changes *c, enum body_member m, const char *value)
{
	buf_addf(c->said, "%s%s=%s", c->said->len > 0 ? ", " : "", body_member_name(m), value);
}

static void
change(struct changes *c, enum body_member m, const char *text, const char *said)
{
	c->edits[c->count++] = (struct rewrite_edit){m, str_of(text)};
	say(c, m, said);
}

static void
change_number(struct changes *c, enum body_member m, int64_t value)
{
	char *text = c->texts[c->count];

	snprintf(text, sizeof(c->texts[0]), "%lld", (long long)value);
	change(c, m, text, text);
}

/* 0: none is to be named. */
static void
change_context(struct changes *c, int32_t wanted)
{
	const struct body_number *n = &c->facts->numbers[BODY_NUM_CTX];

	if (!rewrite_can(c->facts, BODY_NUM_CTX))
		return;
	if (wanted == 0 && n->is == BODY_GIVEN)
		change(c, BODY_NUM_CTX, "null", "default");
	else if (wanted != 0 && (n->is != BODY_GIVEN || n->value != wanted))
		change_number(c, BODY_NUM_CTX, wanted);
}

/* Where a bound was said, or must be. */
static void
change_bound(struct changes *c, const struct model_settings *rule, enum body_member m)
{
	const struct body_number *n = &c->facts->numbers[m];
	bool given = n->is == BODY_GIVEN;
	int64_t said = given && n->value > 0 ? n->value : 0, allowed;

	if (!rewrite_can(c->facts, m))
		return;
	allowed = allowed_most(rule, given, said);
	if (allowed != said)
		change_number(c, m, allowed);
}

static enum body_member
bound_member(const struct route *route)
{
	return strcmp(route->most_key, body_member_name(BODY_MAX_OUTPUT_TOKENS)) == 0
	           ? BODY_MAX_OUTPUT_TOKENS
	           : BODY_MAX_TOKENS;
}

/* The newer name of it alone is enough, where that is what was said. */
static void
change_bounds(struct changes *c, const struct request *r, const struct model_settings *rule)
{
	bool newer = c->facts->numbers[BODY_MAX_COMPLETION_TOKENS].is == BODY_GIVEN;
	enum body_member m;

	if (is_native(r)) {
		change_bound(c, rule, BODY_NUM_PREDICT);
		return;
	}
	m = bound_member(r->route);
	if (newer)
		change_bound(c, rule, BODY_MAX_COMPLETION_TOKENS);
	if (!newer || c->facts->numbers[m].is == BODY_GIVEN)
		change_bound(c, rule, m);
}

static void
change_keep_alive(struct changes *c, const struct request *r, const char *model,
                  const struct model_settings *rule)
{
	char *text = c->texts[c->count];

	if (rule->keep_alive == NULL)
		return;
	snprintf(text, sizeof(c->texts[0]), "%lld",
	         (long long)rules_keep_alive_s(&r->config->settings, model));
	change(c, BODY_KEEP_ALIVE, text, rule->keep_alive);
}

/* Of a form the value stands bare. */
static void
change_model(struct changes *c, const struct request *r, const char *model, struct buf *quoted)
{
	if (r->route->multipart)
		buf_adds(quoted, model);
	else
		buf_add_json(quoted, model, strlen(model));
	change(c, BODY_MODEL, buf_text(quoted), model);
}

static void
apply(struct request *r, const struct changes *c)
{
	struct buf plain = {0}, sent = {0};
	struct str body = request_plain_body(r, &plain);

	rewrite_add(body, &r->facts, c->edits, c->count, &sent);
	request_replace_body(r, &sent);
	buf_finish(&plain);
}

void
shape_body(struct request *r, const char *model, const struct job *j)
{
	const struct model_settings *rule = rules_find(&r->config->settings, model);
	struct changes c = {.facts = &r->facts, .said = &r->rewritten};
	struct buf quoted = {0};

	request_restore_body(r);
	if (r->model_sent != NULL)
		change_model(&c, r, r->model_sent, &quoted);
	if (is_native(r) && !j->slotless)
		change_context(&c, sched_context(r->gateway->sched, j));
	if (generates(r) && !r->facts.load_only)
		change_bounds(&c, r, rule);
	if (is_native(r) && !j->slotless)
		change_keep_alive(&c, r, model, rule);
	if (c.count > 0)
		apply(r, &c);
	buf_finish(&quoted);
}

void
shape_model(struct request *r)
{
	struct changes c = {.facts = &r->facts, .said = &r->rewritten};
	struct buf quoted = {0};

	request_restore_body(r);
	if (r->model_sent != NULL) {
		change_model(&c, r, r->model_sent, &quoted);
		apply(r, &c);
	}
	buf_finish(&quoted);
}
