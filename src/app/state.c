/* The folder of what outlives a restart. */
#include "app/state.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
add_path(const struct settings *s, struct buf *out)
{
	const char *systemd = getenv("STATE_DIRECTORY"), *home = getenv("XDG_STATE_HOME");

	if (s->state != NULL)
		buf_adds(out, strcmp(s->state, "none") == 0 ? "" : s->state);
	else if (systemd != NULL && *systemd == '/')
		buf_add(out, systemd, strcspn(systemd, ":"));
	else if (home != NULL && *home == '/')
		buf_addf(out, "%s/drover", home);
}

bool
state_add_folder(const struct settings *s, const char *subject, struct buf *out)
{
	add_path(s, out);
	if (out->len > 0 && mkdir(buf_text(out), 0700) != 0 && errno != EEXIST)
		log_warn(subject, "%s: %s", buf_text(out), strerror(errno));
	return out->len > 0;
}
