/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret file: reads a secret, and only from a file that is kept as one.
 *
 * What is checked is the open descriptor and not the path, so nothing can be exchanged in between:
 * a regular file, owned by root or by us, no right for group or others. A file in
 * $CREDENTIALS_DIRECTORY was put there by the service manager, whose rights may look different
 * (an ACL shows as a group's right): it only has to be a regular file. Any thread; reads a file. */
#pragma once

#include <glib.h>

/* At most MAX bytes, without line ends at the end; a NUL byte in it is an error. NULL and
 * STREAMD_ERROR_INVALID with the path, what is there and what would be right. Caller:
 * secret_free. */
char *secret_file_read(const char *path, gsize max, GError **error);

/* The credential NAME of the service (LoadCredential= of systemd.exec(5)). */
char *secret_file_read_credential(const char *name, gsize max, GError **error);
