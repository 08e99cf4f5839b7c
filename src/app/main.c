/*
 * The program: settings, demo nodes, signals, the loop.
 * Exit status: 0; 1 bad configuration or nothing to bind; 2 wrong usage.
 */
#include "app/admin.h"
#include "app/admin_url.h"
#include "app/aliases.h"
#include "app/demo.h"
#include "app/descriptors.h"
#include "app/doubts.h"
#include "app/gateway.h"
#include "app/herald.h"
#include "app/key.h"
#include "app/listen.h"
#include "app/prompts_command.h"
#include "app/reload.h"
#include "app/takeover.h"
#include "app/upgrade.h"
#include "app/usage_command.h"
#include "app/warm_command.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/call.h"
#include "io/service.h"
#include "top/top.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct program {
	int argc;
	char **argv;
	struct loop *loop;
	struct demo *demo; /* NULL without --demo */
	struct gateway *gateway;
	struct sockets *given;     /* listening ones, that came with the start */
	struct takeover *takeover; /* NULL: this program takes nobody's place */
	struct upgrade *upgrade;
	struct herald *herald;
	struct reload_asker hangup; /* SIGHUP */
	struct event *signals[5];
};

static void
say(const struct buf *text)
{
	fputs(buf_text(text), stderr);
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		fputc('\n', stderr);
}

static void
on_stop(int signal, void *arg)
{
	struct program *p = arg;

	upgrade_give_up(p->upgrade);
	gateway_drain(p->gateway);
	herald_say_stopping(p->herald);
}

static void
on_upgrade(int signal, void *arg)
{
	upgrade_begin(((struct program *)arg)->upgrade);
}

static void
on_reopen(int signal, void *arg)
{
	access_log_reopen(((struct program *)arg)->gateway->access);
}

static void
on_hangup(int signal, void *arg)
{
	struct program *p = arg;

	service_say_reloading();
	reload_ask(p->gateway->reloader, "SIGHUP", &p->hangup);
}

/* What is said of it is in the log. */
static void
on_reloaded(bool ok, const struct buf *said, void *arg)
{
	herald_say_ready(((struct program *)arg)->herald);
}

/* As reload_source has it: all its sources again, as at the start. The sockets were taken by then,
 * and the nodes of a demonstration have their addresses. */
static bool
load_again(struct settings *out, struct buf *why, void *arg)
{
	const struct program *p = arg;
	struct settings_call call;

	if (settings_load(p->argc, p->argv, environ, &call, why) != 0)
		return false;
	*out = call.settings;
	if (!listen_override(out, p->given, why)) {
		settings_finish(out);
		return false;
	}
	if (p->demo != NULL)
		demo_announce(p->demo, out);
	return true;
}

static void
say_started(const struct program *p)
{
	const struct settings *s = p->gateway->settings;
	struct buf at = {0}, nodes = {0};

	front_addresses(p->gateway->front, &at);
	for (size_t i = 0; i < s->backend_count; i++)
		buf_addf(&nodes, " %s", s->backends[i].url);
	log_info("drover", "version %s, configuration: %s", DROVER_VERSION,
	         s->file == NULL ? "defaults" : s->file);
	log_info("drover", "in front of%s", buf_text(&nodes));
	log_info("drover", "listening on %s", buf_text(&at));
	if (p->gateway->admin != NULL) {
		buf_clear(&at);
		admin_addresses(p->gateway->admin, &at);
		log_info("drover", "dashboard and admin API on %s", buf_text(&at));
	}
	buf_finish(&nodes);
	buf_finish(&at);
}

/* What asks a gateway for something, and would end a program that does not listen yet: logs are
 * rotated and configurations reloaded whenever that is due, just after a start too. What comes
 * meanwhile is heard then. */
static void
hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void
take_signals(struct program *p)
{
	p->signals[0] = loop_on_signal(p->loop, SIGTERM, on_stop, p);
	p->signals[1] = loop_on_signal(p->loop, SIGINT, on_stop, p);
	p->signals[2] = loop_on_signal(p->loop, SIGUSR1, on_reopen, p);
	p->signals[3] = loop_on_signal(p->loop, SIGHUP, on_hangup, p);
	p->signals[4] = loop_on_signal(p->loop, SIGUSR2, on_upgrade, p);
	hold_signals(false);
}

/* While what there is is put away nobody listens to them any more: one that came then would end the
 * program by force, and its status would be that of a crash. Threads have them blocked anyway. */
static void
block_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
on_serving(void *arg)
{
	herald_say_ready(((struct program *)arg)->herald);
}

/* At once, or when the program whose place this one takes lets it. */
static void
begin(struct program *p, int former)
{
	if (former >= 0) {
		p->takeover = takeover_create(p->gateway, former, on_serving, p);
		return;
	}
	gateway_open_state(p->gateway);
	on_serving(p);
}

