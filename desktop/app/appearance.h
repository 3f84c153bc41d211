/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appearance: light or dark, and the app's own style sheet. Main thread. */
#pragma once

#include <gtk/gtk.h>

typedef enum {
    APPEARANCE_DESKTOP, /* follows the desktop's portal; without one, GTK's setting */
    APPEARANCE_LIGHT,
    APPEARANCE_DARK,
} AppearanceScheme;

typedef struct Appearance Appearance;

/* Call it after GTK has a display. */
Appearance *appearance_new(AppearanceScheme scheme);
void appearance_free(Appearance *appearance);

/* "light", "dark" or "default". */
gboolean appearance_parse(const char *text, AppearanceScheme *ret_scheme, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Appearance, appearance_free)
