/*
 * The command line: one table gives each option its name, kind, place in the plan
 * and help.
 */
#include "plan.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/unit.h"
#include "plan_check.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_GROUP, /* a title in the help */
	KIND_TEXT,
	KIND_COUNT,
	KIND_DURATION,
	KIND_RATE,
	KIND_SEED,
	KIND_MIX,
	KIND_KEY,
	KIND_URL,
	KIND_API,
	KIND_ARRIVAL,
	KIND_YES_NO,
	KIND_STREAM,
	KIND_OPTION,
	KIND_SLO,
	KIND_OUTPUT,
	KIND_STEPS,
	KIND_HELP,
	KIND_VERSION,
};

struct row {
	const char *name;
	const char *value;
	enum kind kind;
	size_t at; /* offset in struct plan */
	const char *help;
};

#define AT(member) offsetof(struct plan, member)
#define GROUP(title)                     \
	{                                    \
		title, NULL, KIND_GROUP, 0, NULL \
	}

static const struct row rows[] = {
    GROUP("Where to"),
    {"url", "URL", KIND_URL, AT(url), "the gateway or server (http://127.0.0.1:8080)"},
    {"api", "NAME", KIND_API, AT(api),
     "generate, chat, openai, completions, responses,\nmessages, embed or embeddings (generate)"},
    {"model", "M[=WEIGHT]", KIND_MIX, AT(models),
     "may be given several times: a mix. Left out where the\nserver has one only"},
    {"key", "K[=WEIGHT]", KIND_KEY, AT(keys), "sent as bearer; the same. @FILE: its first line"},
    {"priority", "P[=WEIGHT]", KIND_MIX, AT(classes), "X-Drover-Priority; the same"},
    {"tls-ca", "FILE", KIND_TEXT, AT(tls_ca), "who signed the server's certificate"},
    {"tls-verify", "yes|no", KIND_YES_NO, AT(tls_verify), "(yes)"},
    GROUP("How much"),
    {"requests", "N", KIND_COUNT, AT(requests), "ends after so many (100, if no duration is said)"},
    {"duration", "T", KIND_DURATION, AT(duration_ms), "starts none after it: 90s, 5m"},
    {"concurrency", "C", KIND_COUNT, AT(concurrency),
     "closed loop: so many at once, each answer followed by\n"
     "the next request (1). With --rate or --trace: the most\n"
     "at once; what is held back counts as waiting"},
    {"rate", "R", KIND_RATE, AT(rate),
     "open loop: R requests a second, whatever the answers;\n"
     "latency counts from the intended start"},
    {"arrival", "KIND", KIND_ARRIVAL, AT(arrival), "of --rate: poisson or constant (poisson)"},
    {"trace", "FILE", KIND_TEXT, AT(trace),
     "replays a trace: Mooncake's JSONL, BurstGPT's CSV, or\n"
     "lines of seconds,model,class,key,prompt tokens,output tokens"},
    {"trace-speed", "X", KIND_RATE, AT(trace_speed), "so many times as fast as recorded (1)"},
    {"warmup", "N", KIND_COUNT, AT(warmup),
     "requests before, not measured; each model of a mix in turn"},
    {"timeout", "T", KIND_DURATION, AT(timeout_ms), "of one request (10m)"},
    {"drain", "T", KIND_DURATION, AT(drain_ms),
     "after --duration, what runs may go on for so long (30s)"},
    GROUP("What"),
    {"prompt", "TEXT", KIND_TEXT, AT(prompt), "the same for all"},
    {"prompts", "FILE", KIND_TEXT, AT(prompts),
     "a line a prompt, in turn: text, or JSON with \"prompt\" or\n"
     "\"messages\", and \"model\" or \"num_predict\" where it differs"},
    {"prompt-tokens", "N", KIND_COUNT, AT(prompt_tokens),
     "made-up prompts of about so many tokens, no two equal (64)"},
    {"num-predict", "N", KIND_COUNT, AT(output_tokens), "tokens of an answer, at most"},
    {"option", "NAME=VALUE", KIND_OPTION, AT(options),
     "temperature=0, num_ctx=8192, ...; may be given several times"},
    {"stream", "yes|no", KIND_STREAM, AT(stream), "(yes, where the API can)"},
    {"seed", "N", KIND_SEED, AT(seed), "of arrivals, prompts and the mix (1)"},
    GROUP("What comes out"),
    {"slo", "WHAT=T,...", KIND_SLO, AT(slo),
     "ttft=2s,tpot=50ms,e2e=30s: goodput is what meets them all"},
    {"output", "table|json", KIND_OUTPUT, AT(output), "(table)"},
    {"save", "FILE", KIND_TEXT, AT(save), "the JSON, whatever the output"},
    {"report", "FILE.html", KIND_TEXT, AT(report), "one page with plots"},
    {"compare", "OTHER.json", KIND_TEXT, AT(compare),
     "differences to an earlier run, or to one of vllm bench serve"},
    GROUP("Only for a sweep"),
    {"parallel", "1,2,4,8", KIND_STEPS, AT(parallel), "one run for each"},
    {"start", "COMMAND", KIND_TEXT, AT(start),
     "serves, with OLLAMA_HOST and OLLAMA_NUM_PARALLEL in its\n"
     "environment: \"ollama serve\" (drover-node, a simulation)"},
    {"simulate", "OPTIONS", KIND_TEXT, AT(simulate),
     "of drover-node's models (load=1s,tps=40,share=0.25)"},
    GROUP("Other"),
    {"help", NULL, KIND_HELP, 0, ""},
    {"version", NULL, KIND_VERSION, 0, ""},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), OPTION_FIRST = 256 };

