/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remote: what this program asks of the streamd that runs already. Calls wait for the answer. */
#pragma once

#include <glib.h>

/* `streamd --reload`: Manager.Reload of the user's or of the machine's. FALSE: nobody answers, or
 * all that is wrong in the configuration, which stays as it was. Starts nobody. */
gboolean bus_remote_reload(gboolean user, GError **error);
