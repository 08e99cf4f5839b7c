/*
 * The service manager: what it gives to a service when it starts it, and what it wants to hear.
 * With systemd (libsystemd) that is its protocol; without, nothing is given and nobody listens.
 *
 * What is said is one datagram, and is said in vain where nobody asked for it. A manager that does
 * not read is not waited for.
 */
#ifndef IO_SERVICE_H
#define IO_SERVICE_H

#include "io/sockets.h"

#include <stdint.h>
#include <sys/types.h>

/* Adds the sockets of LISTEN_FDS: one that LISTEN_FDNAMES calls "admin" is the admin API's, all
 * others are the front end's. The variables are removed, so that no child takes them for its own.
 * False: `why` says what one is that cannot be used. */
bool service_take_sockets(struct sockets *s, struct buf *why);
/* Whether anybody hears what is said. */
bool service_listens(void);
void service_say_ready(void);
/* A line for `systemctl status`. */
void service_say_status(const char *text);
/* Until the next service_say_ready. */
void service_say_reloading(void);
void service_say_stopping(void);
/* Another process is the service from now on. */
void service_say_main_process(pid_t pid);
/* How often service_say_alive is wanted at the latest; 0: it is not. */
int64_t service_watchdog_ms(void);
void service_say_alive(void);
/* What could not be said yet; waits for the manager. Not for the loop. */
void service_say_rest(void);

#endif
