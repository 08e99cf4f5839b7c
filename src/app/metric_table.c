/*
 * The table of metrics, and the reading of those that are not counted but known. Each of these
 * reads figures that are kept anyway: nothing is walked but nodes and classes.
 */
#include "app/metric_table.h"

#include "app/accounts.h"
#include "app/answers.h"
#include "app/gateway.h"
#include "app/process_figures.h"
#include "base/clock.h"
#include "io/cache_disk.h"

/* --- the queue --- */

static void
collect_depth(struct metrics_sink *out, void *arg)
{
	const struct gateway *g = arg;

	for (int c = 0; c < CLASSES; c++) {
		const char *class = job_class_name((enum job_class)c);

		metrics_sink_add(out, &class, sched_waiting_in(g->sched, (enum job_class)c));
	}
}

static void
collect_size(struct metrics_sink *out, void *arg)
{
	metrics_sink_add(out, NULL, ((const struct gateway *)arg)->settings->queue.size);
}

static void
collect_oldest(struct metrics_sink *out, void *arg)
{
	const struct gateway *g = arg;

	metrics_sink_add_us(out, NULL, sched_oldest_ms(g->sched, clock_now_ms()) * 1000);
}

static void
collect_connections(struct metrics_sink *out, void *arg)
{
	metrics_sink_add(out, NULL, front_connections(((const struct gateway *)arg)->front));
}

static void
collect_handshakes(struct metrics_sink *out, void *arg)
{
	const struct front_tls_figures *f = front_tls_figures(((const struct gateway *)arg)->front);
	const struct {
		const char *result;
		uint64_t count;
	} rows[] = {
	    {"full", f->full}, {"resumed", f->resumed}, {"failed", f->failed}, {"plain", f->plain}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_sink_add(out, &rows[i].result, (int64_t)rows[i].count);
}

/* Without TLS there is no such time. */
static void
collect_expires(struct metrics_sink *out, void *arg)
{
	int64_t at_s = front_tls_expires_s(((const struct gateway *)arg)->front);

	if (at_s != 0)
		metrics_sink_add(out, NULL, at_s);
}

/* --- nodes --- */

/* One that drains answers, and counts as up. */
static int64_t
is_up(const struct backend *b)
{
	return backend_state(b) == BACKEND_UP || backend_state(b) == BACKEND_DRAINING;
}

static int64_t
busy(const struct backend *b)
{
	return backend_busy(b);
}

static int64_t
slots(const struct backend *b)
{
	return backend_slots(b);
}

static void
add_backends(struct metrics_sink *out, const struct gateway *g,
             int64_t (*figure)(const struct backend *b))
{
	for (size_t i = 0; i < g->server_count; i++) {
		const struct backend *b = g->servers[i]->backend;
		const char *name = backend_name(b);

		metrics_sink_add(out, &name, figure(b));
	}
}

static void
collect_up(struct metrics_sink *out, void *arg)
{
	add_backends(out, arg, is_up);
}

static void
collect_busy(struct metrics_sink *out, void *arg)
{
	add_backends(out, arg, busy);
}

static void
collect_slots(struct metrics_sink *out, void *arg)
{
	add_backends(out, arg, slots);
}

static void
collect_breakers(struct metrics_sink *out, void *arg)
{
	static const enum breaker_state states[] = {BREAKER_CLOSED, BREAKER_OPEN, BREAKER_TRYING};
	const struct gateway *g = arg;

	for (size_t i = 0; i < g->server_count; i++)
		for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
			const struct backend *b = g->servers[i]->backend;
			const char *values[] = {backend_name(b), breaker_state_name(states[s])};

			metrics_sink_add(out, values, backend_breaker(b) == states[s]);
		}
}

/* --- kept answers --- */

