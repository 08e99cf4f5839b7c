/*
 * SIGUSR2: another program takes the place of this one. It is started from the path and with the
 * arguments of this one, so it is whatever stands there by now; it gets the listening sockets, and
 * once it says that it is ready, this one serves only what it has already let in, and ends.
 */
#ifndef APP_UPGRADE_H
#define APP_UPGRADE_H

struct gateway;
struct upgrade;

/* `argv`: of this program, as long as it runs. */
struct upgrade *upgrade_create(struct gateway *g, char **argv);
/* A program that does not serve yet is ended. NULL is allowed. */
void upgrade_destroy(struct upgrade **u);
void upgrade_begin(struct upgrade *u);
/* This program is to end: so is the new one, if it does not serve yet. */
void upgrade_give_up(struct upgrade *u);

#endif
