/* Servers that this program starts. */
#include "child.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_MS = 10 * 1000, EXIT_NO_PROGRAM = 127, MOST_WORDS = 64 };

struct command {
	char *words[MOST_WORDS]; /* owned; NULL at the end */
	size_t count;
};

/* One that is free now. Nobody keeps it for us, but the system gives others out first. */
static int
free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return 0;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	close(fd);
	return port;
}

static void
add_word(struct command *c, char *word)
{
	assert(c->count + 1 < MOST_WORDS);
	c->words[c->count++] = word;
	c->words[c->count] = NULL;
}

static void
command_finish(struct command *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->words[i]);
}

/* drover-node stands beside this program when installed, in the next folder when built. */
static char *
find_node(void)
{
	static const char *const places[] = {"drover-node", "../node/drover-node"};
	char self[4096], path[4200];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));

	while (len > 0 && self[len - 1] != '/')
		len--;
	for (size_t i = 0; len > 0 && i < 2; i++) {
		snprintf(path, sizeof(path), "%.*s%s", (int)len, self, places[i]);
		if (access(path, X_OK) == 0)
			return mem_strdup(path);
	}
	return mem_strdup("drover-node");
}

static char *
number_text(int64_t n)
{
	struct buf text = {0};

	buf_add_int(&text, n);
	return buf_take(&text);
}

static void
make_node_command(struct command *c, const struct plan *plan, const char *host, int64_t parallel)
{
	add_word(c, find_node());
	add_word(c, mem_strdup("--listen"));
	add_word(c, mem_strdup(host));
	add_word(c, mem_strdup("--parallel"));
	add_word(c, number_text(parallel));
	for (size_t i = 0; i < plan->models.count && c->count + 4 < MOST_WORDS; i++) {
		struct buf model = {0};

		buf_addf(&model, "%s%s%s", plan->models.texts[i], plan->simulate == NULL ? "" : ",",
		         plan->simulate == NULL ? "" : plan->simulate);
		add_word(c, mem_strdup("--model"));
		add_word(c, buf_take(&model));
	}
}

/* The shell gives way to the command, so that signals reach that. */
static void
make_own_command(struct command *c, const char *start)
{
	struct buf line = {0};

	buf_addf(&line, "exec %s", start);
	add_word(c, mem_strdup("/bin/sh"));
	add_word(c, mem_strdup("-c"));
	add_word(c, buf_take(&line));
}

/* Between fork and exec. The server's own chatter would run into the table. */
static void
become(struct command *c, const char *host, const char *parallel, bool own)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    (own && dup2(null, STDERR_FILENO) < 0))
		_exit(EXIT_NO_PROGRAM);
	signal(SIGPIPE, SIG_DFL);
	setenv("OLLAMA_HOST", host, 1);
	setenv("OLLAMA_NUM_PARALLEL", parallel, 1);
	execvp(c->words[0], c->words);
	_exit(EXIT_NO_PROGRAM);
}

bool
child_start(struct child *c, const struct plan *plan, int64_t parallel, struct buf *why)
{
	struct command command = {0};
	char host[32], number[32];

	*c = (struct child){0};
	snprintf(host, sizeof(host), "127.0.0.1:%d", free_port());
	snprintf(number, sizeof(number), "%lld", (long long)parallel);
	snprintf(c->url, sizeof(c->url), "http://%s", host);
	if (plan->start != NULL)
		make_own_command(&command, plan->start);
	else
		make_node_command(&command, plan, host, parallel);
	c->pid = fork();
	if (c->pid == 0)
		become(&command, host, number, plan->start != NULL);
	command_finish(&command);
	if (c->pid < 0) {
		buf_addf(why, "cannot start a process: %s", strerror(errno));
		c->pid = 0;
		return false;
	}
	setpgid(c->pid, c->pid);
	c->handle = pidfd_open(c->pid, 0);
	return true;
}

static bool
ends_within(const struct child *c, int ms)
{
	struct pollfd p = {.fd = c->handle, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

bool
child_lives(const struct child *c)
{
	return !ends_within(c, 0);
}

void
child_stop(struct child *c)
{
	if (c->pid == 0)
		return;
	kill(-c->pid, SIGTERM);
	if (!ends_within(c, STOP_MS))
		kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	close(c->handle);
	c->pid = 0;
}
