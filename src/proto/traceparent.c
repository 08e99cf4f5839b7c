/* version "-" trace-id "-" parent-id "-" flags, all in lower-case hex. */
#include "proto/traceparent.h"

#include <string.h>

enum { VERSION_LEN = 2, TRACE_LEN = 32, PARENT_LEN = 16, FLAGS_LEN = 2 };

/* Takes so many digits off, and what parts them from the next. False: there are others. */
static bool
take_hex(struct str *rest, size_t len, struct str *out)
{
	if (rest->len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (rest->ptr[i] == '\0' || strchr("0123456789abcdef", rest->ptr[i]) == NULL)
			return false;
	*out = (struct str){rest->ptr, len};
	*rest = (struct str){rest->ptr + len, rest->len - len};
	return true;
}

static bool
take_dash(struct str *rest)
{
	if (rest->len == 0 || rest->ptr[0] != '-')
		return false;
	*rest = (struct str){rest->ptr + 1, rest->len - 1};
	return true;
}

static bool
is_all(struct str s, char c)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != c)
			return false;
	return true;
}

bool
traceparent_read(struct str rest, char out[TRACE_ID_SIZE])
{
	struct str version, trace, parent, flags;

	out[0] = '\0';
	if (rest.ptr == NULL || !take_hex(&rest, VERSION_LEN, &version) || !take_dash(&rest) ||
	    !take_hex(&rest, TRACE_LEN, &trace) || !take_dash(&rest) ||
	    !take_hex(&rest, PARENT_LEN, &parent) || !take_dash(&rest) ||
	    !take_hex(&rest, FLAGS_LEN, &flags))
		return false;
	if (is_all(version, 'f') || is_all(trace, '0') || is_all(parent, '0'))
		return false;
	/* Later versions may go on behind another dash. */
	if (rest.len > 0 && (is_all(version, '0') || rest.ptr[0] != '-'))
		return false;
	memcpy(out, trace.ptr, trace.len);
	out[trace.len] = '\0';
	return true;
}
