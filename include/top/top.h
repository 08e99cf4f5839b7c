/*
 * `drover top`: what a running drover does, live in a terminal, as its admin API tells it.
 *
 * Where output or input is no terminal, or with `once`, it is plain text: one picture, or with an
 * interval one after another.
 */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include <stdbool.h>
#include <stdint.h>

struct top_conf {
	const char *url;       /* of the admin API */
	const char *admin_key; /* NULL: none */
	int64_t interval_ms;   /* between two pictures; 0: none was asked for */
	bool once;
};

/* Returns the exit status: 0; 1 where nothing is to be had from the admin API; 2 for an address
 * that cannot be meant. */
int top_run(const struct top_conf *conf);

#endif
