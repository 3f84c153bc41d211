/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reload: the work of SIGHUP and Manager.Reload. Main thread. */
#pragma once

#include "daemon/app.h"

typedef struct Reload Reload;

/* ERROR NULL: the new configuration is in force. Otherwise the one in force stays, and ERROR has a
 * line for each problem. */
typedef void (*ReloadDone)(const GError *error, void *data);

/* Reads the configuration again (app_reload), and tells the log and the service manager the result.
 * Takes AUTHOR, who asked for it over D-Bus; NULL: a signal did.
 * DONE, which may be NULL, is called once, later. NULL: it was refused at once, with ERROR. */
Reload *reload_config(App *app, Author *author, ReloadDone done, void *data, GError **error);

/* DONE is not called; the reload goes on. Not after DONE. */
void reload_forget(Reload *reload);
