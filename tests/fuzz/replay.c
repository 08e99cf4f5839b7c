/*
 * Runs a fuzz target on every file of its corpus, on every prefix of it, and with
 * every byte spoilt: replay CORPUS...
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* Of longer seeds only the whole is run. */
enum { SPOIL_BYTES_MAX = 2048 };

/* In memory of its own size, so that a sanitizer sees a read past the end. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
run_variants(uint8_t *data, size_t size)
{
	static const uint8_t spoils[] = {0x00, '"', '\n', 0xff};

	run(data, size);
	for (size_t n = 0; n < size && size <= SPOIL_BYTES_MAX; n++) {
		uint8_t was = data[n];

		run(data, n);
		for (size_t i = 0; i < sizeof(spoils); i++) {
			data[n] = spoils[i];
			run(data, size);
		}
		data[n] = was;
	}
}

static void
run_file(const char *folder, const char *name)
{
	char path[4096];
	static uint8_t data[1 << 20];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	run_variants(data, size);
}

static int
run_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int files = 0;

	if (d == NULL) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		exit(1);
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			run_file(folder, e->d_name);
			files++;
		}
	closedir(d);
	return files;
}

int
main(int argc, char **argv)
{
	int files = 0;

	for (int i = 1; i < argc; i++)
		files += run_folder(argv[i]);
	printf("%d seeds\n", files);
	return files > 0 ? 0 : 1;
}
