/* The clock. */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

enum { NOW, COARSE, WALL, CLOCKS };

static const clockid_t ids[CLOCKS] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME};

static _Thread_local bool held;
static _Thread_local int64_t held_us[CLOCKS]; /* 0: not asked for since */

static int64_t
read_us(int clock)
{
	struct timespec t;

	if (held && held_us[clock] != 0)
		return held_us[clock];
	clock_gettime(ids[clock], &t);
	return held_us[clock] = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_now_ms(void)
{
	return read_us(NOW) / 1000;
}

int64_t
clock_now_us(void)
{
	return read_us(NOW);
}

int64_t
clock_coarse_ms(void)
{
	return read_us(COARSE) / 1000;
}

int64_t
clock_wall_ms(void)
{
	return read_us(WALL) / 1000;
}

void
clock_hold(void)
{
	held = true;
	for (int i = 0; i < CLOCKS; i++)
		held_us[i] = 0;
}

void
clock_release(void)
{
	held = false;
}
