/* The files of the dashboard (src/app/web), as they were when the program was built. */
#ifndef APP_WEB_FILES_H
#define APP_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *name;
	const char *type;
	const char *tag; /* of these very bytes, as ETag has it */
	const unsigned char *bytes;
	size_t len;
};

extern const struct web_file web_files[];
extern const size_t web_file_count;

#endif
