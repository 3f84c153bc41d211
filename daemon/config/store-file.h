/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store file: one file of the store. Its first line has the version and a SHA-256 of the rest, the
 * body, so that a damaged file is never taken for a smaller one. Files are replaced as a whole: the
 * new one is written beside the old one, synced and renamed to its name, and the folder is synced.
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
    STORE_FILE_NEWER,   /* of a version after STORE_VERSION, which cannot be read */
    STORE_FILE_REFUSED, /* damaged, not a regular file, or others have rights on it */
} StoreFileResult;

/* FORBIDDEN: the rights that group and others must not have. The outputs are set only with READ,
 * ERROR with NEWER and REFUSED. */
StoreFileResult store_file_read(const char *path, mode_t forbidden, char **ret_body,
                                int *ret_version, GError **error);

/* The result of a write. */
typedef enum {
    STORE_FILE_WRITTEN,
    STORE_FILE_UNCHANGED, /* it failed, and the file has not changed */
    STORE_FILE_UNCERTAIN, /* it has the new contents, but a power cut may undo that */
} StoreFileOutcome;

/* The file gets mode 0600. ERROR is set unless the result is WRITTEN. */
StoreFileOutcome store_file_write(const char *path, const char *body, GError **error);

/* TO becomes a copy of FROM, byte by byte. FROM may have at most STORE_FILE_MAX bytes. TRUE, and
 * nothing is done, when there is no FROM or TO is already a copy. */
gboolean store_file_copy(const char *from, const char *to, GError **error);
gboolean store_file_is_copy(const char *from, const char *to); /* both exist and are equal */

/* Syncs the names in the folder PATH to the disk. */
gboolean store_file_sync_folder(const char *path, GError **error);

/* TRUE for what a killed store_file_write leaves: NAME.new.XXXXXX, or NAME.XXXXXX of version 0.1.
 * Of the latter, a name whose six characters are all small letters, all capitals or all digits does
 * not count: a person has chosen it. */
gboolean store_file_is_torn(const char *name);
