#include "report.h"
void
report_add_page(struct buf *out, const struct tally *t, const char *url,
                const struct comparison *other)
{
}
