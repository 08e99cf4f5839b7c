/* The words that stand in the metrics for what went wrong. */
#include "app/meter_words.h"

#include <stdlib.h>

const char *
meter_word_of_fault(enum backend_fault fault)
{
	switch (fault) {
	case FAULT_CONNECT: return "connect";
	case FAULT_TLS: return "tls";
	case FAULT_BROKEN: return "broken";
	case FAULT_BUSY: return "busy";
	case FAULT_HANG: return "hang";
	}
	abort();
}

const char *
meter_word_of_answer(enum sched_answer answer)
{
	switch (answer) {
	case SCHED_FULL: return "queue_full";
	case SCHED_TOO_LATE: return "too_late";
	case SCHED_UNKNOWN_MODEL: return "unknown_model";
	case SCHED_LOAD_FAILED: return "load_failed";
	case SCHED_QUEUED: /* a node came back too late for it */
	case SCHED_NO_BACKEND: return "no_backend";
	}
	abort();
}

const char *
meter_word_of_end(enum exchange_end end)
{
	switch (end) {
	case EXCHANGE_DONE: break;
	case EXCHANGE_CONNECT_FAILED:
	case EXCHANGE_CONNECT_TIMEOUT: return "connect";
	case EXCHANGE_TLS_FAILED: return "tls";
	case EXCHANGE_STALE: return "stale";
	case EXCHANGE_SEND_TIMEOUT:
	case EXCHANGE_FIRST_BYTE_TIMEOUT:
	case EXCHANGE_IDLE_TIMEOUT: return "hang";
	case EXCHANGE_CLOSED:
	case EXCHANGE_CUT:
	case EXCHANGE_BAD_ANSWER: return "broken";
	}
	abort();
}

const char *
meter_word_of_status(int status)
{
	switch (status) {
	case 401: return "unauthorized";
	case 403: return "forbidden";
	case 404: return "not_found";
	case 405: return "method";
	case 408: return "client_slow";
	case 413: return "too_large";
	case 503: return "unavailable";
	case 504: return "not_cached"; /* only-if-cached; other ones are no refusals */
	default: return status >= 500 ? "unsupported" : "bad_request";
	}
}