static const char usage[] =
    "usage: drover-bench [--url URL] [--model M]... [OPTION]...\n"
    "       drover-bench sweep --parallel 1,2,4,8 --model M [OPTION]...\n"
    "\n"
    "Makes requests to an Ollama or OpenAI endpoint, or to a gateway in front of them,\n"
    "and measures. `sweep` starts a server for each value and says which one serves best.\n";

static const char afterwards[] =
    "\n"
    "A request that is refused counts as failed and is not tried again. Ctrl-C ends a run\n"
    "and prints what was measured. Exit status: 0; 1 nothing was answered or written; 2\n"
    "wrong usage; 130 stopped by Ctrl-C.\n"
    "\n"
    "  drover-bench --model llama3.2:3b --concurrency 8 --requests 200\n"
    "  drover-bench --url http://gpu1:11434 --model qwen2.5:7b --rate 2 --duration 5m \\\n"
    "      --slo ttft=2s,e2e=30s --report monday.html\n"
    "  drover-bench sweep --start \"ollama serve\" --parallel 1,2,4,8 --model llama3.2:3b\n";

/* --- values, one reader a kind; each returns what is wrong, or NULL --- */

static const char *
read_count(const char *text, int64_t *out)
{
	uint64_t value;

	if (!str_to_u64(str_of(text), &value) || value == 0 || value > 1000000000)
		return "a whole number of at least 1 is needed";
	*out = (int64_t)value;
	return NULL;
}

static const char *
read_duration(const char *text, int64_t *out)
{
	if (!unit_parse_duration_ms(str_of(text), out) || *out == 0)
		return "a duration is needed, as 500ms, 90s or 5m";
	return NULL;
}

static const char *
read_rate(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(*out) || *out <= 0 || *out > 1e6)
		return "a number above 0 is needed";
	return NULL;
}

static const char *
read_yes_no(const char *text, bool *out)
{
	*out = strcmp(text, "yes") == 0;
	return *out || strcmp(text, "no") == 0 ? NULL : "yes or no is needed";
}

/* One of two words. */
static const char *
read_word(const char *text, const char *first, const char *second, int *out, const char *wrong)
{
	*out = strcmp(text, second) == 0;
	return *out || strcmp(text, first) == 0 ? NULL : wrong;
}

static const char *
read_key(const char *text, struct mix *keys)
{
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0;
	FILE *f;

	if (text[0] != '@')
		return mix_add(keys, text) ? NULL : "it is empty";
	f = fopen(text + 1, "r");
	if (f == NULL)
		return "this file cannot be read";
	if (getline(&line, &room, f) < 0)
		wrong = "this file is empty";
	else
		line[strcspn(line, "\r\n")] = '\0';
	if (wrong == NULL && !mix_add(keys, line))
		wrong = "this file has no key in its first line";
	free(line);
	fclose(f);
	return wrong;
}

