/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Window: the main window: header bar, four pages, what has just happened, and a line with the
 * state of it all. Main thread. */
#pragma once

#include "app.h"

/* Shown, and the application's. It is gone when the user closes it; APP ends then. */
Window *window_new(App *app);
void window_free(Window *window);

GtkWindow *window_gtk(Window *window);

/* To be called when the daemon, the agent or the rates are different. */
void window_update(Window *window);

/* Tells something, until it is dismissed or, when it is no error, for some seconds. */
void window_notice(Window *window, const char *text, gboolean is_error);

/* "tunnels", "streams", "devices" or "hubs". */
void window_show_page(Window *window, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Window, window_free)
