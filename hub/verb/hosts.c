/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hub may be called. */
#include "hub/verb/verb.h"

#include <glib/gi18n.h>
#include <string.h>

gboolean
verb_check_hosts(const char *const *names, GError **error)
{
    if (names == NULL || !g_hostname_is_ip_address(names[0]) || !strchr(names[0], ':'))
        return TRUE;
    cli_fail(
        error, EXIT_CODE_USAGE,
        _("--host-name %s: clients cannot open streams at an IPv6 address. Give a host name or "
          "an IPv4 address first, and this one behind it"),
        names[0]);
    return FALSE;
}
