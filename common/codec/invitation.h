/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitation: all that somebody needs to join a hub, in one text. The first line is a connection
 * string; after it come the certificates that the hub's is issued by, in PEM, unless the system
 * trusts it anyway. A connection string alone is an invitation, too. It is a secret as a whole.
 * Pure; any thread. */
#pragma once

#include <glib.h>

#define INVITATION_MAX 32768 /* bytes; some twenty certificates */

/* The text. CA may be NULL. Caller frees, with secret_free. */
char *invitation_make(const char *connection_string, const char *ca);

/* Takes TEXT apart. RET_CONNECTION_STRING has no blanks around it and is for secret_free; RET_CA
 * is NULL when there is none. What the parts say is not looked at, but that certificates follow
 * and nothing else. Errors: INVALID; never with a part of the text. */
gboolean
invitation_split(const char *text, char **ret_connection_string, char **ret_ca, GError **error);
