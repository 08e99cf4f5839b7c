/*
 * TLS where clients come in: an HTTP front (io/front.h) whose TCP connections speak it.
 */
#ifndef IO_FRONT_TLS_H
#define IO_FRONT_TLS_H

#include "io/front.h"

#include <openssl/types.h>
#include <stdint.h>

/* Handshakes, ever. */
struct front_tls_figures {
	uint64_t full;
	uint64_t resumed;
	uint64_t failed;
	uint64_t plain; /* none: the request came as plain HTTP */
};

/* From now on those who come in by TCP speak TLS, with this context of base/tls.h, which is handed
 * over; NULL: plain HTTP again. Whoever has begun goes on as it began; with the same certificates,
 * sessions can still be resumed. Sockets are always plain: nobody reads along there. */
void front_set_tls(struct front *f, SSL_CTX *context);
const struct front_tls_figures *front_tls_figures(const struct front *f);
/* When the certificate expires, in seconds since 1970; 0: plain. */
int64_t front_tls_expires_s(const struct front *f);

#endif
