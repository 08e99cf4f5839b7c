/* The command line. */
#include "command_line.h"

#include "base/mem.h"
#include "base/unit.h"
#include "syntax.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* What getopt returns for long options; those of rows follow OPTION_ROW. */
enum {
	OPTION_HELP = 256,
	OPTION_VERSION,
	OPTION_DEMO,
	OPTION_BY,
	OPTION_SINCE,
	OPTION_PROMPTS,
	OPTION_URL,
	OPTION_ONCE,
	OPTION_INTERVAL,
	OPTION_ROW
};

enum { MOST_OPTIONS = 32 };

static const struct option fixed_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"demo", no_argument, NULL, OPTION_DEMO},
    {"by", required_argument, NULL, OPTION_BY},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"prompts", required_argument, NULL, OPTION_PROMPTS},
    {"url", required_argument, NULL, OPTION_URL},
    {"once", no_argument, NULL, OPTION_ONCE},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
make_options(struct option *out)
{
	const struct table *t = &settings_table;
	size_t n = COUNT(fixed_options);

	memcpy(out, fixed_options, sizeof(fixed_options));
	for (size_t i = 0; i < t->count; i++) {
		if (t->rows[i].option == NULL)
			continue;
		if (n + 1 == MOST_OPTIONS)
			abort();
		out[n++] =
		    (struct option){t->rows[i].option + 2, required_argument, NULL, OPTION_ROW + (int)i};
	}
	out[n] = (struct option){0};
}

static void
add_given(struct command_line *c, size_t row, const char *value)
{
	c->givens = mem_realloc(c->givens, (c->given_count + 1) * sizeof(c->givens[0]));
	c->givens[c->given_count++] = (struct given){row, value};
}

static bool
take_interval(struct command_line *c, const char *text, struct buf *why)
{
	enum { LEAST_MS = 100, MOST_MS = 3600 * 1000 };

	if (unit_parse_duration_ms(str_of(text), &c->interval_ms) && c->interval_ms >= LEAST_MS &&
	    c->interval_ms <= MOST_MS)
		return true;
	buf_addf(why, "--interval: \"%s\" is no time from 100ms to 1h\n", text);
	return false;
}

static bool
take_option(struct command_line *c, int option, char *const *argv, struct buf *why)
{
	switch (option) {
	case 'c': c->file = optarg; return true;
	case 'h':
	case OPTION_HELP: c->command = COMMAND_HELP; return true;
	case OPTION_VERSION: c->command = COMMAND_VERSION; return true;
	case OPTION_DEMO: c->demo = true; return true;
	case OPTION_BY: c->usage_by = optarg; return true;
	case OPTION_SINCE: c->usage_since = optarg; return true;
	case OPTION_PROMPTS: c->prompts = optarg; return true;
	case OPTION_URL: c->url = optarg; return true;
	case OPTION_ONCE: c->once = true; return true;
	case OPTION_INTERVAL: return take_interval(c, optarg, why);
	case ':': buf_addf(why, "%s needs an argument\n", argv[optind - 1]); return false;
	case '?':
		/* A short option stands in optopt alone; for a long one argv has moved on. */
		if (optopt > 0 && optopt < OPTION_HELP)
			buf_addf(why, "unknown option -%c\n", optopt);
		else
			buf_addf(why, "unknown option or argument: %s\n", argv[optind - 1]);
		return false;
	}
	add_given(c, (size_t)(option - OPTION_ROW), optarg);
	return true;
}

static bool
take_command(struct command_line *c, const char *name, struct buf *why)
{
	if (strcmp(name, "serve") == 0)
		return true;
	if (strcmp(name, "check") == 0) {
		c->command = COMMAND_CHECK;
		return true;
	}
	if (strcmp(name, "key") == 0) {
		c->command = COMMAND_KEY;
		return true;
	}
	if (strcmp(name, "warm") == 0) {
		c->command = COMMAND_WARM;
		return true;
	}
	if (strcmp(name, "usage") == 0) {
		c->command = COMMAND_USAGE;
		return true;
	}
	if (strcmp(name, "top") == 0) {
		c->command = COMMAND_TOP;
		return true;
	}
	buf_addf(why, "unknown command: %s\n", name);
	return false;
}

static const char *
options_of(enum settings_command command)
{
	if (command == COMMAND_WARM)
		return "the only option of warm is --admin URL\n";
	if (command == COMMAND_TOP)
		return "the options of top are --once, --interval and --admin URL\n";
	return "the options of usage are --by, --since and --admin URL\n";
}

