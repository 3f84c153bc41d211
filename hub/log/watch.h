/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watch: tells that something was written to the folder of records, or renamed in it. One thread.
 */
#pragma once

/* A descriptor that is readable after a change; to close. -1: the system gives none, and the caller
 * looks from time to time, which it does anyway. Made before the files are read, it misses nothing.
 */
int log_watch_open(const char *folder);

/* Forgets the changes so far. -1 is fine. */
void log_watch_clear(int fd);
