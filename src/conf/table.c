/* The settings table. */
#include "table.h"

#include "conf/settings.h"
#include "near.h"
#include "syntax.h"

#include <ctype.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND   INT64_C(1000)
#define MINUTE   (60 * SECOND)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)
#define KIB      INT64_C(1024)
#define GIB      (KIB * KIB * KIB)
#define MILLION  INT64_C(1000000)

/* What Ollama allows by default, any port of this machine and desktop programs. */
#define OLLAMA_ORIGINS_DEFAULT                                                   \
	"http://localhost,https://localhost,http://localhost:*,https://localhost:*," \
	"http://127.0.0.1,https://127.0.0.1,http://127.0.0.1:*,https://127.0.0.1:*," \
	"http://0.0.0.0,https://0.0.0.0,http://0.0.0.0:*,https://0.0.0.0:*,"         \
	"app://*,file://*,tauri://*,vscode-webview://*,vscode-file://*"

/* In the order of the enums in settings.h and base/log.h. */
static const char *const manage_words[] = {"admin", "all", "none", NULL};
static const char *const priority_words[] = {"high", "normal", "low", NULL};
static const char *const cache_words[] = {"deterministic", "all", "off", NULL};
static const char *const model_cache_words[] = {"deterministic", "all", "off", "inherit", NULL};
static const char *const scope_words[] = {"shared", "key", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};
static const char *const format_words[] = {"text", "json", NULL};

/* clang-format off */
#define AT(member) .offset = offsetof(struct backend_settings, member), .reloadable = true

static const struct row backend_rows[] = {
    {"name", KIND_TEXT, AT(name), .check = syntax_name,
     .help = "what logs and X-Drover-Backend call it; default: host:port of its url"},
    {"url", KIND_TEXT, AT(url), .check = syntax_url,
     .help = "where it is: http://host:port or https://host; a path goes before every target"},
    {"weight", KIND_INTEGER, AT(weight), .initial = "1", .least = 1, .most = 1000,
     .help = "its share of the work, against the other backends"},
    {"parallel", KIND_INTEGER, AT(parallel), .initial = "1", .least = 1, .most = 1024,
     .ollama = "OLLAMA_NUM_PARALLEL",
     .help = "requests at once in each loaded model: what OLLAMA_NUM_PARALLEL is there"},
    {"max_loaded", KIND_INTEGER, AT(max_loaded), .initial = "3", .least = 1, .most = 1024,
     .ollama = "OLLAMA_MAX_LOADED_MODELS",
     .help = "models loaded at once: what OLLAMA_MAX_LOADED_MODELS is there"},
    {"slots", KIND_INTEGER, AT(slots), .least = 1, .most = KIB * KIB,
     .help = "requests at once on the whole node; default: parallel x max_loaded"},
    {"models", KIND_TEXTS, AT(models), .most = 1000, .check = syntax_glob,
     .help = "only models that match one of these globs; default: all that it lists"},
    {"api_key", KIND_TEXT, AT(api_key), .check = syntax_key, .secret = true,
     .help = "sent to the node as bearer token"},
    {"tls.ca", KIND_TEXT, AT(tls_ca), .check = syntax_path,
     .help = "PEM file of the authorities that may sign its certificate; default: the system's"},
    {"tls.verify", KIND_BOOL, AT(tls_verify), .initial = "true",
     .help = "whether its certificate is checked"},
};

static const struct table backend_table = {
    backend_rows, COUNT(backend_rows), sizeof(struct backend_settings), .single_row = 1,
};

#undef AT
#define AT(member) .offset = offsetof(struct model_settings, member), .reloadable = true

