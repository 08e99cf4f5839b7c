/* Members of an object that cJSON has read. */
#include "proto/member.h"

#include <cjson/cJSON.h>
#include <math.h>

/* Below 2^53, where a double is exact. */
static const double most = 9e15;

const struct cJSON *
member_find(const struct cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *
member_text(const struct cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(member_find(object, name));

	return text == NULL ? "" : text;
}

int64_t
member_number(const struct cJSON *object, const char *name)
{
	double value = cJSON_GetNumberValue(member_find(object, name));

	return isfinite(value) && fabs(value) < most ? (int64_t)value : -1;
}
