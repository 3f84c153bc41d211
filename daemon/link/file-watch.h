/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File watch: tells when files may have been replaced or written. It watches their folders, so that
 * a file that is renamed into its place, or a link that is set anew, is seen as well. Main thread.
 */
#pragma once

#include <glib.h>

typedef struct FileWatch FileWatch;

#define FILE_WATCH_REST                                                                            \
    (200 * G_TIME_SPAN_MILLISECOND) /* after the last change, before it tells                      \
                                     */

/* FILES: absolute paths, NULL-terminated. FUNC is called some time after the last of a row of
 * changes in their folders. Folders that cannot be watched are left out: never NULL. */
FileWatch *file_watch_new(const char *const *files, void (*func)(void *data), void *data);
void file_watch_free(FileWatch *watch); /* NULL is fine; also from within FUNC */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileWatch, file_watch_free)
