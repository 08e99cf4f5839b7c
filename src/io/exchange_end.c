/* The ends of an exchange in words, for logs and error bodies. */
#include "io/exchange.h"

#include <stdlib.h>

const char *
exchange_end_text(enum exchange_end end)
{
	switch (end) {
	case EXCHANGE_DONE: return "it answered";
	case EXCHANGE_CONNECT_FAILED: return "no connection could be made";
	case EXCHANGE_CONNECT_TIMEOUT: return "no connection could be made in time";
	case EXCHANGE_TLS_FAILED: return "no TLS connection could be made";
	case EXCHANGE_STALE: return "it closed an idle connection";
	case EXCHANGE_CLOSED: return "it closed the connection before it answered";
	case EXCHANGE_SEND_TIMEOUT: return "it stopped taking the request";
	case EXCHANGE_FIRST_BYTE_TIMEOUT: return "it did not begin to answer in time";
	case EXCHANGE_IDLE_TIMEOUT: return "it stopped in the middle of its answer";
	case EXCHANGE_CUT: return "it closed the connection in the middle of its answer";
	case EXCHANGE_BAD_ANSWER: return "it answered no valid HTTP";
	}
	abort();
}

const char *
exchange_end_detail(enum exchange_end end, const char *why)
{
	return end == EXCHANGE_CONNECT_FAILED || end == EXCHANGE_TLS_FAILED ||
	               end == EXCHANGE_BAD_ANSWER
	           ? why
	           : NULL;
}

bool
exchange_end_is_connect(enum exchange_end end)
{
	return end == EXCHANGE_CONNECT_FAILED || end == EXCHANGE_CONNECT_TIMEOUT ||
	       end == EXCHANGE_TLS_FAILED;
}

bool
exchange_end_is_late(enum exchange_end end)
{
	return end == EXCHANGE_CONNECT_TIMEOUT || end == EXCHANGE_SEND_TIMEOUT ||
	       end == EXCHANGE_FIRST_BYTE_TIMEOUT || end == EXCHANGE_IDLE_TIMEOUT;
}
