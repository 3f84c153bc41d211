/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tail: what the files of records that are there already say: how they end, and which number they
 * follow. What cannot be read is an error and never an empty file, or a chain would begin anew in
 * the middle. All calls wait for the disk. */
#pragma once

#include "hub/records/chain.h"

/* How the file of FD ends, and its size. FALSE: errno says why that is not known. */
gboolean tail_read(int fd, ChainTail *ret, guint64 *ret_size);

/* The last record of the file PATH; CHAIN_NONE where there is none, or no such file. */
gboolean tail_read_path(const char *path, Chain *ret, GError **error);

/* Which number the file before the one of FD had, as its first record says: that file may have been
 * moved away by now. 0: it does not say. FALSE as in tail_read. */
gboolean tail_read_number(int fd, guint64 *ret);
