/*
 * How faults are done to a request: those that come before the head at once,
 * those in mid-stream when its run has come so far.
 */
#ifndef NODE_RUN_FAULTS_H
#define NODE_RUN_FAULTS_H

#include "node_impl.h"

/* An answer that is sent byte by byte. */
struct drip;

/* Before the visit is handled. True when a fault took it; one for later is left in visit.fault. */
bool faults_strike(struct visit *v);
/* In mid-stream, with everything so far given to the front end and not yet flushed. `r` is NULL
 * where no model runs. True when the visit is over, or silent for ever. */
bool faults_strike_stream(struct visit *v, struct reply *r);
void drip_begin(struct visit *v, const struct front_head *head, struct str body);
void drip_destroy(struct drip **d);

#endif
