/* One node: its settings, and the lists its connections hang on. */
#include "io/upstream.h"

#include "base/mem.h"
#include "upstream_conn.h"

#include <assert.h>
#include <stdlib.h>

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
	if (u->url.tls && (u->tls = tls_context_create(conf->tls_ca, conf->tls_verify, why)) == NULL)
		goto failed;
	u->loop = l;
	u->connect_ms = conf->connect_ms;
	u->idle_max = conf->idle_max;
	list_init(&u->waiting);
	list_init(&u->busy);
	list_init(&u->idle);
	buf_addf(&u->fixed_lines, "Host: %s\r\n", u->url.authority);
	if (conf->api_key != NULL)
		buf_addf(&u->fixed_lines, "Authorization: Bearer %s\r\n", conf->api_key);
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
	SSL_CTX_free(u->tls);
	buf_finish(&u->fixed_lines);
	upstream_url_finish(&u->url);
	free(u);
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
