/*
 * Names of models: [[host/]namespace/]model[:tag]. Only what two writers of one
 * name may write differently is evened out; a name that no model can have stays
 * as it is, and is then found on no node.
 */
#include "proto/model_name.h"

#include <ctype.h>
#include <string.h>

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static size_t
count_slashes(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '/';
	return n;
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
cut_defaults(struct str *name)
{
	/* A host may come with its scheme, whose slashes count too. */
	if (count_slashes(*name) == 4 && !cut_prefix(name, "https://"))
		cut_prefix(name, "http://");
	if (count_slashes(*name) == 2)
		cut_prefix(name, "registry.ollama.ai/");
	if (count_slashes(*name) == 1)
		cut_prefix(name, "library/");
}

/* A colon before the last slash belongs to the port of a host. */
static bool
has_tag(struct str name)
{
	for (size_t i = name.len; i > 0 && name.ptr[i - 1] != '/'; i--)
		if (name.ptr[i - 1] == ':')
			return true;
	return false;
}

bool
model_name_canonical(struct str name, char out[MODEL_NAME_MAX])
{
	const char *tag;

	if (name.len == 0 || has_control(name))
		return false;
	cut_defaults(&name);
	tag = has_tag(name) ? "" : ":latest";
	if (name.len == 0 || name.len + strlen(tag) >= MODEL_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = (char)tolower((unsigned char)name.ptr[i]);
	strcpy(out + name.len, tag);
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
