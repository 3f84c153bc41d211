/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other text: what somebody gave in place of an invitation or a connection string. Pure. */
#pragma once

#include <glib.h>

/* What the LENGTH bytes at TEXT are by how they begin, translated: "a private key in PEM". NULL: it
 * is not known, and may be an invitation or a connection string. Static. */
const char *other_text_name(const char *text, gsize length);
