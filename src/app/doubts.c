/* What is allowed in a configuration, and yet worth a warning. */
#include "app/doubts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* conf looked at the files a moment ago; what is wrong with them now, is told when they are used.
 */
static void
doubt_certificate(const struct settings *s, struct buf *out)
{
	struct buf why = {0};
	enum tls_file blame;
	SSL_CTX *context = tls_server_context(s->tls.cert, s->tls.key, &blame, &why);

	buf_clear(&why);
	if (context != NULL && tls_add_doubt(context, clock_wall_ms() / 1000, &why))
		buf_addf(out, "tls.cert: %s %s\n", s->tls.cert, buf_text(&why));
	SSL_CTX_free(context);
	buf_finish(&why);
}

static void
doubt_key(const struct settings *s, struct buf *out)
{
	struct stat st;

	if (stat(s->tls.key, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		buf_addf(out, "tls.key: every user of this machine may read %s; chmod o= %s\n", s->tls.key,
		         s->tls.key);
}

/* The file itself is made by whoever serves, who may be another user. */
static void
doubt_access_log(const struct settings *s, struct buf *out)
{
	const char *slash = strrchr(s->log.access, '/');
	struct stat st;
	char *folder;

	if (slash == NULL)
		return;
	folder = mem_strndup(s->log.access, (size_t)(slash - s->log.access) + 1);
	if (stat(folder, &st) != 0)
		buf_addf(out, "log.access: %s: %s\n", folder, strerror(errno));
	else if (stat(s->log.access, &st) == 0 && S_ISDIR(st.st_mode))
		buf_addf(out, "log.access: %s is a folder\n", s->log.access);
	free(folder);
}

/* Up to a slash at the end, which means nothing. */
static size_t
length_of_url(const char *url)
{
	size_t len = strlen(url);

	return len > 0 && url[len - 1] == '/' ? len - 1 : len;
}

static void
doubt_same_node(const struct settings *s, size_t i, struct buf *out)
{
	const char *url = s->backends[i].url;
	size_t len = length_of_url(url);

	for (size_t j = 0; j < i; j++)
		if (length_of_url(s->backends[j].url) == len &&
		    strncasecmp(s->backends[j].url, url, len) == 0) {
			buf_addf(out,
			         "backends[%zu].url: %s is backends[%zu] too: it is sent as much as both may "
			         "have\n",
			         i, url, j);
			return;
		}
}

static void
doubt_rule(const struct settings *s, size_t i, struct buf *out)
{
	const char *match = s->models[i].match;

	/* A glob that matches the text of another matches all that the other does: what stands for a
	 * `*` there is taken by a `*` here. A `?` would take the `*` itself. */
	for (size_t j = 0; j < i; j++)
		if (strchr(match, '?') == NULL && strchr(s->models[j].match, '?') == NULL &&
		    str_glob(s->models[j].match, match)) {
			buf_addf(out,
			         "models[%zu].match: no model ever comes to \"%s\": models[%zu] has all of "
			         "them before\n",
			         i, match, j);
			return;
		}
}

void
doubts_add(const struct settings *s, struct buf *out)
{
	doubt_access_log(s, out);
	for (size_t i = 0; i < s->backend_count; i++)
		doubt_same_node(s, i, out);
	for (size_t i = 0; i < s->model_count; i++)
		doubt_rule(s, i, out);
	if (s->tls.cert != NULL) {
		doubt_certificate(s, out);
		doubt_key(s, out);
	}
	for (size_t i = 0; i < s->backend_count; i++)
		if (!s->backends[i].tls_verify)
			buf_addf(out,
			         "backends[%zu].tls.verify: whoever answers at %s is taken for %s, its "
			         "certificate is not checked\n",
			         i, s->backends[i].url, s->backends[i].name);
}

void
doubts_log(const struct settings *s)
{
	struct buf all = {0};
	char *rest = NULL;

	doubts_add(s, &all);
	for (char *line = all.data == NULL ? NULL : strtok_r(all.data, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		log_warn("configuration", "%s", line);
	buf_finish(&all);
}
