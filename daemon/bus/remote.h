/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remote: calls to the streamd that is already running. They wait for the answer. */
#pragma once

#include <glib.h>

/* `streamd --reload`: calls Manager.Reload of the user's or the system's instance. FALSE: there is
 * no answer, or ERROR has all problems of the configuration, which stays as it was. It does not
 * start a streamd. */
gboolean bus_remote_reload(gboolean user, GError **error);
