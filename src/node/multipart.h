/* A form with a file, as /v1/audio/transcriptions takes it (RFC 7578). */
#ifndef NODE_MULTIPART_H
#define NODE_MULTIPART_H

#include "ask.h"

/* Reads model, file, prompt, language and response_format. False: `no` says why. */
bool multipart_read_ask(struct ask *a, struct str content_type, struct str body,
                        struct refusal_text *no);

#endif
