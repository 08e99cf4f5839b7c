/* Made-up text. */
#include "words.h"

#include "base/rng.h"

/* Their number is a power of two, so that a draw needs no division. */
static const char *const words[64] = {
    "time",     "year",    "people",   "way",    "day",        "man",    "thing",   "woman",
    "life",     "child",   "world",    "school", "state",      "family", "student", "group",
    "country",  "problem", "hand",     "part",   "place",      "case",   "week",    "company",
    "system",   "program", "question", "work",   "government", "number", "night",   "point",
    "home",     "water",   "room",     "mother", "area",       "money",  "story",   "fact",
    "month",    "lot",     "right",    "study",  "book",       "eye",    "job",     "word",
    "business", "issue",   "side",     "kind",   "head",       "house",  "service", "friend",
    "father",   "power",   "hour",     "game",   "line",       "end",    "member",  "law",
};

void
words_add(struct buf *out, uint64_t seed, uint64_t lane, int64_t count)
{
	struct rng rng;

	rng_init(&rng, seed, lane);
	for (int64_t i = 0; i < count; i++) {
		if (out->len > 0)
			buf_addc(out, ' ');
		buf_adds(out, words[rng_below(&rng, 64)]);
	}
}
