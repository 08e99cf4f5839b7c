/* Threads beside the loop. A new thread has the mask of the one that starts it. */
#include "base/thread.h"

#include <signal.h>

bool
thread_start(pthread_t *out, void *(*work)(void *arg), void *arg)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(out, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
}
