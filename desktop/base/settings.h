/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings: what the app remembers between runs, in $XDG_CONFIG_HOME/streamd-desktop.conf: recent
 * devices, and whether it answers requests. Main thread. Read once before the main loop runs;
 * written by a thread, one change after the other. */
#pragma once

#include <glib.h>

#define SETTINGS_RECENT_MAX 24

typedef struct {
    char *hub, *device, *stream;
} Recent;

typedef struct Settings Settings;

/* FILE: the settings file; NULL: the usual one. A file that cannot be read counts as absent. */
Settings *settings_new(const char *file);
void settings_free(Settings *settings); /* waits for what is not written yet */

/* The recent device at index I, the last used first; NULL past the end. Borrowed until the next
 * change. */
const Recent *settings_recent(Settings *settings, guint i);
void settings_use(Settings *settings, const char *hub, const char *device, const char *stream);
void settings_forget(Settings *settings, const char *hub, const char *device);

/* Whether this app is an agent, which asks the user when a stream is requested. On by default. */
gboolean settings_answers(Settings *settings);
void settings_set_answers(Settings *settings, gboolean answers);

/* Whether it goes on to ask when its window is closed. Off by default. */
gboolean settings_background(Settings *settings);
void settings_set_background(Settings *settings, gboolean background);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
