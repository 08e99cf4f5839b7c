/*
 * The scheduler in a world whose events are the fuzzer's bytes: the oracle finds no fault, and
 * afterwards it heals and drains to nothing.
 */
#include "fuzz.h"
#include "world.h"

enum { CALM_STEPS = 20 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	world_open_script(&w, data, size);
	while (w.script_left > 0)
		world_step(&w);
	world_heal(&w, CALM_STEPS);
	world_drain(&w);
	world_close(&w);
	return 0;
}