/* It asks another drover, which has its configuration. */
static bool
check_client_usage(const struct command_line *c, struct buf *why)
{
	bool other = c->demo || c->file != NULL;

	for (size_t i = 0; i < c->given_count; i++)
		other = other || c->prompts != NULL ||
		        strcmp(settings_table.rows[c->givens[i].row].path, "admin") != 0;
	if (other && c->prompts != NULL)
		buf_adds(why, "the only option of warm --prompts FILE is --url URL\n");
	else if (other)
		buf_adds(why, options_of(c->command));
	else if (c->prompts != NULL && c->word_count > 0)
		buf_adds(why, "warm takes models or --prompts FILE, not both\n");
	else if (c->prompts == NULL && c->url != NULL)
		buf_adds(why, "--url goes with --prompts FILE\n");
	else if (c->command == COMMAND_WARM && c->prompts == NULL && c->word_count == 0)
		buf_adds(why, "warm needs a model: drover warm MODEL..., or --prompts FILE\n");
	else if (c->command != COMMAND_WARM && c->word_count > 0)
		buf_addf(why, "one argument too many: %s\n", c->words[0]);
	return why->len == 0;
}

static bool
take_key_name(struct command_line *c, const char *name, struct buf *why)
{
	struct buf reason = {0};
	bool fine = syntax_name(str_of(name), &reason);

	c->key_name = name;
	if (!fine)
		buf_addf(why, "\"%s\" %s\n", name, buf_text(&reason));
	buf_finish(&reason);
	return fine;
}

static bool
check_usage(const struct command_line *c, struct buf *why)
{
	if (c->command != COMMAND_USAGE && (c->usage_by != NULL || c->usage_since != NULL)) {
		buf_adds(why, "--by and --since are for drover usage\n");
		return false;
	}
	if (c->command != COMMAND_WARM && (c->prompts != NULL || c->url != NULL)) {
		buf_adds(why, "--prompts and --url are for drover warm\n");
		return false;
	}
	if (c->command != COMMAND_TOP && (c->once || c->interval_ms != 0)) {
		buf_adds(why, "--once and --interval are for drover top\n");
		return false;
	}
	if (c->command == COMMAND_WARM || c->command == COMMAND_USAGE || c->command == COMMAND_TOP)
		return check_client_usage(c, why);
	if (c->word_count > 0) {
		buf_addf(why, "one argument too many: %s\n", c->words[0]);
		return false;
	}
	for (size_t i = 0; i < c->given_count; i++)
		if (c->demo && (int)c->givens[i].row == table_find(&settings_table, "backends")) {
			buf_adds(why, "--demo brings its own backends; leave --backend out\n");
			return false;
		}
	return true;
}

bool
command_line_parse(struct command_line *c, int argc, char **argv, struct buf *why)
{
	struct option options[MOST_OPTIONS];
	int option;

	*c = (struct command_line){.command = COMMAND_SERVE, .key_name = "me"};
	make_options(options);
	opterr = 0;
	optind = 0; /* getopt's own word for: from the start */
	while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		if (!take_option(c, option, argv, why))
			return false;
		if (c->command == COMMAND_HELP || c->command == COMMAND_VERSION)
			return true;
	}
	if (optind < argc && !take_command(c, argv[optind++], why))
		return false;
	if (optind < argc && c->command == COMMAND_KEY && !take_key_name(c, argv[optind++], why))
		return false;
	c->words = (const char *const *)&argv[optind];
	c->word_count = (size_t)(argc - optind);
	return check_usage(c, why);
}

const char *
command_line_given(const struct command_line *c, const char *path)
{
	for (size_t i = c->given_count; i > 0; i--)
		if (strcmp(settings_table.rows[c->givens[i - 1].row].path, path) == 0)
			return c->givens[i - 1].value;
	return NULL;
}

void
command_line_finish(struct command_line *c)
{
	free(c->givens);
	*c = (struct command_line){0};
}

void
command_line_apply(const struct command_line *c, struct record *root, struct report *report)
{
	static const struct origin demo = {FROM_COMMAND_LINE, "--demo", 0, 0};

	for (size_t i = 0; i < c->given_count; i++) {
		size_t row = c->givens[i].row;
		struct origin from = {FROM_COMMAND_LINE, settings_table.rows[row].option, 0, 0};
		struct str value = str_of(c->givens[i].value);

		if (!table_is_list(&settings_table.rows[row])) {
			record_set(root, row, &from, value, report);
			continue;
		}
		/* The first one of a list puts away what file and environment said. */
		if (root->slots[row].origin.source != FROM_COMMAND_LINE)
			record_clear_list(root, row, &from);
		record_add_any(root, row, &from, value, report);
	}
	if (c->demo)
		record_clear_list(root, (size_t)table_find(&settings_table, "backends"), &demo);
}