/* People paste what an OpenAI client wants, with /v1 at its end. */
static const char *
read_url(const char *text, char **out)
{
	struct buf url = {0};

	buf_addf(&url, "%s%s", strstr(text, "://") == NULL ? "http://" : "", text);
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.data[--url.len] = '\0';
	if (url.len > 3 && strcmp(url.data + url.len - 3, "/v1") == 0)
		url.data[url.len -= 3] = '\0';
	free(*out);
	*out = buf_take(&url);
	return NULL;
}

static bool
is_json_scalar(const char *text)
{
	char *end;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return true;
	return strspn(text, "+-.0123456789eE") == strlen(text) && text[0] != '+' &&
	       isfinite(strtod(text, &end)) && end != text && *end == '\0';
}

static const char *
read_option(const char *text, char **out)
{
	const char *equals = strchr(text, '=');
	struct buf all = {0};

	if (equals == NULL || equals == text || equals[1] == '\0')
		return "NAME=VALUE is needed";
	if (*out != NULL)
		buf_addf(&all, "%s,", *out);
	buf_add_json(&all, text, (size_t)(equals - text));
	buf_addc(&all, ':');
	if (is_json_scalar(equals + 1))
		buf_adds(&all, equals + 1);
	else
		buf_add_json(&all, equals + 1, strlen(equals + 1));
	free(*out);
	*out = buf_take(&all);
	return NULL;
}

static const char *
read_slo(const char *text, struct slo *out)
{
	struct str rest = str_of(text), part, name;

	while (str_split(&rest, ',', &part)) {
		int64_t ms;

		if (!str_split(&part, '=', &name) || part.ptr == NULL ||
		    !unit_parse_duration_ms(part, &ms) || ms == 0)
			return "durations are needed, as ttft=2s,tpot=50ms,e2e=30s";
		if (str_eq(name, "ttft"))
			out->ttft_ms = ms;
		else if (str_eq(name, "tpot"))
			out->tpot_ms = ms;
		else if (str_eq(name, "e2e") || str_eq(name, "e2el"))
			out->e2e_ms = ms;
		else
			return "ttft, tpot and e2e are what can be asked for";
	}
	return NULL;
}

static const char *
read_steps(const char *text, struct plan *p)
{
	struct str rest = str_of(text), part;

	p->parallel_count = 0;
	while (str_split(&rest, ',', &part)) {
		uint64_t value;

		if (!str_to_u64(part, &value) || value == 0 || value > 1000)
			return "whole numbers from 1 to 1000 are needed, as 1,2,4,8";
		if (p->parallel_count == MOST_STEPS)
			return "that is too many";
		p->parallel[p->parallel_count++] = (int64_t)value;
	}
	return NULL;
}

static const char *
read_value(struct plan *p, const struct row *row, const char *text)
{
	void *at = (char *)p + row->at;
	const char *wrong = NULL;
	uint64_t seed;
	int word;

	switch (row->kind) {
	case KIND_TEXT: *(const char **)at = text; return *text == '\0' ? "it is empty" : NULL;
	case KIND_COUNT: return read_count(text, at);
	case KIND_DURATION: return read_duration(text, at);
	case KIND_RATE: return read_rate(text, at);
	case KIND_SEED:
		wrong = str_to_u64(str_of(text), &seed) ? NULL : "a whole number is needed";
		p->seed = wrong == NULL ? seed : 0;
		return wrong;
	case KIND_MIX: return mix_add(at, text) ? NULL : "it is empty";
	case KIND_KEY: return read_key(text, at);
	case KIND_URL: return read_url(text, at);
	case KIND_API: p->api = api_find(text); return p->api == NULL ? api_names() : NULL;
	case KIND_ARRIVAL:
		wrong = read_word(text, "poisson", "constant", &word, "poisson or constant is needed");
		p->arrival = (enum arrival)word;
		return wrong;
	case KIND_YES_NO:
	case KIND_STREAM: return read_yes_no(text, at);
	case KIND_OPTION: return read_option(text, at);
	case KIND_SLO: return read_slo(text, at);
	case KIND_OUTPUT:
		wrong = read_word(text, "table", "json", &word, "table or json is needed");
		p->output = (enum output)word;
		return wrong;
	case KIND_STEPS: return read_steps(text, p);
	case KIND_HELP: p->command = PLAN_HELP; return NULL;
	case KIND_VERSION: p->command = PLAN_VERSION; return NULL;
	case KIND_GROUP: break;
	}
	abort();
}

