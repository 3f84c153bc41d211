/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store file: one file of the store. Its first line has the version and a SHA-256 of the rest, the
 * body, so that a damaged file is never read as a smaller one. Files are replaced as a whole: what
 * is new is written beside the old one and synced, takes its name, and the folder is synced.
 *
 * One thread at a time; waits for the disk. Bodies may hold keys: free them with secret_free().
 * Errors name the path. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define STORE_FILE_MAX (1024 * 1024) /* bytes, with the first line */
#define STORE_FILE_BODY_MAX (STORE_FILE_MAX - 128)

typedef enum {
    STORE_FILE_READ,
    STORE_FILE_ABSENT,
    STORE_FILE_NEWER,   /* of a version after STORE_VERSION: what it says is not known */
    STORE_FILE_REFUSED, /* damaged, no regular file, or open to others */
} StoreFileResult;

/* FORBIDDEN: the rights that group and others may not have. The outputs are set with READ alone,
 * ERROR with NEWER and REFUSED. */
StoreFileResult store_file_read(const char *path, mode_t forbidden, char **ret_body,
                                int *ret_version, GError **error);

/* What became of a file that was to be written. */
typedef enum {
    STORE_FILE_WRITTEN,
    STORE_FILE_UNCHANGED, /* it failed, and the file is as it was */
    STORE_FILE_UNCERTAIN, /* it has the new contents, but they may not outlive a power cut */
} StoreFileOutcome;

/* Mode 0600. ERROR is set unless it is WRITTEN. */
StoreFileOutcome store_file_write(const char *path, const char *body, GError **error);

/* TO becomes a copy of FROM, byte by byte, which must be at most STORE_FILE_MAX. TRUE without doing
 * anything when there is no FROM, or TO is such a copy already. */
gboolean store_file_copy(const char *from, const char *to, GError **error);
gboolean store_file_is_copy(const char *from, const char *to); /* both are there, and alike */

/* Names in the folder PATH are on the disk. */
gboolean store_file_sync_folder(const char *path, GError **error);

/* What a killed store_file_write leaves, NAME.new.XXXXXX, or one of 0.1, NAME.XXXXXX. Of the latter
 * those are not taken for one whose six characters are all small letters, all capitals or all
 * digits: somebody has named them. */
gboolean store_file_is_torn(const char *name);
