/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret input: reads a connection string, or the credentials of a proxy, from a file, standard
 * input or a prompt without echo, into a memfd for the bus. A secret is never an argument and never
 * printed. */
#pragma once

#include <glib.h>

typedef struct {
    const char *name; /* this and the next are passed through gettext when shown */
    const char *prompt;
    const char *option; /* the option that gives its file */
} SecretKind;

extern const SecretKind secret_connection_string;
extern const SecretKind secret_access_key;        /* the key alone, in base64 */
extern const SecretKind secret_proxy_credentials; /* USER:PASSWORD */

/* FILE: a path, "-" for standard input, or NULL for a prompt on the terminal. The caller closes the
 * descriptor. -1 with ERROR set. */
int secret_input_open(const SecretKind *kind, const char *file, GError **error);
