/* drover-node: a simulated Ollama node as a program. */
#include "faults.h"

#include "base/unit.h"
#include "node/node.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS_MAX = 256, EXIT_BAD_SETUP = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: drover-node [--listen ADDR] [--model MODEL]... [OPTION]...\n"
    "\n"
    "A simulated Ollama node: Ollama's routes, bodies, errors, queue, loading and\n"
    "eviction; answers are computed from the request. For trying out, tests and\n"
    "benchmarks.\n"
    "\n"
    "  --listen ADDR      where to listen (127.0.0.1:11434); port 0 takes a free one\n"
    "  --model MODEL      a model it has; may be given several times\n"
    "  --parallel N       requests of a loaded model at once (1)\n"
    "  --max-loaded N     models loaded at once (3)\n"
    "  --max-queue N      requests that may wait for a load (512)\n"
    "  --keep-alive D     how long an idle model stays loaded (5m); -1: for ever\n"
    "  --seed N           times, ids and durations are computed as well: equal seeds,\n"
    "                     equal bytes\n"
    "  --log FILE         adds a line of JSON for each request that has ended, and one\n"
    "                     when its run begins\n"
    "  --api-key KEY      requests need it as bearer token\n"
    "  --version-string V what /api/version says\n"
    "  --help, --version\n"
    "\n"
    "A MODEL is ";

static const char control_usage[] =
    "\n"
    "A prompt may say tokens:N (the length of the answer), gate:NAME (a gate to stop\n"
    "at) or the name of one of its tools (which is then called).\n"
    "\n"
    "For tests, beside Ollama's routes:\n"
    "  POST /sim/fault      {\"kind\": K, \"count\": 1, \"route\": GLOB, \"after_tokens\": N,\n"
    "                       \"status\": 500, \"message\": TEXT, \"interval_ms\": 10}\n"
    "                       count < 0: until the reset; route: a path, load, unload;\n"
    "                       left out: whatever runs a model\n"
    "  POST /sim/gate       {\"name\": G, \"at\": POINT}; requests name it by gate:G in the\n"
    "                       prompt, by a header X-Sim-Gate, or G is the model's name.\n"
    "                       Points: before_load, before_first_token, before_token:N,\n"
    "                       before_each_token, before_end\n"
    "  POST /sim/gate/open  {\"name\": G, \"times\": N}; without times for ever\n"
    "  POST /sim/reset      opens all gates, forgets faults, the log and the counters\n"
    "  GET  /sim/state      what is loaded, who waits, all counters\n"
    "  GET  /sim/log        the requests so far; ?after=NUMBER the later ones\n"
    "  GET  /sim/wait       ?event=COUNTER&count=N answers when the counter is at least N,\n"
    "                       with most=N at most N; 408 after timeout=30s\n"
    "Kinds of faults:\n";

struct setup {
	struct node_options options;
	const char *models[MODELS_MAX];
};

enum option_code {
	OPT_LISTEN = 256,
	OPT_MODEL,
	OPT_PARALLEL,
	OPT_MAX_LOADED,
	OPT_MAX_QUEUE,
	OPT_KEEP_ALIVE,
	OPT_SEED,
	OPT_LOG,
	OPT_API_KEY,
	OPT_VERSION_STRING,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"model", required_argument, NULL, OPT_MODEL},
    {"parallel", required_argument, NULL, OPT_PARALLEL},
    {"max-loaded", required_argument, NULL, OPT_MAX_LOADED},
    {"max-queue", required_argument, NULL, OPT_MAX_QUEUE},
    {"keep-alive", required_argument, NULL, OPT_KEEP_ALIVE},
    {"seed", required_argument, NULL, OPT_SEED},
    {"log", required_argument, NULL, OPT_LOG},
    {"api-key", required_argument, NULL, OPT_API_KEY},
    {"version-string", required_argument, NULL, OPT_VERSION_STRING},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static void
