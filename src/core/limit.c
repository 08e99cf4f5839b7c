/* How much one key may ask for. */
#include "core/limit.h"

#include "base/mem.h"
#include "bucket.h"

#include <assert.h>
#include <stdlib.h>

enum {
	FIRST_OUTPUT_TOKENS = 256, /* until there are real ones to go by */
	FIRST_STAY_MS = 10000,
	STEP = 8, /* a new one counts an eighth of the average */
	SOONEST_MS = 1000,
	LATEST_MS = 60000,
};

struct limit {
	struct limit_conf conf;
	struct bucket requests;
	struct bucket tokens;
	int64_t inside;
	int64_t usual_output; /* moving averages */
	int64_t usual_stay_ms;
};

struct limit *
limit_create(const struct limit_conf *conf, int64_t now_ms)
{
	struct limit *l = NEW(struct limit);
	int64_t tokens = conf->tokens_per_minute;

	l->conf = *conf;
	l->usual_output = FIRST_OUTPUT_TOKENS;
	l->usual_stay_ms = FIRST_STAY_MS;
	bucket_init(&l->requests, conf->requests_per_minute, conf->burst > 0 ? conf->burst : 1, now_ms);
	bucket_init(&l->tokens, tokens, tokens > 0 ? tokens : 1, now_ms);
	return l;
}

void
limit_reshape(struct limit *l, const struct limit_conf *conf, int64_t now_ms)
{
	int64_t tokens = conf->tokens_per_minute;

	l->conf = *conf;
	bucket_reshape(&l->requests, conf->requests_per_minute, conf->burst > 0 ? conf->burst : 1,
	               now_ms);
	bucket_reshape(&l->tokens, tokens, tokens > 0 ? tokens : 1, now_ms);
}

void
limit_destroy(struct limit **lp)
{
	struct limit *l = *lp;

	*lp = NULL;
	assert(l == NULL || l->inside == 0);
	free(l);
}

/* What is held for a request that will bring so many tokens. Never more than the limit has, so
 * that one large request is no reason to refuse all others for long. */
static int64_t
estimate(const struct limit *l, int64_t prompt_tokens, int64_t most_output)
{
	bool is_bounded = most_output > 0 && most_output < l->usual_output;
	int64_t tokens = prompt_tokens + (is_bounded ? most_output : l->usual_output);

	return tokens < l->tokens.capacity ? tokens : l->tokens.capacity;
}

/* The first of those inside that ends makes room; each is on its way for as long as is usual. */
static int64_t
time_until_one_leaves(const struct limit *l)
{
	int64_t ms = l->usual_stay_ms / l->inside;

	if (ms < SOONEST_MS)
		return SOONEST_MS;
	return ms < LATEST_MS ? ms : LATEST_MS;
}

enum limit_answer
limit_enter(struct limit *l, struct limit_stay *s, int64_t prompt_tokens, int64_t most_output,
            int64_t now_ms, int64_t *retry_after_ms)
{
	int64_t tokens = estimate(l, prompt_tokens, most_output);
	int64_t requests_ms = bucket_wait_ms(&l->requests, 1, now_ms);
	int64_t tokens_ms = bucket_wait_ms(&l->tokens, tokens, now_ms);

	assert(!s->inside);
	*retry_after_ms = requests_ms > tokens_ms ? requests_ms : tokens_ms;
	if (*retry_after_ms > 0)
		return requests_ms >= tokens_ms ? LIMIT_REQUESTS : LIMIT_TOKENS;
	if (l->conf.concurrent > 0 && l->inside >= l->conf.concurrent) {
		*retry_after_ms = time_until_one_leaves(l);
		return LIMIT_CONCURRENT;
	}
	bucket_take(&l->requests, 1, now_ms);
	bucket_take(&l->tokens, tokens, now_ms);
	*s = (struct limit_stay){true, tokens, prompt_tokens, -1, now_ms};
	l->inside++;
	return LIMIT_FREE;
}

static void
put_tokens(struct limit *l, struct limit_stay *s, int64_t tokens, int64_t now_ms)
{
	if (tokens > s->tokens)
		bucket_take(&l->tokens, tokens - s->tokens, now_ms);
	else
		bucket_give(&l->tokens, s->tokens - tokens, now_ms);
	s->tokens = tokens;
}

void
limit_charge(struct limit *l, struct limit_stay *s, int64_t prompt_tokens, int64_t output_tokens,
             int64_t now_ms)
{
	if (!s->inside)
		return;
	s->output = output_tokens < LIMIT_MOST ? output_tokens : LIMIT_MOST;
	put_tokens(l, s, (prompt_tokens < LIMIT_MOST ? prompt_tokens : LIMIT_MOST) + s->output, now_ms);
}

void
limit_charge_nothing(struct limit *l, struct limit_stay *s, int64_t now_ms)
{
	if (s->inside)
		put_tokens(l, s, 0, now_ms);
}

void
limit_leave(struct limit *l, struct limit_stay *s, int64_t now_ms)
{
	if (!s->inside)
		return;
	assert(l->inside > 0);
	l->inside--;
	l->usual_stay_ms += (now_ms - s->since_ms - l->usual_stay_ms) / STEP;
	/* Embeddings bring none, and say nothing of the others. */
	if (s->output > 0)
		l->usual_output += (s->output - l->usual_output) / STEP;
	s->inside = false;
}

const struct limit_conf *
limit_conf_of(const struct limit *l)
{
	return &l->conf;
}

static struct limit_figures
figures(struct bucket *b, int64_t now_ms)
{
	return (struct limit_figures){b->rate, bucket_left(b, now_ms), bucket_reset_ms(b, now_ms)};
}

struct limit_figures
limit_requests(struct limit *l, int64_t now_ms)
{
	return figures(&l->requests, now_ms);
}

struct limit_figures
limit_tokens(struct limit *l, int64_t now_ms)
{
	return figures(&l->tokens, now_ms);
}

int64_t
limit_inside(const struct limit *l)
{
	return l->inside;
}

bool
limit_is_fresh(struct limit *l, int64_t now_ms)
{
	return l->inside == 0 && bucket_reset_ms(&l->requests, now_ms) == 0 &&
	       bucket_reset_ms(&l->tokens, now_ms) == 0;
}
