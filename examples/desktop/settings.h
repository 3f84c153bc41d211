/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings: what the app remembers from one start to the next, in
 * $XDG_CONFIG_HOME/streamd-desktop.conf: devices used lately, whether it answers requests. Main
 * thread; read once before the main loop runs, written without waiting for it. */
#pragma once

#include <glib.h>

#define SETTINGS_RECENT_MAX 24

typedef struct {
    char *hub, *device, *stream;
} Recent;

typedef struct Settings Settings;

/* FILE: where they are; NULL: the usual place. What cannot be read is as if it were not there. */
Settings *settings_new(const char *file);
void settings_free(Settings *settings);

/* The one used last is the first; NULL past the end. Borrowed until the next change. */
const Recent *settings_recent(Settings *settings, guint i);
void settings_use(Settings *settings, const char *hub, const char *device, const char *stream);
void settings_forget(Settings *settings, const char *hub, const char *device);

/* Whether this app is an agent: asks when somebody wants a stream. On unless switched off. */
gboolean settings_answers(Settings *settings);
void settings_set_answers(Settings *settings, gboolean answers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
