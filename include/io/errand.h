/*
 * One piece of work that would keep the loop waiting, done beside it in a thread of its own.
 *
 * Owner: who started it, until `done` is called or it is abandoned.
 */
#ifndef IO_ERRAND_H
#define IO_ERRAND_H

struct errand;
struct loop;

/* `work(arg)` in the thread, and then `done(arg)` in the loop; what `arg` points at is the thread's
 * alone in between. NULL: there is no thread or no descriptor for it, and neither is called. */
struct errand *errand_start(struct loop *l, void (*work)(void *arg), void (*done)(void *arg),
                            void *arg);
/* Waits for `work` to return; `done` is not called any more. NULL is allowed. */
void errand_abandon(struct errand **e);

#endif