static const struct row model_rows[] = {
    {"match", KIND_TEXT, AT(match), .check = syntax_glob,
     .help = "a glob over the names of models"},
    {"keep_alive", KIND_TEXT, AT(keep_alive), .check = syntax_keep_alive,
     .help = "how long it stays loaded, whatever requests say; -1: for ever"},
    {"warm.at_start", KIND_BOOL, AT(warm.at_start), .initial = "false",
     .help = "whether it is loaded at the start, where there is room"},
    {"warm.every", KIND_DURATION, AT(warm.every), .initial = "0", .most = 400 * DAY,
     .help = "and again so often; 0: not"},
    {"warm.backends", KIND_TEXTS, AT(warm.backends), .most = 1000, .check = syntax_name,
     .help = "on these backends; default: on one that has it"},
    {"timeouts.load", KIND_DURATION, AT(load), .initial = "0", .most = DAY,
     .help = "loading it; 0: timeouts.load of all"},
    {"num_predict.default", KIND_INTEGER, AT(num_predict.usual), .initial = "0", .most = MILLION,
     .help = "tokens of an answer at most, where the request says nothing; 0: the node's own"},
    {"num_predict.max", KIND_INTEGER, AT(num_predict.most), .initial = "0", .most = MILLION,
     .help = "and whatever the request says; 0: no bound"},
    {"num_ctx.default", KIND_INTEGER, AT(num_ctx.usual), .initial = "0", .most = 16 * MILLION,
     .help = "context of native requests that say nothing; 0: the node's own"},
    {"num_ctx.max", KIND_INTEGER, AT(num_ctx.most), .initial = "0", .most = 16 * MILLION,
     .help = "the largest context; 0: no bound"},
    {"num_ctx.unify", KIND_BOOL, AT(num_ctx.unify), .initial = "true",
     .help = "whether requests share the largest context in use, so that it is not reloaded for each"},
    {"fallback", KIND_TEXTS, AT(fallback), .most = 16, .check = syntax_model,
     .help = "models that are taken, in this order, when no backend can serve it"},
    {"cache", KIND_WORD, AT(cache), .initial = "inherit", .words = model_cache_words,
     .help = "which of its answers are kept: cache.mode for it alone"},
};

static const struct table model_table = {
    model_rows, COUNT(model_rows), sizeof(struct model_settings), .single_row = NO_SINGLE_ROW,
};

#undef AT
#define AT(member) .offset = offsetof(struct key_settings, member), .reloadable = true

static const struct row key_rows[] = {
    {"name", KIND_TEXT, AT(name), .check = syntax_name,
     .help = "what logs and the account of use call it"},
    {"key", KIND_TEXT, AT(key), .check = syntax_key, .secret = true,
     .help = "the key itself, best from a variable: ${ALICE_KEY}"},
    {"key_sha256", KIND_TEXT, AT(key_sha256), .check = syntax_sha256, .secret = true,
     .help = "or its SHA-256 in hex: drover key NAME prints both"},
    {"priority", KIND_WORD, AT(priority), .initial = "normal", .words = priority_words,
     .help = "the class of its requests, and the highest that it may ask for"},
    {"weight", KIND_INTEGER, AT(weight), .initial = "1", .least = 1, .most = 1000,
     .help = "its share of the nodes, against the other keys"},
    {"requests_per_minute", KIND_INTEGER, AT(requests_per_minute), .initial = "0", .most = 1000000,
     .help = "requests that run a model, 429 above; 0: no bound"},
    {"burst", KIND_INTEGER, AT(burst), .most = 1000000,
     .help = "of them at once; default: ten seconds' worth"},
    {"tokens_per_minute", KIND_INTEGER, AT(tokens_per_minute), .initial = "0", .most = 1000 * MILLION,
     .help = "of prompts and answers, by what the nodes count, 429 above; 0: no bound"},
    {"concurrent", KIND_INTEGER, AT(concurrent), .initial = "0", .most = 1000000,
     .help = "requests that run or wait at once, 429 above; 0: no bound"},
    {"models", KIND_TEXTS, AT(models), .most = 1000, .check = syntax_glob,
     .help = "only models that match one of these globs; default: all"},
    {"admin", KIND_BOOL, AT(admin), .initial = "false",
     .help = "whether it may change models, choose a node, and use the admin API"},
};

static const struct table key_table = {
    key_rows,
    COUNT(key_rows),
    sizeof(struct key_settings),
    .single_row = NO_SINGLE_ROW,
};

#undef AT
#define AT(member)     .offset = offsetof(struct settings, member), .reloadable = true
#define FIXED(member)  .offset = offsetof(struct settings, member)

