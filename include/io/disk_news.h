/* What is to be said of a file that a thread writes: once when it fails, once when it works again.
 */
#ifndef IO_DISK_NEWS_H
#define IO_DISK_NEWS_H

enum disk_news { DISK_NO_NEWS, DISK_FAILS, DISK_WORKS_AGAIN };

#endif
