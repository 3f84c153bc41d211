/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private file: new files that only their owner can read. Any thread; waits for the disk. */
#pragma once

#include <glib.h>

/* Sets the G_FILE_ERROR of errno NUMBER: "PATH: the system's reason". Returns FALSE. */
gboolean file_error_set(const char *path, int number, GError **error);

/* Writes a file of mode 0600 and syncs it. It must not exist: G_FILE_ERROR_EXIST with its path. On
 * other failures nothing is left behind. */
gboolean private_file_write(const char *path, const void *bytes, gsize len, GError **error);

/* The same with mode 0644, for a certificate: it is copied to whoever has to trust it. */
gboolean public_file_write(const char *path, const void *bytes, gsize len, GError **error);

/* Puts a file of mode 0644 in the place of another one, or where none is: as a whole, whatever
 * happens meanwhile. */
gboolean public_file_replace(const char *path, const void *bytes, gsize len, GError **error);

/* Makes the folder (mode 0700) and its parents where they do not exist. */
gboolean private_folder_make(const char *path, GError **error);

/* STREAMD_ERROR_DENIED when anybody but the owner has access to the file: its keys may be known to
 * others, and the administrator must notice. STREAMD_ERROR_INVALID when it is not a regular file,
 * which might have no end. G_FILE_ERROR when it does not exist. */
gboolean private_file_check(const char *path, GError **error);

/* Reads a key of ours that lies in a folder in which somebody else may write: a regular file of
 * this user, with mode 0600 and one name, and not through a link. DENIED with what is wrong;
 * INVALID when it cannot be read. NUL-terminated; free with secret_free. */
char *private_file_read(const char *path, GError **error);

/* Root only: makes a key root's alone that the rest of the folder's owner got with the folder.
 * FALSE when it is no regular file with one name. TRUE when it does not exist. */
gboolean private_file_take(const char *path, GError **error);
