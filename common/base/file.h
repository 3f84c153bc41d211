/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File: reads a file whose name somebody gave, a caller or a configuration. A name may lead to a
 * FIFO that nobody writes to, to a device without end or to a file that fills the memory; so it is
 * opened without waiting, has to be a regular file (by itself or at the end of links), and no more
 * than a bound of it is read. What is judged is the open descriptor, so nothing can be put in its
 * place in between. Any thread; reads from the disk. */
#pragma once

#include <glib.h>

/* What certificates, keys and lists of authorities may take. */
#define FILE_PEM_MAX ((gsize)1024 * 1024)

/* At most MAX bytes and a NUL behind them, which RET_LEN (may be NULL) does not count. The memory
 * beyond the NUL was never written to, so wiping LEN bytes wipes all. NULL: STREAMD_ERROR_INVALID
 * with the path and what is wrong. */
char *file_read(const char *path, gsize max, gsize *ret_len, GError **error);

/* The same in two steps, for who looks at the file in between, without the path in the errors; and
 * NOT_FOUND when there is no such file, DENIED when we may not read it. A descriptor to close; -1
 * with ERROR set. */
int file_open(const char *path, GError **error);
char *file_read_fd(int fd, gsize max, gsize *ret_len, GError **error);
