/*
 * Where requests come in: Host and Origin, the route, the body, then the work
 * that the route stands for.
 */
#ifndef APP_INTAKE_H
#define APP_INTAKE_H

#include "io/front.h"

/* The front's callbacks; their `arg` is the struct gateway. */
extern const struct front_ops intake_ops;

#endif
