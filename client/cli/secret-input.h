/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret input: a connection string, or a proxy's credentials, from a file, standard input or a
 * prompt without echo, as a memfd for the bus. It is never an argument and never printed. */
#pragma once

#include <glib.h>

typedef struct {
    const char *name; /* these two are passed through gettext when shown */
    const char *prompt;
    const char *option; /* that names its file */
} SecretKind;

extern const SecretKind secret_connection_string;
extern const SecretKind secret_proxy_credentials; /* USER:PASSWORD */

/* FILE: a path, "-" for standard input, or NULL for a prompt on the terminal. The descriptor is
 * for the caller to close; -1 with ERROR set. */
int secret_input_open(const SecretKind *kind, const char *file, GError **error);
