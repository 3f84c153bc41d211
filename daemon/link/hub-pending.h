/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the authority of a hub tells us about what comes next, from the statement to its end
 * (docs/wire-protocol.md, section 8).
 *
 * A next authority is kept only if the one that this hub is trusted by has signed the statement. It
 * is saved, then trusted beside the present one, and alone once it has verified a handshake by
 * itself and HUB_PENDING_S have passed, or when the administrator says so. A hub whose authorities
 * come from a CA file, the system or the configuration only remembers that there is something to
 * do. A next address is tried where the present one fails. Main thread. */
#pragma once

#include "daemon/link/hub-private.h"

/* Looks whether the next authority has proved itself, and whether it is time. After each handshake
 * with the hub, and now and then. */
void hub_look_at_pending(Hub *hub);

/* NOW in s since 1970. Pure. */
gboolean hub_pending_is_ripe(const HubPending *pending, gint64 now);

HubPending hub_pending_copy(const HubPending *pending);
void hub_pending_clear(HubPending *pending);

/* For hub.c. Puts PENDING of the settings in force; FALSE with an error: it cannot be used. */
gboolean hub_init_pending(Hub *hub, const HubPending *pending, GError **error);
void hub_free_pending(Hub *hub);