static const struct row settings_rows[] = {
    {"listen", KIND_TEXTS, FIXED(listen), .initial = "127.0.0.1:8080", .most = 64, .check = syntax_listen,
     .option = "--listen", .argument = "ADDR",
     .help = "addresses to listen on: host:port, :port, unix:/path"},
    {"admin", KIND_TEXT, FIXED(admin), .initial = "127.0.0.1:8081", .check = syntax_admin,
     .option = "--admin", .argument = "ADDR",
     .help = "dashboard and admin API, or off; without keys, of this machine alone"},
    {"state", KIND_TEXT, FIXED(state), .check = syntax_state,
     .help = "folder for what outlives a restart, or none; default: $STATE_DIRECTORY"},
    {"tls.cert", KIND_TEXT, AT(tls.cert), .check = syntax_path,
     .help = "PEM file of the certificate, its chain behind it: `listen` speaks TLS, sockets aside"},
    {"tls.key", KIND_TEXT, AT(tls.key), .check = syntax_path,
     .help = "PEM file of its key, without a passphrase"},
    {"max_body", KIND_SIZE, AT(max_body), .initial = "64MiB", .least = KIB, .most = 4 * GIB,
     .help = "largest request body, 413 above; blobs are streamed and exempt"},
    {"max_connections", KIND_INTEGER, AT(max_connections), .initial = "10000",
     .least = 1, .most = 1000000,
     .help = "client connections at once"},
    {"drain", KIND_DURATION, AT(drain), .initial = "30s", .most = DAY,
     .help = "how long running requests may take to finish at SIGTERM"},
    {"manage", KIND_WORD, AT(manage), .initial = "admin", .words = manage_words,
     .help = "who may pull, delete, create, copy, push"},
    {"hosts", KIND_TEXTS, AT(hosts), .most = 1000, .check = syntax_host,
     .help = "Host names that are answered; default: as Ollama on loopback, any elsewhere"},
    {"cors.origins", KIND_TEXTS, AT(cors_origins), .initial = OLLAMA_ORIGINS_DEFAULT,
     .most = 1000, .check = syntax_origin, .ollama = "OLLAMA_ORIGINS",
     .help = "pages that browsers may call from; default: Ollama's list and OLLAMA_ORIGINS"},

    {"backends", KIND_RECORDS, AT(backends), .most = 1000, .of = &backend_table,
     .count_offset = offsetof(struct settings, backend_count),
     .option = "--backend", .argument = "URL", .ollama = "OLLAMA_HOST",
     .help = "the nodes; default: OLLAMA_HOST, else http://127.0.0.1:11434"},

    {"keep_alive", KIND_TEXT, AT(keep_alive), .check = syntax_keep_alive, .least = 1,
     .ollama = "OLLAMA_KEEP_ALIVE",
     .help = "how long a model that drover loads stays loaded; default: the node's own"},
    {"models", KIND_RECORDS, AT(models), .most = 1000, .of = &model_table,
     .count_offset = offsetof(struct settings, model_count),
     .help = "rules for models; the first that matches counts"},
    {"keys", KIND_RECORDS, AT(keys), .most = 10000, .of = &key_table,
     .count_offset = offsetof(struct settings, key_count),
     .help = "who may use it; default: everybody. Told in the file alone"},
    {"anonymous.requests_per_minute", KIND_INTEGER, AT(anonymous.requests_per_minute),
     .initial = "0", .most = 1000000,
     .help = "of one address, where there are no keys, 429 above; 0: no bound"},
    {"anonymous.burst", KIND_INTEGER, AT(anonymous.burst), .most = 1000000,
     .help = "of them at once; default: ten seconds' worth"},
    {"anonymous.concurrent", KIND_INTEGER, AT(anonymous.concurrent), .initial = "0",
     .most = 1000000,
     .help = "requests of one address that run or wait at once, 429 above; 0: no bound"},
    {"aliases", KIND_PAIRS, AT(aliases), .most = 1000, .check = syntax_model,
     .help = "other names for models: {gpt-4o-mini: \"llama3.1:8b\"}; as a variable a=b,c=d"},
    {"trusted_proxies", KIND_TEXTS, AT(trusted_proxies), .most = 1000, .check = syntax_net,
     .help = "addresses and networks whose X-Forwarded-For tells the client; unix: for sockets"},

    {"queue.size", KIND_INTEGER, AT(queue.size), .initial = "512", .most = 1000000,
     .ollama = "OLLAMA_MAX_QUEUE",
     .help = "requests that may wait, 503 above"},
    {"queue.per_key", KIND_INTEGER, AT(queue.per_key), .initial = "128", .most = 1000000,
     .help = "of them for one client, once half of the queue is taken, 503 above; 0: no bound"},
    {"queue.max_wait", KIND_DURATION, AT(queue.max_wait), .initial = "10m",
     .least = 1, .most = DAY,
     .help = "longest wait for a slot, 504 above"},
    {"queue.aging", KIND_DURATION, AT(queue.aging), .initial = "5m", .least = 1, .most = DAY,
     .help = "a request that has waited so long takes turns with those of higher priority"},
    {"queue.heartbeat", KIND_DURATION, AT(queue.heartbeat), .initial = "15s", .most = HOUR,
     .help = "between two comments to an event stream that waits, from 60s on; 0: none"},

    {"timeouts.connect", KIND_DURATION, AT(timeouts.connect), .initial = "5s",
     .least = 1, .most = HOUR,
     .help = "to a node, over all its addresses, TLS included"},
    {"timeouts.load", KIND_DURATION, AT(timeouts.load), .initial = "15m", .least = 1, .most = DAY,
     .help = "a node's first byte, where it has to load the model"},
    {"timeouts.first_byte", KIND_DURATION, AT(timeouts.first_byte), .initial = "10m",
     .least = 1, .most = DAY,
     .help = "a node's first byte, where the model is loaded"},
    {"timeouts.idle", KIND_DURATION, AT(timeouts.idle), .initial = "5m", .least = 1, .most = DAY,
     .help = "between two bytes of a node's answer"},
    {"timeouts.client_head", KIND_DURATION, AT(timeouts.client_head), .initial = "10s",
     .least = 1, .most = HOUR,
     .help = "for a whole request head"},
    {"timeouts.client_body", KIND_DURATION, AT(timeouts.client_body), .initial = "60s",
     .least = 1, .most = HOUR,
     .help = "between two bytes of a request body"},
    {"timeouts.client_idle", KIND_DURATION, AT(timeouts.client_idle), .initial = "75s",
     .least = 1, .most = DAY,
     .help = "between two requests of a connection"},
    {"timeouts.client_write", KIND_DURATION, AT(timeouts.client_write), .initial = "60s",
     .least = 1, .most = HOUR,
     .help = "a client that takes nothing of its answer"},

    {"retry.attempts", KIND_INTEGER, AT(retry.attempts), .initial = "3", .least = 1, .most = 10,
     .help = "tries of one request, the first included; only before a byte of the answer"},
    {"retry.budget", KIND_RATIO, AT(retry.budget_percent), .initial = "0.1", .most = 100,
     .help = "all retries together, as a share of the requests"},

    {"health.interval", KIND_DURATION, AT(health.interval), .initial = "5s",
     .least = 10, .most = HOUR,
     .help = "between two probes of a node"},
    {"health.timeout", KIND_DURATION, AT(health.timeout), .initial = "2s",
     .least = 1, .most = HOUR,
     .help = "of one probe"},
    {"health.down_after", KIND_INTEGER, AT(health.down_after), .initial = "3",
     .least = 1, .most = 1000,
     .help = "failed probes in a row until a node is down"},
    {"health.up_after", KIND_INTEGER, AT(health.up_after), .initial = "2",
     .least = 1, .most = 1000,
     .help = "good probes in a row until it is up again"},

    {"breaker.failures", KIND_INTEGER, AT(breaker.failures), .initial = "5",
     .least = 1, .most = 1000,
     .help = "failed requests within the window that stop new ones to a node"},
    {"breaker.window", KIND_DURATION, AT(breaker.window), .initial = "30s",
     .least = 1, .most = DAY,
     .help = "in which failures are counted"},
    {"breaker.open", KIND_DURATION, AT(breaker.open), .initial = "10s", .least = 1, .most = DAY,
     .help = "the first pause; it doubles each time the trial after it fails"},
    {"breaker.max_open", KIND_DURATION, AT(breaker.max_open), .initial = "5m",
     .least = 1, .most = DAY,
     .help = "the longest pause"},

    {"cache.mode", KIND_WORD, AT(cache.mode), .initial = "deterministic", .words = cache_words,
     .help = "which answers are kept: those that would be the same again, all, none"},
    {"cache.ttl", KIND_DURATION, AT(cache.ttl), .initial = "1h", .least = 1, .most = 400 * DAY,
     .help = "how long an answer is kept"},
    {"cache.stale", KIND_DURATION, AT(cache.stale), .initial = "24h", .most = 400 * DAY,
     .help = "for so long after it, it is given when no backend can answer"},
    {"cache.entries", KIND_INTEGER, AT(cache.entries), .initial = "50000", .least = 1,
     .most = 100 * MILLION,
     .help = "answers at once"},
    {"cache.memory", KIND_SIZE, AT(cache.memory), .initial = "256MiB", .least = KIB * KIB,
     .most = 1024 * GIB,
     .help = "memory of all of them, and what they take in the state folder"},
    {"cache.max_entry", KIND_SIZE, AT(cache.max_entry), .initial = "4MiB", .least = KIB,
     .most = GIB,
     .help = "the largest answer that is kept"},
    {"cache.scope", KIND_WORD, AT(cache.scope), .initial = "shared", .words = scope_words,
     .help = "whether keys share what is kept"},
    {"cache.join", KIND_BOOL, AT(cache.join), .initial = "true",
     .help = "whether equal requests under way share one answer"},
    {"cache.charge", KIND_BOOL, AT(cache.charge), .initial = "false",
     .help = "whether answers out of it count as tokens of their keys"},

    {"usage.keep", KIND_DURATION, AT(usage.keep), .initial = "400d", .least = HOUR,
     .most = 4000 * DAY,
     .help = "how long the accounts of use are kept"},

    {"log.level", KIND_WORD, AT(log.level), .initial = "info", .words = level_words,
     .option = "--log-level", .argument = "LEVEL",
     .help = "what goes to standard error"},
    {"log.format", KIND_WORD, AT(log.format), .initial = "text", .words = format_words,
     .help = "of log and access log"},
    {"log.access", KIND_TEXT, AT(log.access), .initial = "stdout", .check = syntax_access,
     .help = "a line a request to stdout or a file; or off"},
    {"log.slow", KIND_DURATION, AT(log.slow), .initial = "30s", .most = DAY,
     .help = "requests slower than this are logged again, as warnings; 0: none"},
};
/* clang-format on */

