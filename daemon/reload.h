/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: what SIGHUP and Manager.Reload ask for. Main thread. */
#pragma once

#include "daemon/app.h"

/* Reads the configuration again (app_reload), and tells the log and the service manager how that
 * went. FALSE: the one in force stays, and ERROR has a line for each problem. */
gboolean reload_config(App *app, GError **error);
