/* ${NAME} in the texts of a file. */
#include "expand.h"

#include <string.h>

const char *
environment_find(char *const *environment, struct str name)
{
	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name.ptr, name.len) == 0 && (*environment)[name.len] == '=')
			return *environment + name.len + 1;
	return NULL;
}

static bool
is_name(struct str name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (name.len == 0 || strchr(letters, name.ptr[0]) == NULL)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (strchr(letters, name.ptr[i]) == NULL && strchr("0123456789", name.ptr[i]) == NULL)
			return false;
	return true;
}

/* `at` is behind "${"; returns what follows "}", or NULL. */
static const char *
expand_one(const char *at, char *const *environment, struct buf *out, struct buf *why)
{
	struct str name = {at, strcspn(at, "}")};
	const char *value;

	if (at[name.len] == '\0' || !is_name(name)) {
		buf_adds(why, "${ without a name and a }; write $${ for ${ itself");
		return NULL;
	}
	value = environment_find(environment, name);
	if (value == NULL) {
		buf_addf(why, "the variable %.*s is not set", STR_ARG(name));
		return NULL;
	}
	buf_adds(out, value);
	return at + name.len + 1;
}

bool
expand_text(const char *text, char *const *environment, struct buf *out, struct buf *why)
{
	while (*text != '\0') {
		if (strncmp(text, "$${", 3) == 0) {
			buf_adds(out, "${");
			text += 3;
		} else if (strncmp(text, "${", 2) == 0) {
			text = expand_one(text + 2, environment, out, why);
			if (text == NULL)
				return false;
		} else {
			buf_addc(out, *text++);
		}
	}
	return true;
}

void
expand_add_escaped(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if (strncmp(text, "${", 2) == 0)
			buf_addc(out, '$');
		buf_addc(out, *text);
	}
}
