/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appearance: light or dark, and the app's own style sheet. Main thread. */
#pragma once

#include <gtk/gtk.h>

typedef enum {
    APPEARANCE_DESKTOP, /* as the desktop's portal says, and as it changes; else as GTK is set */
    APPEARANCE_LIGHT,
    APPEARANCE_DARK,
} AppearanceScheme;

typedef struct Appearance Appearance;

/* After GTK has a display. */
Appearance *appearance_new(AppearanceScheme scheme);
void appearance_free(Appearance *appearance);

/* "light", "dark" or "default". */
gboolean appearance_parse(const char *text, AppearanceScheme *ret_scheme, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Appearance, appearance_free)
