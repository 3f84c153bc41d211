/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Autostart: whether this program is started, without a window, with the user's session: by an
 * entry in $XDG_CONFIG_HOME/autostart, or in a sandbox, which cannot write there, by the Background
 * portal. (The portal does not know who asks when it is not a sandbox, and would write an entry
 * without a name.) Main thread; nothing blocks. */
#pragma once

#include <gio/gio.h>

/* ON as it is now. ERROR: why it is not as it was wanted; may be NULL. */
typedef void (*AutostartDone)(gboolean on, const char *error, void *data);

/* SESSION: the session bus; may be NULL. DONE is not called after CANCELLABLE was cancelled. */
void autostart_set(GDBusConnection *session, gboolean on, GCancellable *cancellable,
                   AutostartDone done, void *data);
