/* No service manager: a build without libsystemd. */
#include "io/service.h"

bool
service_take_sockets(struct sockets *s, struct buf *why)
{
	return true;
}

bool
service_listens(void)
{
	return false;
}

void
service_say_ready(void)
{
}

void
service_say_status(const char *text)
{
}

void
service_say_reloading(void)
{
}

void
service_say_stopping(void)
{
}

void
service_say_main_process(pid_t pid)
{
}

int64_t
service_watchdog_ms(void)
{
	return 0;
}

void
service_say_alive(void)
{
}

void
service_say_rest(void)
{
}
