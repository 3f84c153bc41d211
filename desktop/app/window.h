/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Window: the main window: header bar, five pages, notices, and a line with the overall state. Main
 * thread. */
#pragma once

#include "desktop/app/app.h"

/* Shows the window, which belongs to the application. It is freed when the user closes it; APP ends
 * then. */
Window *window_new(App *app);
void window_free(Window *window);

GtkWindow *window_gtk(Window *window);

/* Call it when the daemon, the agent or the rates have changed. */
void window_update(Window *window);

/* Shows a notice until it is dismissed. If it is not an error, it goes by itself after some
 * seconds. */
void window_notice(Window *window, const char *text, gboolean is_error);

/* "tunnels", "streams", "devices", "services" or "hubs". */
void window_show_page(Window *window, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Window, window_free)