print_help(void)
{
	fputs(usage, stdout);
	fputs(node_model_help(), stdout);
	fputs(control_usage, stdout);
	fputs(faults_help(), stdout);
}

static void
die_of(const char *option, const char *value)
{
	fprintf(stderr, "drover-node: --%s: cannot use '%s'; try --help\n", option, value);
	exit(EXIT_USAGE);
}

static int
read_number(const char *option, const char *text, uint64_t least)
{
	uint64_t value;

	if (!str_to_u64(str_of(text), &value) || value < least || value > 1000000)
		die_of(option, text);
	return (int)value;
}

static int64_t
read_keep_alive(const char *text)
{
	int64_t ms;

	if (strcmp(text, "-1") == 0)
		return -1;
	if (!unit_parse_duration_ms(str_of(text), &ms))
		die_of("keep-alive", text);
	return ms;
}

static void
add_model(struct setup *s, const char *text)
{
	if (s->options.model_count == MODELS_MAX)
		die_of("model", text);
	s->models[s->options.model_count++] = text;
}

static void
set_seed(struct node_options *o, const char *text)
{
	if (!str_to_u64(str_of(text), &o->seed))
		die_of("seed", text);
	o->seeded = true;
}

static void
take_option(struct setup *s, int option)
{
	struct node_options *o = &s->options;

	switch (option) {
	case OPT_LISTEN: o->listen = optarg; break;
	case OPT_MODEL: add_model(s, optarg); break;
	case OPT_PARALLEL: o->parallel = read_number("parallel", optarg, 1); break;
	case OPT_MAX_LOADED: o->max_loaded = read_number("max-loaded", optarg, 0); break;
	case OPT_MAX_QUEUE: o->max_queue = read_number("max-queue", optarg, 0); break;
	case OPT_KEEP_ALIVE: o->keep_alive_ms = read_keep_alive(optarg); break;
	case OPT_SEED: set_seed(o, optarg); break;
	case OPT_LOG: o->log_path = optarg; break;
	case OPT_API_KEY: o->api_key = optarg; break;
	case OPT_VERSION_STRING: o->version = optarg; break;
	case OPT_HELP: print_help(); exit(EXIT_SUCCESS);
	case OPT_VERSION: puts("drover-node " DROVER_VERSION); exit(EXIT_SUCCESS);
	default: exit(EXIT_USAGE);
	}
}

static void
read_command_line(struct setup *s, int argc, char **argv)
{
	int option;

	node_options_init(&s->options);
	s->options.models = s->models;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(s, option);
	if (optind < argc) {
		fprintf(stderr, "drover-node: unexpected '%s'; try --help\n", argv[optind]);
		exit(EXIT_USAGE);
	}
}

static void
on_stop(int signal_number, void *arg)
{
	loop_stop(arg);
}

static void
announce(const struct node *n)
{
	struct buf text = {0};

	node_address(n, &text);
	printf("listening on %s\n", buf_text(&text));
	(void)fflush(stdout);
	buf_finish(&text);
}

int
main(int argc, char **argv)
{
	struct setup s = {0};
	struct loop *l;
	struct node *n;
	struct event *on_term, *on_int;
	struct buf why = {0};
	int status = EXIT_SUCCESS;

	read_command_line(&s, argc, argv);
	l = loop_create();
	n = node_create(l, &s.options, &why);
	if (n == NULL) {
		fprintf(stderr, "drover-node: %s\n", buf_text(&why));
		status = EXIT_BAD_SETUP;
		goto out;
	}
	on_term = loop_on_signal(l, SIGTERM, on_stop, l);
	on_int = loop_on_signal(l, SIGINT, on_stop, l);
	announce(n);
	loop_run(l);
	node_destroy(&n);
	loop_off_signal(&on_term);
	loop_off_signal(&on_int);
out:
	loop_destroy(&l);
	buf_finish(&why);
	return status;
}
