/* What is allowed in a configuration, and yet worth a warning: at the start, at a reload, by check.
 */
#ifndef APP_DOUBTS_H
#define APP_DOUBTS_H

#include "base/buf.h"
#include "conf/settings.h"

/* One a line: "tls.cert: c.pem has expired, on ...". */
void doubts_add(const struct settings *s, struct buf *out);
/* The same, as warnings of the log. */
void doubts_log(const struct settings *s);

#endif
