/*
 * Names of models: [[host/]namespace/]model[:tag]. Only what two writers of one
 * name may write differently is evened out; a name that no model can have stays
 * as it is, and is then found on no node.
 */
#include "proto/model_name.h"

#include <string.h>

/* False: it has a control character. */
static bool
count_slashes(struct str s, size_t *slashes)
{
	*slashes = 0;
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
		*slashes += s.ptr[i] == '/';
	}
	return true;
}

static bool
cut_prefix(struct str *name, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!str_starts_nocase(*name, prefix))
		return false;
	*name = (struct str){name->ptr + n, name->len - n};
	return true;
}

/* The namespace is left out only together with the host: "host/library/x" keeps both. */
static void
cut_defaults(struct str *name, size_t slashes)
{
	/* A host may come with its scheme, whose slashes count too. */
	if (slashes == 4 && (cut_prefix(name, "https://") || cut_prefix(name, "http://")))
		slashes = 2;
	if (slashes == 2 && cut_prefix(name, "registry.ollama.ai/"))
		slashes = 1;
	if (slashes == 1)
		cut_prefix(name, "library/");
}

/* Returns whether there is a tag. A colon before the last slash belongs to the port of a host. */
static bool
copy_lower(struct str name, char *out)
{
	bool tagged = false;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		if (c == ':' || c == '/')
			tagged = c == ':';
	}
	return tagged;
}

/* Asked for several times a request. */
bool
model_name_canonical(struct str name, char out[MODEL_NAME_MAX])
{
	static const char tag[] = ":latest";
	size_t slashes;

	if (name.len == 0 || !count_slashes(name, &slashes))
		return false;
	if (slashes > 0)
		cut_defaults(&name, slashes);
	if (name.len == 0 || name.len >= MODEL_NAME_MAX)
		return false;
	if (copy_lower(name, out)) {
		out[name.len] = '\0';
		return true;
	}
	if (name.len + strlen(tag) >= MODEL_NAME_MAX)
		return false;
	memcpy(out + name.len, tag, sizeof(tag));
	return true;
}

bool
model_name_is_cloud(const char *canonical)
{
	static const char suffix[] = "cloud";
	size_t n = strlen(canonical), s = strlen(suffix);

	return n > s && strcmp(canonical + n - s, suffix) == 0 &&
	       (canonical[n - s - 1] == ':' || canonical[n - s - 1] == '-');
}