static int
serve(struct settings *s, int argc, char **argv)
{
	struct program p = {.argc = argc, .argv = argv, .given = sockets_create()};
	struct reload_source source;
	struct buf why = {0};
	int status = 1, former;

	log_set_level(s->log.level);
	log_set_format(s->log.format);
	descriptors_raise();
	p.loop = loop_create();
	if (!takeover_find(p.given, &former, &why) || !service_take_sockets(p.given, &why) ||
	    !listen_override(s, p.given, &why))
		goto out;
	if (s->demo) {
		p.demo = demo_create(p.loop, &why);
		if (p.demo == NULL)
			goto out;
		demo_announce(p.demo, s);
	}
	p.gateway = gateway_create(p.loop, s, p.given, &why);
	if (p.gateway == NULL)
		goto out;
	source = (struct reload_source){load_again, &p};
	p.gateway->reloader = reloader_create(p.gateway, &source);
	p.hangup = (struct reload_asker){.told = on_reloaded, .arg = &p};
	list_init(&p.hangup.link);
	p.upgrade = upgrade_create(p.gateway, argv);
	p.herald = herald_create(p.gateway);
	take_signals(&p);
	doubts_log(p.gateway->settings);
	descriptors_log(p.gateway->settings);
	say_started(&p);
	begin(&p, former);
	loop_run(p.loop);
	block_signals();
	log_info("drover", "stopped");
	status = 0;
out:
	if (status != 0)
		log_error("drover", "%s", buf_text(&why));
	for (size_t i = 0; i < sizeof(p.signals) / sizeof(p.signals[0]); i++)
		loop_off_signal(&p.signals[i]);
	herald_destroy(&p.herald);
	takeover_destroy(&p.takeover);
	upgrade_destroy(&p.upgrade);
	gateway_destroy(&p.gateway);
	demo_destroy(&p.demo);
	sockets_destroy(&p.given);
	loop_destroy(&p.loop);
	buf_finish(&why);
	return status;
}

static int
check(const struct settings *s)
{
	struct buf doubts = {0}, why = {0};
	struct aliases aliases;
	bool fine = aliases_init(&aliases, &s->aliases, &why);

	aliases_finish(&aliases);
	say(&why);
	buf_finish(&why);
	if (!fine)
		return 1;
	doubts_add(s, &doubts);
	fputs(buf_text(&doubts), stderr);
	buf_finish(&doubts);
	printf("%s: good, %zu backend%s\n", s->file == NULL ? "no file, the defaults" : s->file,
	       s->backend_count, s->backend_count == 1 ? "" : "s");
	return 0;
}

static int
key(const char *name)
{
	struct buf text = {0};

	key_add_new(name, &text);
	fputs(buf_text(&text), stdout);
	buf_finish(&text);
	return 0;
}

static int
top(const struct settings_call *call)
{
	struct buf url = {0};
	struct top_conf conf = {
	    .admin_key = call->admin_key,
	    .interval_ms = call->interval_ms,
	    .once = call->once,
	};
	int status = 2;

	if (admin_url_add("top", call->admin, &url)) {
		conf.url = buf_text(&url);
		status = top_run(&conf);
	}
	buf_finish(&url);
	return status;
}

static int
help(void)
{
	struct buf text = {0};

	settings_add_help(&text);
	fputs(buf_text(&text), stdout);
	buf_finish(&text);
	return 0;
}

static int
run(struct settings_call *call, int argc, char **argv)
{
	switch (call->command) {
	case COMMAND_SERVE: return serve(&call->settings, argc, argv);
	case COMMAND_CHECK: return check(&call->settings);
	case COMMAND_KEY: return key(call->key_name);
	case COMMAND_WARM:
		return call->prompts == NULL ? warm_command_run(call) : prompts_command_run(call);
	case COMMAND_USAGE: return usage_command_run(call);
	case COMMAND_TOP: return top(call);
	case COMMAND_HELP: return help();
	case COMMAND_VERSION: return printf("drover %s\n", DROVER_VERSION) < 0;
	}
	abort();
}

/* Keys, prompts and answers are in memory, and a core file would be kept of them. Of the sanitizers
 * one must look into the process itself. */
static void
forbid_core_files(void)
{
#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int
main(int argc, char **argv)
{
	struct settings_call call;
	struct buf why = {0};
	int status;

	forbid_core_files();
	hold_signals(true);
	status = settings_load(argc, argv, environ, &call, &why);
	say(&why);
	buf_finish(&why);
	if (status != 0)
		return status;
	if (call.command != COMMAND_SERVE)
		hold_signals(false);
	status = run(&call, argc, argv);
	settings_finish(&call.settings);
	return status;
}
