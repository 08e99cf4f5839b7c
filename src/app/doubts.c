/* What is allowed in a configuration, and yet worth a warning. */
#include "app/doubts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"

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

void
doubts_add(const struct settings *s, struct buf *out)
{
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
