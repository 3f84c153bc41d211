/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Push url: where records may be sent: an https:// url, or an http:// one of this machine's
 * loopback. Pure; any thread. */
#pragma once

#include <glib.h>

#define PUSH_URL_WANT                                                                              \
    "a url of https://, without user name, password or fragment, or of http:// and 127.0.0.1, "    \
    "[::1] or localhost"

gboolean push_url_is_good(const char *text);
