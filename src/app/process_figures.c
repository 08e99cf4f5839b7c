/* What the system knows of this process: proc(5), getrusage, getrlimit. */
#include "app/process_figures.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { US = 1000000, TEXT_MAX = 1024 };

/* False: there is no such file. */
static bool
read_text(const char *path, char text[TEXT_MAX])
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	text[fread(text, 1, TEXT_MAX - 1, f)] = '\0';
	fclose(f);
	return true;
}

static int64_t
us_of(struct timeval t)
{
	return (int64_t)t.tv_sec * US + t.tv_usec;
}

int64_t
process_cpu_us(void)
{
	struct rusage use;

	return getrusage(RUSAGE_SELF, &use) == 0 ? us_of(use.ru_utime) + us_of(use.ru_stime) : -1;
}

enum { STATM_VIRTUAL, STATM_RESIDENT, STATM_FIELDS };

static int64_t
memory_bytes(int field)
{
	long long pages[STATM_FIELDS];
	char text[TEXT_MAX];

	if (!read_text("/proc/self/statm", text) ||
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers are in range */
	    sscanf(text, "%lld %lld", &pages[0], &pages[1]) != 2)
		return -1;
	return pages[field] * sysconf(_SC_PAGESIZE);
}

int64_t
process_resident_bytes(void)
{
	return memory_bytes(STATM_RESIDENT);
}

int64_t
process_virtual_bytes(void)
{
	return memory_bytes(STATM_VIRTUAL);
}

/* The 22nd field is when it began, in ticks since the boot. The second, a name, may have blanks and
 * brackets in it. */
static bool
read_start_ticks(unsigned long long *out)
{
	static const char fields[] = ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
	                             "%*d %*d %*d %*d %llu";
	char text[TEXT_MAX];
	const char *rest;

	if (!read_text("/proc/self/stat", text))
		return false;
	rest = strrchr(text, ')');
	return rest != NULL && sscanf(rest, fields, out) == 1;
}

/* Once: the two clocks are not read at the same moment, and it must not seem to begin again. */
static int64_t
reckon_start_us(void)
{
	int64_t tick_us = US / sysconf(_SC_CLK_TCK);
	unsigned long long ticks;
	struct timespec up;

	if (!read_start_ticks(&ticks) || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
		return -1;
	return clock_wall_ms() * 1000 - (int64_t)up.tv_sec * US - up.tv_nsec / 1000 +
	       (int64_t)ticks * tick_us;
}

int64_t
process_started_us(void)
{
	static int64_t started_us;

	if (started_us == 0)
		started_us = reckon_start_us();
	return started_us;
}

/* Newer kernels tell how many there are; older ones only list them. */
int64_t
process_open_fds(void)
{
	int64_t count = -3; /* ".", "..", and the one that lists */
	struct stat st;
	DIR *dir;

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

int64_t
process_most_fds(void)
{
	struct rlimit most;

	return getrlimit(RLIMIT_NOFILE, &most) == 0 ? (int64_t)most.rlim_cur : -1;
}
