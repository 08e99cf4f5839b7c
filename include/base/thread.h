/* Threads beside the loop. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* With all signals blocked: they are the loop's. False: the system has no thread for it now. */
bool thread_start(pthread_t *out, void *(*work)(void *arg), void *arg)
    __attribute__((warn_unused_result));

#endif
