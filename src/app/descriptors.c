/* How many files and sockets this process may have open, and how many of those its clients. */
#include "app/descriptors.h"

#include "app/process_figures.h"
#include "base/log.h"

#include <sys/resource.h>

enum {
	OWN = 300, /* the admin API takes most of them; the loop, sockets, logs, files of the state */
	BESIDE_SLOTS = 4, /* of a node: probes, listings, loads */
};

void
descriptors_raise(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) != 0)
		return;
	most.rlim_cur = most.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &most);
}

static int64_t
needed(const struct settings *s)
{
	int64_t all = OWN;

	for (size_t i = 0; i < s->backend_count; i++)
		all += s->backends[i].slots + BESIDE_SLOTS;
	return all;
}

int
descriptors_for_clients(const struct settings *s)
{
	int64_t most = process_most_fds(), left = most - needed(s);

	/* With so few, a client's request needs one more for its node, and the rest is for ourselves.
	 */
	if (left < most / 3)
		left = most / 3;
	if (most < 0 || left > s->max_connections)
		return (int)s->max_connections;
	return left > 0 ? (int)left : 1;
}

void
descriptors_log(const struct settings *s)
{
	int clients = descriptors_for_clients(s);

	if (clients < s->max_connections)
		log_warn("drover",
		         "%lld files can be open at once, and so %d connections of clients "
		         "(max_connections: %lld); LimitNOFILE= or ulimit -n allow more",
		         (long long)process_most_fds(), clients, (long long)s->max_connections);
}
