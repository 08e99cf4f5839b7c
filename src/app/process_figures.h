/* What the system knows of this process. Each is -1 where it does not say. */
#ifndef APP_PROCESS_FIGURES_H
#define APP_PROCESS_FIGURES_H

#include <stdint.h>

int64_t process_cpu_us(void);
int64_t process_resident_bytes(void);
int64_t process_virtual_bytes(void);
/* Since 1970. */
int64_t process_started_us(void);
int64_t process_open_fds(void);
int64_t process_most_fds(void);

#endif
