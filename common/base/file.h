/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File: reads a file whose name came from a caller or a configuration. The name may be that of a
 * FIFO without a writer, of an endless device or of a huge file. So it is opened without blocking,
 * must be a regular file (links are followed), and at most a fixed number of bytes is read. The
 * checks are made on the open descriptor, so the file cannot be exchanged in between. Any thread;
 * reads from the disk. */
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
