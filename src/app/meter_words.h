/* The words that stand in the metrics for what went wrong. They are few, and stay as they are. */
#ifndef APP_METER_WORDS_H
#define APP_METER_WORDS_H

#include "core/backend.h"
#include "core/sched.h"
#include "io/exchange.h"

const char *meter_word_of_fault(enum backend_fault fault);
/* Why the scheduler refused a request. */
const char *meter_word_of_answer(enum sched_answer answer);
/* Why it is tried again; not of EXCHANGE_DONE. */
const char *meter_word_of_end(enum exchange_end end);
/* Why a request was refused, where only the status is known. */
const char *meter_word_of_status(int status);

#endif
