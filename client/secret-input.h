/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret input: a connection string from a file, standard input or a prompt without echo, as a
 * memfd for the bus. It is never an argument and never printed. */
#pragma once

#include <glib.h>

/* FILE: a path, "-" for standard input, or NULL for a prompt on the terminal. The descriptor is
 * for the caller to close; -1 with ERROR set. */
int secret_input_open(const char *file, GError **error);
