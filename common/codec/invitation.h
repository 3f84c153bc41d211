/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitation: everything needed to join a hub, in one text. The first line is a connection string.
 * Then come, in PEM, the certificates that issued the hub's one, unless the system trusts it
 * anyway. A connection string alone is an invitation, too. It is all secret. Pure; any thread. */
#pragma once

#include <glib.h>

#define INVITATION_MAX 32768 /* bytes; about twenty certificates */

/* The text of an invitation. CA may be NULL. Caller frees, with secret_free. */
char *invitation_make(const char *connection_string, const char *ca);

/* Splits TEXT. RET_CONNECTION_STRING has no spaces around it; free it with secret_free. RET_CA is
 * NULL when there is none. The content of the parts is not checked, only that nothing but
 * certificates follows. Error: INVALID; its message never shows a part of the text. */
gboolean
invitation_split(const char *text, char **ret_connection_string, char **ret_ca, GError **error);
