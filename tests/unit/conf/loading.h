/*
 * Loading a configuration in a test: from a text, an environment and arguments, in a
 * directory of its own, so that no file of this machine plays a part.
 */
#ifndef TESTS_CONF_LOADING_H
#define TESTS_CONF_LOADING_H

#include "../check.h"

#include "base/buf.h"
#include "conf/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An empty drover.yaml in the working directory keeps /etc/drover out of it. */
static inline int
enter_empty_directory(void **state)
{
	static char path[] = "/tmp/drover-conf-XXXXXX";
	FILE *f;

	if (mkdtemp(path) == NULL || chdir(path) != 0)
		return -1;
	*state = path;
	f = fopen("drover.yaml", "w");
	return f == NULL ? -1 : fclose(f);
}

static inline int
leave_directory(void **state)
{
	unlink("drover.yaml");
	unlink("t.yaml");
	return chdir("/") == 0 ? rmdir(*state) : -1;
}

static inline void
write_file(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

struct loaded {
	int status;
	struct settings_call call;
	struct buf why;
};

/* settings_load has the types of main; nothing is written to the texts. */
static inline char **
like_main(const char *const *texts)
{
	char **same;

	memcpy(&same, &texts, sizeof(same));
	return same;
}

/* Both end with NULL. `arguments` without the program's name. */
static inline struct loaded
load(const char *const *arguments, const char *const *environment)
{
	struct loaded l = {0};
	/* As main's, it outlives the call, whose words point into it. */
	static const char *argv[32];
	int argc = 1;

	argv[0] = "drover";
	while (*arguments != NULL)
		argv[argc++] = *arguments++;
	argv[argc] = NULL;
	l.status = settings_load(argc, like_main(argv), like_main(environment), &l.call, &l.why);
	return l;
}

#define WORDS(...) ((const char *[]){__VA_ARGS__, NULL})
#define NO_WORDS   ((const char *[]){NULL})

static inline struct loaded
load_text_in(const char *yaml, const char *const *environment)
{
	write_file("t.yaml", yaml, strlen(yaml));
	return load(WORDS("-c", "t.yaml"), environment);
}

static inline struct loaded
load_text(const char *yaml)
{
	return load_text_in(yaml, NO_WORDS);
}

static inline void
unload(struct loaded *l)
{
	settings_finish(&l->call.settings);
	buf_finish(&l->why);
}

/* The whole of the complaints about a text; "" where there are none. */
static inline void
assert_complaints(const char *yaml, const char *const *environment, const char *expected)
{
	struct loaded l = load_text_in(yaml, environment);

	assert_string_equal(buf_text(&l.why), expected);
	assert_int_equal(l.status, expected[0] == '\0' ? 0 : 1);
	unload(&l);
}

#endif
