/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Glob: patterns of names, of accept rules, hosts and the scopes of users. Pure; any thread. */
#pragma once

#include <glib.h>

/* Whether the whole TEXT fits: * stands for any bytes, ? for one, everything else for itself. */
gboolean glob_match(const char *pattern, const char *text);
