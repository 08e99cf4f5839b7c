/*
 * The clock. Decisions never read it: they are given `now`. It is monotonic, so
 * that a change of the wall clock moves no time-out; the wall clock is for log
 * lines and dates alone.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);
int64_t clock_now_us(void);
/* Milliseconds as of the kernel's last tick, 1 to 10 ms ago: much cheaper, for time-outs. */
int64_t clock_coarse_ms(void);
/* Milliseconds since 1970, UTC. */
int64_t clock_wall_ms(void);
/* Between them the clocks of this thread stand still. What the loop calls happens at one time, and
 * asks for it twenty times a request, which would take a twentieth of it. */
void clock_hold(void);
void clock_release(void);

#endif
