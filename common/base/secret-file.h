/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret file: reads a secret, and only from a file that others cannot read.
 *
 * It checks the open descriptor and not the path, so the file cannot be exchanged in between. It
 * must be a regular file, owned by root or by us, without rights for group and others. A file in
 * $CREDENTIALS_DIRECTORY comes from the service manager, and its rights may look different (an ACL
 * shows as a right of the group), so it only has to be a regular file. Any thread; reads a file. */
#pragma once

#include <glib.h>

/* At most MAX bytes, without line ends at the end; a NUL byte is an error. NULL:
 * STREAMD_ERROR_INVALID with the path, what is wrong and what would be right. Free it with
 * secret_free. */
char *secret_file_read(const char *path, gsize max, GError **error);

/* Reads the credential NAME of the service (LoadCredential= of systemd.exec(5)). */
char *secret_file_read_credential(const char *name, gsize max, GError **error);
