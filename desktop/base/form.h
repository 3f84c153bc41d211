/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Form: the fields of a dialog or a page, in rows of libadwaita. Captions are in the rows, so that
 * a form fits where 360 px are. A mnemonic is a caption with an underscore. Main thread. */
#pragma once

#include <gtk/gtk.h>

/* A group of rows, an AdwPreferencesGroup. TITLE and DESCRIPTION are plain text; each may be NULL.
 */
GtkWidget *form_group_new(const char *title, const char *description);

/* A line of text, a GtkEditable, of at most MAX characters; Enter in it presses the default button
 * of its window. */
GtkWidget *form_entry(GtkWidget *group, const char *mnemonic, const char *text, int max);

/* An example of what may be in it: a tooltip, as the row's caption stands where a placeholder
 * would. */
void form_set_hint(GtkWidget *entry, const char *hint);

/* A button at its end that opens MENU. NAME: its tooltip and accessible name. */
void form_add_menu(GtkWidget *entry, GMenuModel *menu, const char *name);

/* The same for a secret, which it hides and no clipboard or input method keeps. */
GtkWidget *form_secret(GtkWidget *group, const char *mnemonic);

/* A GtkSwitch. EXPLANATION may be "". */
GtkWidget *form_switch(GtkWidget *group, const char *mnemonic, const char *explanation);

/* An AdwComboRow with the choices TEXTS; adw_combo_row_get_selected() is the index of one. */
GtkWidget *form_choice(GtkWidget *group, const char *mnemonic, const char *const *texts);

/* A GtkSpinButton. */
GtkWidget *
form_number(GtkWidget *group, const char *mnemonic, double least, double most, double step);

/* An AdwActionRow with plain text; further widgets go to its end with adw_action_row_add_suffix().
 */
GtkWidget *form_row(GtkWidget *group, const char *title, const char *subtitle);
