/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claim: who this machine says it is to a hub that it joins by an invitation, and the key that it
 * makes for that. An id is a claim and no proof: whoever has the file of a group may claim any that
 * fits. Reads files of the machine. Main thread. */
#pragma once

#include "common/codec/invitation.h"

/* AS: "host-name" (NULL: the same), "machine-id", "serial" (of the board, from firmware), or the id
 * itself. INVALID: there is no such id here, with the reason and what would be right. Caller frees.
 */
char *claim_id(const char *as, GError **error);

/* A connection string with a new random key. AS counts where the invitation is for a group; where
 * it is for one device or user, another id is INVALID. Free it with secret_free. */
char *claim_connection_string(const InvitationTicket *ticket, const char *as, GError **error);
