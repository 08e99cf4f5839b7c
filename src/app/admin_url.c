/* Where a running drover's admin API is. */
#include "app/admin_url.h"

#include <stdio.h>
#include <string.h>

bool
admin_url_add(const char *command, const char *admin, struct buf *out)
{
	if (strncmp(admin, "unix:", 5) == 0 || strcmp(admin, "off") == 0) {
		fprintf(stderr, "drover %s: --admin %s: give the URL of an admin API, as http://%s\n",
		        command, admin, "127.0.0.1:8081");
		return false;
	}
	if (strstr(admin, "://") != NULL)
		buf_adds(out, admin);
	else
		buf_addf(out, "http://%s%s", admin[0] == ':' ? "127.0.0.1" : "", admin);
	return true;
}