static void
collect_cache_requests(struct metrics_sink *out, void *arg)
{
	const struct answers *a = ((const struct gateway *)arg)->answers;
	const struct {
		const char *result;
		uint64_t count;
	} rows[] = {
	    {"hit", a->hits},    {"miss", a->misses},     {"joined", a->joined},
	    {"stale", a->stale}, {"bypass", a->bypassed},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_sink_add(out, &rows[i].result, (int64_t)rows[i].count);
}

static struct cache_stats
stats_of(const struct gateway *g)
{
	return cache_stats(g->answers->cache);
}

static void
collect_cache_bytes(struct metrics_sink *out, void *arg)
{
	metrics_sink_add(out, NULL, (int64_t)stats_of(arg).bytes);
}

static void
collect_cache_entries(struct metrics_sink *out, void *arg)
{
	metrics_sink_add(out, NULL, (int64_t)stats_of(arg).entries);
}

/* --- the state folder --- */

/* Nothing where nothing is kept on disk. */
static void
collect_cache_writes(struct metrics_sink *out, void *arg)
{
	const struct gateway *g = arg;
	struct cache_disk_stats stats;

	if (g->answers->disk == NULL)
		return;
	stats = cache_disk_stats(g->answers->disk);
	const struct {
		const char *result;
		uint64_t count;
	} rows[] = {{"written", stats.written}, {"behind", stats.dropped}, {"failed", stats.failed}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_sink_add(out, &rows[i].result, (int64_t)rows[i].count);
}

static void
collect_state_failing(struct metrics_sink *out, void *arg)
{
	const struct gateway *g = arg;
	const char *cache = "cache", *usage = "usage";

	if (g->answers->disk != NULL)
		metrics_sink_add(out, &cache, cache_disk_is_failing(g->answers->disk));
	metrics_sink_add(out, &usage, accounts_are_failing(g->accounts));
}

/* --- the program --- */

static void
collect_reloads(struct metrics_sink *out, void *arg)
{
	const struct gateway *g = arg;
	const char *ok = "ok", *failed = "failed";

	metrics_sink_add(out, &ok, (int64_t)g->reloads);
	metrics_sink_add(out, &failed, (int64_t)g->failed_reloads);
}

static void
collect_build(struct metrics_sink *out, void *arg)
{
	const char *version = DROVER_VERSION;

	metrics_sink_add(out, &version, 1);
}

/* What the system does not say is left out. */
static void
add_known(struct metrics_sink *out, int64_t value)
{
	if (value >= 0)
		metrics_sink_add(out, NULL, value);
}

static void
add_known_us(struct metrics_sink *out, int64_t us)
{
	if (us >= 0)
		metrics_sink_add_us(out, NULL, us);
}

static void
collect_cpu(struct metrics_sink *out, void *arg)
{
	add_known_us(out, process_cpu_us());
}

static void
collect_start(struct metrics_sink *out, void *arg)
{
	add_known_us(out, process_started_us());
}

static void
collect_resident(struct metrics_sink *out, void *arg)
{
	add_known(out, process_resident_bytes());
}

static void
collect_virtual(struct metrics_sink *out, void *arg)
{
	add_known(out, process_virtual_bytes());
}

static void
collect_open_fds(struct metrics_sink *out, void *arg)
{
	add_known(out, process_open_fds());
}

static void
collect_most_fds(struct metrics_sink *out, void *arg)
{
	add_known(out, process_most_fds());
}

/* --- the table --- */

const struct metric metric_table[METRIC_ROWS] = {
    [METRIC_REQUESTS] = {"drover_requests_total",
                         METRIC_COUNTER,
                         {"route", "model", "code"},
                         "Requests that ended, by what the client was told; 499: it went away.",
                         NULL},
    [METRIC_REQUEST_SECONDS] = {"drover_request_seconds",
                                METRIC_HISTOGRAM,
                                {"route", "model"},
                                "From the head of a request to the end of its answer.",
                                NULL},
    [METRIC_QUEUE_WAIT] = {"drover_queue_wait_seconds",
                           METRIC_HISTOGRAM,
                           {"class"},
                           "How long requests waited for a slot, or until they gave up.",
                           NULL},
    [METRIC_FIRST_TOKEN] = {"drover_time_to_first_token_seconds",
                            METRIC_HISTOGRAM,
                            {"model"},
                            "From the head of a request to the first piece of a streamed answer.",
                            NULL},
    [METRIC_INTER_TOKEN] = {"drover_inter_token_seconds",
                            METRIC_HISTOGRAM,
                            {"model"},
                            "Between two pieces of a streamed answer, as they came from the node.",
                            NULL},
    [METRIC_TOKENS] = {"drover_tokens_total",
                       METRIC_COUNTER,
                       {"kind", "model"},
                       "Tokens of prompts and answers, as the nodes counted them.",
                       NULL},
    [METRIC_KEY_REQUESTS] = {"drover_key_requests_total",
                             METRIC_COUNTER,
                             {"key", "code"},
                             "Requests that ended, by key; anonymous: known by an address alone.",
                             NULL},
    [METRIC_KEY_TOKENS] = {"drover_key_tokens_total",
                           METRIC_COUNTER,
                           {"key", "kind"},
                           "Tokens of prompts and answers, by key.",
                           NULL},
    [METRIC_QUEUE_DEPTH] = {"drover_queue_depth",
                            METRIC_GAUGE,
                            {"class"},
                            "Requests that wait for a slot.",
                            collect_depth},
    [METRIC_QUEUE_SIZE] = {"drover_queue_size",
                           METRIC_GAUGE,
                           {NULL},
                           "Requests that may wait at once.",
                           collect_size},
    [METRIC_QUEUE_OLDEST] = {"drover_queue_oldest_seconds",
                             METRIC_GAUGE,
                             {NULL},
                             "How long the one that has waited longest has waited; 0: none waits.",
                             collect_oldest},
    [METRIC_REJECTED] = {"drover_rejected_total",
                         METRIC_COUNTER,
                         {"reason"},
                         "Requests that the gateway refused by itself.",
                         NULL},
    [METRIC_BACKEND_UP] = {"drover_backend_up",
                           METRIC_GAUGE,
                           {"backend"},
                           "Whether the node answers probes; draining ones do too.",
                           collect_up},
    [METRIC_BACKEND_BUSY] = {"drover_backend_busy",
                             METRIC_GAUGE,
                             {"backend"},
                             "Slots of the node that are taken.",
                             collect_busy},
    [METRIC_BACKEND_SLOTS] =
        {"drover_backend_slots", METRIC_GAUGE, {"backend"}, "Slots of the node.", collect_slots},
    [METRIC_BACKEND_ERRORS] = {"drover_backend_errors_total",
                               METRIC_COUNTER,
                               {"backend", "reason"},
                               "What went wrong with requests, loads and unloads on the node.",
                               NULL},
    [METRIC_BACKEND_BREAKER] = {"drover_backend_breaker",
                                METRIC_GAUGE,
                                {"backend", "state"},
                                "1 for the state that the breaker of the node is in.",
                                collect_breakers},
    [METRIC_MODEL_LOADS] = {"drover_model_loads_total",
                            METRIC_COUNTER,
                            {"backend", "model"},
                            "Loads of a model on a node that succeeded.",
                            NULL},
    [METRIC_MODEL_LOAD_SECONDS] = {"drover_model_load_seconds",
                                   METRIC_HISTOGRAM,
                                   {"backend", "model"},
                                   "How long such loads took.",
                                   NULL},
    [METRIC_RETRIES] = {"drover_retries_total",
                        METRIC_COUNTER,
                        {"reason"},
                        "Requests that were sent again, by what went wrong before.",
                        NULL},
    [METRIC_CACHE_REQUESTS] = {"drover_cache_requests_total",
                               METRIC_COUNTER,
                               {"result"},
                               "Requests whose answers may be kept, as X-Drover-Cache told.",
                               collect_cache_requests},
    [METRIC_CACHE_BYTES] = {"drover_cache_bytes",
                            METRIC_GAUGE,
                            {NULL},
                            "Memory that answers take which are kept.",
                            collect_cache_bytes},
    [METRIC_CACHE_ENTRIES] = {"drover_cache_entries",
                              METRIC_GAUGE,
                              {NULL},
                              "Answers that are kept.",
                              collect_cache_entries},
    [METRIC_CACHE_WRITES] = {"drover_cache_writes_total",
                             METRIC_COUNTER,
                             {"result"},
                             "Answers for the state folder; behind: the disk was too slow.",
                             collect_cache_writes},
    [METRIC_STATE_FAILING] = {"drover_state_failing",
                              METRIC_GAUGE,
                              {"file"},
                              "1 for a file of the state folder whose last write failed.",
                              collect_state_failing},
    [METRIC_CONNECTIONS] = {"drover_connections",
                            METRIC_GAUGE,
                            {NULL},
                            "Open connections of clients.",
                            collect_connections},
    [METRIC_CONFIG_RELOADS] = {"drover_config_reloads_total",
                               METRIC_COUNTER,
                               {"result"},
                               "Reloads of the configuration; failed: refused, nothing changed.",
                               collect_reloads},
    [METRIC_TLS_HANDSHAKES] = {"drover_tls_handshakes_total",
                               METRIC_COUNTER,
                               {"result"},
                               "Handshakes of clients; plain: none, it came with plain HTTP.",
                               collect_handshakes},
    [METRIC_TLS_EXPIRES] = {"drover_tls_certificate_expires_seconds",
                            METRIC_GAUGE,
                            {NULL},
                            "When the certificate that clients see expires, in seconds since 1970.",
                            collect_expires},
    [METRIC_BUILD_INFO] = {"drover_build_info",
                           METRIC_GAUGE,
                           {"version"},
                           "1, with the version of the program.",
                           collect_build},
    [METRIC_PROCESS_CPU] = {"process_cpu_seconds_total",
                            METRIC_COUNTER,
                            {NULL},
                            "CPU time of the process, its own and the kernel for it.",
                            collect_cpu},
    [METRIC_PROCESS_RESIDENT] = {"process_resident_memory_bytes",
                                 METRIC_GAUGE,
                                 {NULL},
                                 "Memory of the process that is in RAM.",
                                 collect_resident},
    [METRIC_PROCESS_VIRTUAL] = {"process_virtual_memory_bytes",
                                METRIC_GAUGE,
                                {NULL},
                                "Addresses that the process has mapped.",
                                collect_virtual},
    [METRIC_PROCESS_OPEN_FDS] =
        {"process_open_fds", METRIC_GAUGE, {NULL}, "Open file descriptors.", collect_open_fds},
    [METRIC_PROCESS_MOST_FDS] = {"process_max_fds",
                                 METRIC_GAUGE,
                                 {NULL},
                                 "File descriptors that may be open.",
                                 collect_most_fds},
    [METRIC_PROCESS_START] = {"process_start_time_seconds",
                              METRIC_GAUGE,
                              {NULL},
                              "When the process began, in seconds since 1970.",
                              collect_start},
};
