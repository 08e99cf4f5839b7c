/* `drover --help`, from the table. */
#include "conf/call.h"
#include "table.h"

#include <string.h>

static const char opening[] =
    "drover " DROVER_VERSION ": a gateway and request scheduler in front of Ollama\n"
    "\n"
    "usage: drover [serve] [OPTION]...   listen and forward\n"
    "       drover check [OPTION]...     validate the configuration: FILE:LINE:COL: message\n"
    "       drover key [NAME]            print a new key, and its lines for the configuration\n"
    "       drover warm MODEL... [--admin URL]\n"
    "                                    have a running drover load models, where nobody loses by\n"
    "                                    it; with the key of DROVER_ADMIN_KEY\n"
    "       drover warm --prompts FILE [--url URL]\n"
    "                                    ask a running drover a list of requests at low priority,\n"
    "                                    so that their answers are kept: a JSON body a line, or\n"
    "                                    {\"path\": \"/v1/...\", \"body\": {...}}; - is standard\n"
    "                                    input; URL: $DROVER_URL, else http://127.0.0.1:8080;\n"
    "                                    with the key of DROVER_KEY\n"
    "       drover usage [--by hour,key,model] [--since 24h] [--admin URL]\n"
    "                                    who used what of a running drover, as a table\n"
    "       drover top [--admin URL] [--interval 1s] [--once]\n"
    "                                    what it does, live in the terminal: ? there explains\n"
    "                                    the keys; plain text once where there is no terminal\n"
    "\n"
    "options:\n"
    "  -c FILE             the configuration; else $DROVER_CONFIG, ./drover.yaml or\n"
    "                      /etc/drover/drover.yaml, the first that is there\n"
    "  --demo              in front of two simulated nodes in this process\n";

static const char middle[] =
    "  -h, --help          this text\n"
    "  --version           the version\n"
    "\n"
    "Defaults, then the file, the environment, the command line: what comes later wins.\n"
    "Durations are written 500ms 90s 15m 24h 7d, sizes 64KiB 10MB; lists in the\n"
    "environment have commas.\n"
    "\n"
    "settings, with their variable and default:\n";

static const char closing[] =
    "\n"
    "Where nothing else is said, Ollama's variables count: OLLAMA_HOST, OLLAMA_MAX_QUEUE,\n"
    "OLLAMA_NUM_PARALLEL, OLLAMA_MAX_LOADED_MODELS, OLLAMA_ORIGINS.\n"
    "\n"
    "signals: TERM, INT: finish what runs, within `drain`, and end; again: at once. USR1: open\n"
    "the access log anew. USR2: the program that stands at this path by now takes over, without\n"
    "a request lost.\n"
    "\n"
    "exit status: 0; 1 bad configuration, nothing to bind, a model that was not loaded,\n"
    "or a request that was not answered; 2 wrong usage\n";

static void
add_option(const struct row *row, struct buf *out)
{
	struct buf name = {0};

	buf_addf(&name, "%s %s", row->option, row->argument);
	buf_addf(out, "  %-20s%s: %s\n", buf_text(&name), row->path, row->help);
	buf_finish(&name);
}

static void
add_words(const struct row *row, struct buf *out)
{
	for (size_t i = 0; row->kind == KIND_WORD && row->words[i] != NULL; i++)
		buf_addf(out, "%s%s", i == 0 ? ": " : ", ", row->words[i]);
	buf_addc(out, '\n');
}

static void
add_initial(const struct row *row, struct buf *out)
{
	/* A long list is told in the words beside it. */
	if (row->initial != NULL && strlen(row->initial) < 30)
		buf_addf(out, " (%s)", row->initial);
}

static void
add_row(const struct row *row, struct buf *out)
{
	buf_addf(out, "  %-22s ", row->path);
	table_add_variable(row->path, out);
	add_initial(row, out);
	buf_addf(out, "\n      %s", row->help);
	add_words(row, out);
	for (size_t i = 0; row->kind == KIND_RECORDS && i < row->of->count; i++) {
		buf_addf(out, "    - %s", row->of->rows[i].path);
		add_initial(&row->of->rows[i], out);
		buf_addf(out, "\n      %s\n", row->of->rows[i].help);
	}
}

void
settings_add_help(struct buf *out)
{
	const struct table *t = &settings_table;

	buf_adds(out, opening);
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].option != NULL)
			add_option(&t->rows[i], out);
	buf_adds(out, middle);
	for (size_t i = 0; i < t->count; i++)
		add_row(&t->rows[i], out);
	buf_adds(out, closing);
}
