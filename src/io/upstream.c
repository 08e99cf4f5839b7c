/* One node: its settings, and the lists its connections hang on. */
#include "io/upstream.h"

#include "base/mem.h"
#include "upstream_conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
on_names(void *arg)
{
	conn_dial_waiting(arg);
}

/* It becomes a header line. */
static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

static void
add_fixed_lines(const struct upstream_url *url, const struct upstream_conf *conf, struct buf *out)
{
	buf_addf(out, "Host: %s\r\n", url->authority);
	if (conf->api_key != NULL)
		buf_addf(out, "Authorization: Bearer %s\r\n", conf->api_key);
}

struct upstream *
upstream_create(struct loop *l, const struct upstream_conf *conf, struct buf *why)
{
	struct upstream *u = NEW(struct upstream);

	if (conf->api_key != NULL && (conf->api_key[0] == '\0' || !is_printable(conf->api_key))) {
		buf_adds(why, "the API key is empty or has an invalid character");
		goto failed;
	}
	if (!upstream_url_parse(conf->url, &u->url, why))
		goto failed;
	if (u->url.tls && (u->tls = tls_client_create(conf->tls_ca, conf->tls_verify, why)) == NULL)
		goto failed;
	u->loop = l;
	u->tls_verify = conf->tls_verify;
	u->connect_ms = conf->connect_ms;
	u->idle_max = conf->idle_max;
	list_init(&u->waiting);
	list_init(&u->busy);
	list_init(&u->idle);
	add_fixed_lines(&u->url, conf, &u->fixed_lines);
	/* Half of the time to connect, so that the old addresses can still be tried. */
	names_init(&u->names, l, u->url.host, u->url.port, conf->connect_ms / 2 + 1, on_names, u);
	return u;
failed:
	upstream_url_finish(&u->url);
	free(u);
	return NULL;
}

void
upstream_destroy(struct upstream **up)
{
	struct upstream *u = *up;
	struct conn *c;

	*up = NULL;
	if (u == NULL)
		return;
	assert(list_empty(&u->waiting) && list_empty(&u->busy));
	while ((c = LIST_FIRST(&u->idle, struct conn, link)) != NULL)
		conn_close(c);
	names_finish(&u->names);
	tls_client_destroy(&u->tls);
	buf_finish(&u->fixed_lines);
	upstream_url_finish(&u->url);
	free(u);
}

bool
upstream_is_made_of(const struct upstream *u, const struct upstream_conf *conf)
{
	struct buf lines = {0};
	bool same = u->tls_verify == conf->tls_verify && u->connect_ms == conf->connect_ms &&
	            u->idle_max == conf->idle_max;

	add_fixed_lines(&u->url, conf, &lines);
	same = same && strcmp(buf_text(&lines), buf_text(&u->fixed_lines)) == 0;
	buf_finish(&lines);
	return same;
}

static void
close_idle(struct upstream *u, int but)
{
	while (u->idle_count > but)
		conn_close(LIST_ENTRY(u->idle.prev, struct conn, link));
}

/* What was made by another context is not used again. Connections hold the context that they
 * were made by. */
static void
take_tls(struct upstream *u, struct upstream *from)
{
	struct tls_client *before = u->tls;

	u->tls = from->tls;
	from->tls = before;
	if (before != NULL)
		close_idle(u, 0);
}

void
upstream_take_over(struct upstream *u, struct upstream **from)
{
	struct upstream *f = *from;
	struct buf lines = u->fixed_lines;

	assert(strcmp(u->url.authority, f->url.authority) == 0 && list_empty(&f->idle));
	u->fixed_lines = f->fixed_lines;
	f->fixed_lines = lines;
	u->tls_verify = f->tls_verify;
	u->connect_ms = f->connect_ms;
	u->idle_max = f->idle_max;
	u->names.patience_ms = f->names.patience_ms;
	take_tls(u, f);
	close_idle(u, u->idle_max);
	upstream_destroy(from);
}

void
upstream_rest(struct upstream *u)
{
	u->idle_max = 0;
	close_idle(u, 0);
}

const char *
upstream_host(const struct upstream *u)
{
	return u->url.authority;
}

int
upstream_idle(const struct upstream *u)
{
	return u->idle_count;
}
