/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitation: everything needed to join a hub, in one text. The first line is a ticket or a
 * connection string. Then come, in PEM, the certificates that issued the hub's one, unless the
 * system trusts it anyway. It is all secret. Pure; any thread.
 *
 * A ticket says where the hub is and by which invitation one may join it, with a key of one's own
 * making (docs/wire-protocol.md, section 9):
 *
 *   HostName=..;Invitation=NAME;DeviceId=..[;ModuleId=..];InvitationKey=..    for one device
 *   HostName=..;Invitation=NAME;UserName=..;InvitationKey=..                  for one user
 *   HostName=..;Invitation=NAME;InvitationKey=..                              for a group of
 * devices
 *
 * A hub before 0.2 wrote connection strings, with the very key of the device or user. */
#pragma once

#include <glib.h>

#define INVITATION_MAX 32768 /* bytes; about twenty certificates */
#define INVITATION_TICKET_MAX 1024

/* The text of an invitation. FIRST: its first line. CA may be NULL. Caller frees, with
 * secret_free. */
char *invitation_make(const char *first, const char *ca);

/* Splits TEXT. RET_FIRST has no spaces around it; free it with secret_free. RET_CA is NULL when
 * there is none. The content of the parts is not checked, only that nothing but certificates
 * follows. Error: INVALID; its message never shows a part of the text. */
gboolean invitation_split(const char *text, char **ret_first, char **ret_ca, GError **error);

typedef struct {
    char *host; /* with its port unless that is 443 */
    char *name; /* of the invitation */
    char *device_id;
    char *module_id;
    char *user;
    char *key; /* base64, checked */
} InvitationTicket;

/* Whether a first line is meant to be a ticket; it may still be malformed. */
gboolean invitation_is_ticket(const char *first);

/* NULL: INVALID, as above. Free it with invitation_ticket_free. */
InvitationTicket *invitation_ticket_parse(const char *text, GError **error);
char *invitation_ticket_format(const InvitationTicket *ticket); /* free with secret_free */
void invitation_ticket_free(InvitationTicket *ticket);          /* wipes the key; NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InvitationTicket, invitation_ticket_free)