static void
make_options(struct option *out)
{
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].kind != KIND_GROUP)
			out[n++] = (struct option){rows[i].name,
			                           rows[i].value == NULL ? no_argument : required_argument,
			                           NULL, OPTION_FIRST + (int)i};
	out[n] = (struct option){0};
}

static bool
take_option(struct plan *p, struct plan_given *given, int option, char *const *argv,
            struct buf *why)
{
	const struct row *row;
	const char *wrong;

	switch (option) {
	case 'h': p->command = PLAN_HELP; return true;
	case ':': buf_addf(why, "%s needs a value", argv[optind - 1]); return false;
	case '?': buf_addf(why, "unknown option %s", argv[optind - 1]); return false;
	}
	row = &rows[option - OPTION_FIRST];
	wrong = read_value(p, row, optarg);
	given->stream |= row->kind == KIND_STREAM;
	given->arrival |= row->kind == KIND_ARRIVAL;
	given->trace_speed |= row->at == AT(trace_speed) && row->kind == KIND_RATE;
	if (wrong != NULL)
		buf_addf(why, "--%s: %s%s, not '%s'", row->name,
		         row->kind == KIND_API ? "it is one of " : "", wrong, optarg);
	return wrong == NULL;
}

static bool
take_words(struct plan *p, int argc, char **argv, struct buf *why)
{
	for (int i = optind; i < argc; i++) {
		if (i == optind && strcmp(argv[i], "sweep") == 0) {
			p->command = PLAN_SWEEP;
			continue;
		}
		buf_addf(why, "unexpected '%s'", argv[i]);
		return false;
	}
	return true;
}

int
plan_read(int argc, char **argv, struct plan *p, struct buf *why)
{
	struct option options[ROWS + 1];
	struct plan_given given = {0};
	bool good = true;
	int option;

	*p = (struct plan){
	    .api = api_find("generate"),
	    .trace_speed = 1,
	    .timeout_ms = INT64_C(10) * 60 * 1000,
	    .drain_ms = 30000,
	    .seed = 1,
	    .tls_verify = true,
	};
	make_options(options);
	opterr = 0;
	optind = 0;
	while (good && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		good = take_option(p, &given, option, argv, why);
		if (good && (p->command == PLAN_HELP || p->command == PLAN_VERSION))
			return 0;
	}
	if (good && take_words(p, argc, argv, why) && plan_check(p, &given, why))
		return 0;
	plan_finish(p);
	return 2;
}

void
plan_finish(struct plan *p)
{
	free(p->url);
	free(p->options);
	mix_finish(&p->models);
	mix_finish(&p->keys);
	mix_finish(&p->classes);
	*p = (struct plan){0};
}

static void
add_row_help(struct buf *out, const struct row *row)
{
	enum { COLUMN = 26 };
	struct str rest, line;
	size_t begin = out->len;

	if (row->kind == KIND_GROUP) {
		buf_addf(out, "\n%s:\n", row->name);
		return;
	}
	rest = str_of(row->help);
	buf_addf(out, "  --%s%s%s", row->name, row->value == NULL ? "" : " ",
	         row->value == NULL ? "" : row->value);
	while (str_split(&rest, '\n', &line)) {
		if (line.len > 0)
			buf_addf(out, "%*s%.*s", (int)(COLUMN - (out->len - begin)), "", STR_ARG(line));
		buf_addc(out, '\n');
		begin = out->len;
	}
}

void
plan_add_help(struct buf *out)
{
	buf_adds(out, usage);
	for (size_t i = 0; i < ROWS; i++)
		add_row_help(out, &rows[i]);
	buf_adds(out, afterwards);
}

void
plan_add_models(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->models.count; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : ",", p->models.texts[i]);
}
