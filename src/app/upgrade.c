/*
 * The old program's side of a handover; app/handover.h has what is said.
 *
 *   NONE -> STARTING -> GIVEN -> RETIRED
 *   STARTING, GIVEN -> FAILING -> NONE
 *
 * Whether the new program lives is known by SIGCHLD alone: until it has ended, its state is
 * not NONE again, so that there are never two of them. The files of the state folder are closed by
 * a thread, since that waits for the disk.
 */
#include "app/upgrade.h"

#include "app/accounts.h"
#include "app/admin.h"
#include "app/answers.h"
#include "app/gateway.h"
#include "app/handover.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "io/cache_disk.h"
#include "io/link.h"
#include "io/service.h"
#include "io/usage_disk.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_WITHIN_MS = 60000, USAGE_EVERY_MS = 100 };

enum upgrade_state {
	UPGRADE_NONE,
	UPGRADE_STARTING, /* the new program prepares itself */
	UPGRADE_GIVEN,    /* it has the files, or will have them once they are closed */
	UPGRADE_FAILING,  /* it was told to end */
	UPGRADE_RETIRED,  /* it serves */
};

struct upgrade {
	struct gateway *gateway; /* borrowed */
	char **argv;             /* borrowed */
	enum upgrade_state state;
	pid_t pid;
	struct link *link; /* owned; NULL: there is none, or the other side has closed */
	struct event *child;
	struct timer timer; /* until it must be ready; then for what is still counted */
	bool given;         /* the files are not ours */
	pthread_t closer;   /* joined before `disks` is touched again */
	bool closing;
	struct {
		struct cache_disk *cache;
		struct usage_disk *usage;
	} disks; /* owned, until the closer has closed them */
};

static const char log_name[] = "upgrade";

/* --- the new program --- */

/* What is about this process alone is not for another. */
static bool
is_private(const char *entry)
{
	static const char *const names[] = {HANDOVER_VARIABLE "=", "LISTEN_", "WATCHDOG_PID="};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The array is the caller's, the texts are not. */
static char **
environment_with(char *entry)
{
	size_t count = 0, kept = 0;
	char **all;

	while (environ[count] != NULL)
		count++;
	all = mem_zalloc(count + 2, sizeof(all[0]));
	for (size_t i = 0; i < count; i++)
		if (!is_private(environ[i]))
			all[kept++] = environ[i];
	all[kept] = entry;
	return all;
}

/* Found as the shell found this one: by its path, or by its name in PATH. 0 or an errno. */
static int
spawn(struct upgrade *u, int end)
{
	char variable[64];
	char **env;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t all, held;
	int error;

	snprintf(variable, sizeof(variable), HANDOVER_VARIABLE "=%d", end);
	env = environment_with(variable);
	sigfillset(&all);
	/* Until it listens, as any start of the program holds them (main.c): before that, in exec. */
	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGUSR1);
	sigaddset(&held, SIGUSR2);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, end, end); /* is inherited, as nothing else is */
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &held);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&u->pid, u->argv[0], &files, &attributes, u->argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	return error;
}

static void
send_word(const struct upgrade *u, const char *word)
{
	if (u->link != NULL && !link_send(u->link, str_of(word), -1))
		log_warn(log_name, "process %ld does not listen", (long)u->pid);
}

/* What an operator took out of use stays out. */
static void
send_drained(const struct upgrade *u)
{
	const struct gateway *g = u->gateway;
	struct buf message = {0};

	for (size_t i = 0; i < g->server_count; i++) {
		const struct backend *b = g->servers[i]->backend;

		if (!backend_is_draining(b))
			continue;
		buf_clear(&message);
		handover_add_drained(backend_name(b), &message);
		send_word(u, buf_text(&message));
	}
	buf_finish(&message);
}

struct sending {
	const struct upgrade *upgrade;
	enum sockets_use use;
	struct buf message;
};

static void
send_socket(const char *address, int fd, void *arg)
{
	struct sending *s = arg;
	const struct upgrade *u = s->upgrade;
	struct sockets_item item = {s->use, sockets_are_chosen(u->gateway->given, s->use), address};

	buf_clear(&s->message);
	handover_add_socket(&item, &s->message);
	if (!link_send(u->link, (struct str){s->message.data, s->message.len}, fd))
		log_warn(log_name, "%s cannot be passed on: %s", address, strerror(errno));
}

static void
send_sockets(const struct upgrade *u)
{
	struct sending s = {.upgrade = u, .use = SOCKETS_FRONT};

	front_for_each_socket(u->gateway->front, send_socket, &s);
	s.use = SOCKETS_ADMIN;
	if (u->gateway->admin != NULL)
		front_for_each_socket(admin_front(u->gateway->admin), send_socket, &s);
	buf_finish(&s.message);
	send_word(u, HANDOVER_SOCKETS_END);
}

/* --- the files of the state folder --- */

static void *
close_disks(void *arg)
{
	struct upgrade *u = arg;

	usage_disk_close(&u->disks.usage);
	cache_disk_close(&u->disks.cache);
	send_word(u, HANDOVER_STATE);
	return NULL;
}

static void
give_state(struct upgrade *u)
{
	u->given = true;
	u->disks.usage = accounts_take_disk(u->gateway->accounts);
	u->disks.cache = answers_take_disk(u->gateway->answers);
	u->closing = thread_start(&u->closer, close_disks, u);
	if (!u->closing)
		close_disks(u);
}

static void
await_closer(struct upgrade *u)
{
	if (u->closing)
		pthread_join(u->closer, NULL);
	u->closing = false;
}

/* --- how it goes on --- */

