/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitation: what the user gave to join a hub, an invitation or a connection string, read far
 * enough to say what it is before it is used. streamd reads it again, and strictly. The text is
 * secret: it is wiped when the Invitation is freed, and no message shows a part of it. Pure. */
#pragma once

#include <gio/gio.h>

#define INVITATION_MAX 32768 /* bytes, as streamd takes */

typedef enum {
    INVITATION_DEVICE,  /* this machine becomes a device, or a module of one */
    INVITATION_ANY,     /* the same, by an invitation for several: the name is ours to choose */
    INVITATION_SERVICE, /* it opens streams to devices */
} InvitationRole;

typedef struct {
    InvitationRole role;
    char *host;     /* HOST or HOST:PORT */
    char *name;     /* of the invitation; NULL: it is a connection string, with the key itself */
    char *identity; /* DEVICE, DEVICE/MODULE or a user; NULL with INVITATION_ANY */
    char *fingerprints; /* SHA-256 of each authority that comes with it, a line each; "": none */
    char *text;         /* secret */
    gsize length;
} Invitation;

/* TEXT is not changed. NULL with ERROR, whose message says what it is instead, or what it lacks. */
Invitation *invitation_read(const char *text, gsize length, GError **error);
void invitation_free(Invitation *invitation);

/* A name for the hub of this address: "hub.example.org:8443" gives "hub". Caller frees. */
char *invitation_hub_name(const Invitation *invitation);

/* A descriptor that gives the text, for AddHub. -1 with ERROR set. The caller closes it. */
int invitation_open(const Invitation *invitation, GError **error);

/* Whether TEXT (may be NULL) is what was given. */
gboolean invitation_is(const Invitation *invitation, const char *text);

/* Fills with zeros, then frees. NULL is fine. */
void invitation_wipe(char *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Invitation, invitation_free)