const struct table settings_table = {
    settings_rows,
    COUNT(settings_rows),
    sizeof(struct settings),
    .single_row = 0,
};

int
table_find(const struct table *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].path, path) == 0)
			return (int)i;
	return -1;
}

bool
table_is_list(const struct row *row)
{
	return row->kind == KIND_TEXTS || row->kind == KIND_PAIRS || row->kind == KIND_RECORDS;
}

static bool
is_under(const char *path, const char *group)
{
	size_t len = strlen(group);

	return strncmp(path, group, len) == 0 && path[len] == '.';
}

bool
table_has_group(const struct table *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++)
		if (is_under(t->rows[i].path, path))
			return true;
	return false;
}

void
table_add_suggestion(const struct table *t, const char *path, struct buf *out)
{
	struct near near = near_to(path);

	for (size_t i = 0; i < t->count; i++)
		near_offer(&near, t->rows[i].path);
	/* After the rows: a group is named only where no key is as near. */
	for (size_t i = 0; i < t->count && strchr(path, '.') == NULL; i++) {
		const char *dot = strchr(t->rows[i].path, '.');

		if (dot != NULL)
			near_offer_slice(&near, (struct str){t->rows[i].path, (size_t)(dot - t->rows[i].path)});
	}
	if (near.found[0] != '\0')
		buf_addf(out, "; did you mean %s?", near.found);
}

void
table_add_variable(const char *path, struct buf *out)
{
	buf_adds(out, "DROVER_");
	for (; *path != '\0'; path++)
		buf_addf(out, "%c", *path == '.' ? '_' : toupper((unsigned char)*path));
}