static void
fail(struct upgrade *u)
{
	u->state = UPGRADE_FAILING;
	kill(u->pid, SIGKILL);
}

static void
take_back(struct upgrade *u)
{
	timer_stop(&u->timer);
	await_closer(u);
	link_destroy(&u->link);
	u->state = UPGRADE_NONE;
	if (!u->given)
		return;
	u->given = false;
	accounts_open_again(u->gateway->accounts);
	answers_open_again(u->gateway->answers);
}

static void
say_end(pid_t pid, int status)
{
	static const char goes_on[] = "this program goes on serving";

	if (WIFSIGNALED(status))
		log_error(log_name, "process %ld was ended by signal %d (%s) before it could serve: %s",
		          (long)pid, WTERMSIG(status), strsignal(WTERMSIG(status)), goes_on);
	else
		log_error(log_name, "process %ld ended with status %d before it could serve: %s", (long)pid,
		          WEXITSTATUS(status), goes_on);
}

static void
on_child(int signal_number, void *arg)
{
	struct upgrade *u = arg;
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0 || pid != u->pid || u->state == UPGRADE_RETIRED)
		return;
	if (!u->gateway->draining)
		say_end(pid, status);
	take_back(u);
	service_say_ready();
}

static void
send_usage(const struct tally_row *row, void *arg)
{
	struct upgrade *u = arg;
	struct buf message = {0};

	handover_add_usage(row, &message);
	if (u->link == NULL || !link_send(u->link, (struct str){message.data, message.len}, -1))
		accounts_keep_late(u->gateway->accounts, row);
	buf_finish(&message);
}

static void
on_timer(void *arg)
{
	struct upgrade *u = arg;

	if (u->state != UPGRADE_RETIRED) {
		log_error(log_name, "process %ld was not ready within %d s", (long)u->pid,
		          READY_WITHIN_MS / 1000);
		fail(u);
		return;
	}
	accounts_take_late(u->gateway->accounts, send_usage, u);
	timer_start(&u->timer, USAGE_EVERY_MS);
}

static void
retire(struct upgrade *u)
{
	await_closer(u);
	u->state = UPGRADE_RETIRED;
	log_info(log_name, "process %ld serves from now on; what is under way here may finish",
	         (long)u->pid);
	service_say_ready();
	service_say_main_process(u->pid);
	gateway_retire(u->gateway);
	on_timer(u);
}

static void
on_message(struct str message, void *arg)
{
	struct upgrade *u = arg;

	if (u->state == UPGRADE_STARTING && str_eq(message, HANDOVER_PREPARED)) {
		u->state = UPGRADE_GIVEN;
		send_drained(u);
		give_state(u);
	} else if (u->state == UPGRADE_GIVEN && str_eq(message, HANDOVER_READY)) {
		retire(u);
	}
}

/* What it did not hear of is lost with it. */
static void
on_end(void *arg)
{
	struct upgrade *u = arg;

	if (u->state == UPGRADE_RETIRED) {
		timer_stop(&u->timer);
		accounts_drop_late(u->gateway->accounts);
	}
}

static const struct link_ops ops = {.on_message = on_message, .on_end = on_end};

/* --- the interface --- */

static bool
may_begin(const struct upgrade *u)
{
	switch (u->state) {
	case UPGRADE_NONE: break;
	case UPGRADE_STARTING:
	case UPGRADE_GIVEN:
	case UPGRADE_FAILING:
		log_warn(log_name, "process %ld is being started already", (long)u->pid);
		return false;
	case UPGRADE_RETIRED:
		log_warn(log_name, "process %ld has taken the place of this one already", (long)u->pid);
		return false;
	}
	if (u->gateway->draining)
		log_warn(log_name, "this program is about to end");
	else if (getpid() == 1)
		log_warn(log_name, "this is process 1, with which everything else here would end: replace "
		                   "the container instead");
	return !u->gateway->draining && getpid() != 1;
}

void
upgrade_begin(struct upgrade *u)
{
	int ends[2], error;

	if (!may_begin(u))
		return;
	if (!link_open_ends(ends)) {
		log_error(log_name, "no link to a new program: %s", strerror(errno));
		return;
	}
	error = spawn(u, ends[1]);
	close(ends[1]);
	if (error != 0) {
		log_error(log_name, "%s cannot be started: %s; this program goes on serving", u->argv[0],
		          strerror(error));
		close(ends[0]);
		return;
	}
	u->state = UPGRADE_STARTING;
	u->link = link_create(u->gateway->loop, ends[0], &ops, u);
	log_info(log_name, "started %s as process %ld, to take the place of this one", u->argv[0],
	         (long)u->pid);
	service_say_reloading();
	send_sockets(u);
	timer_start(&u->timer, READY_WITHIN_MS);
}

void
upgrade_give_up(struct upgrade *u)
{
	if (u->state == UPGRADE_STARTING || u->state == UPGRADE_GIVEN)
		fail(u);
}

struct upgrade *
upgrade_create(struct gateway *g, char **argv)
{
	struct upgrade *u = NEW(struct upgrade);

	u->gateway = g;
	u->argv = argv;
	timer_init(&u->timer, g->loop, on_timer, u);
	u->child = loop_on_signal(g->loop, SIGCHLD, on_child, u);
	return u;
}

void
upgrade_destroy(struct upgrade **up)
{
	struct upgrade *u = *up;

	*up = NULL;
	if (u == NULL)
		return;
	upgrade_give_up(u);
	if (u->state == UPGRADE_FAILING && waitpid(u->pid, NULL, 0) == u->pid)
		take_back(u); /* for what is still to be saved */
	loop_off_signal(&u->child);
	link_destroy(&u->link);
	timer_finish(&u->timer);
	free(u);
}
