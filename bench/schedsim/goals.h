/* What the scheduler must reach, and whether it did. */
#ifndef SCHEDSIM_GOALS_H
#define SCHEDSIM_GOALS_H

#include "study.h"

#include <stdio.h>

/* Prints those goals whose runs were made; returns how many were missed. */
int goals_print(const struct study *s, FILE *out);

#endif
