/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UI: small parts that several windows use. Main thread. */
#pragma once

#include <gtk/gtk.h>

/* Sets the accessible name of a widget whose content does not give one. */
void ui_name(GtkWidget *widget, const char *name);

/* A button with a text, and a way to change the text. */
GtkWidget *ui_button(const char *mnemonic);
void ui_set_label(GtkWidget *button, const char *mnemonic);

/* A flat button with an icon. TEXT is its tooltip and its accessible name. ACTION gets TARGET
 * (consumed when floating; may be NULL). */
GtkWidget *ui_icon_button(const char *icon, const char *text, const char *action, GVariant *target);

/* A list of captions and values. Values may come from the network; empty ones are left out. */
GtkWidget *ui_facts_new(void);
void ui_facts_clear(GtkWidget *facts);
void ui_facts_add(GtkWidget *facts, const char *caption, const char *value);

/* Escape closes the window, as its close button does. */
void ui_close_on_escape(GtkWindow *window);

/* CONTENT at most as wide as is good to read, and scrolled where it is higher than there is room.
 */
GtkWidget *ui_scroll_new(GtkWidget *content);

/* A window with a title, the header bar BAR, and CONTENT, which is scrolled. Escape closes it. */
GtkWindow *ui_window_new(const char *title, GtkWidget *bar, GtkWidget *content);

/* A window over PARENT with a title and CONTENT, which is scrolled. Its buttons are CANCEL, which
 * closes it, and DO, the default button; either may be NULL. */
GtkWindow *ui_dialog_new(GtkWindow *parent, const char *title, GtkWidget *content,
                         GtkWidget *cancel, GtkWidget *do_it);

/* A button of a dialog that leads on: it closes the dialog and activates ACTION, a name without
 * "app.", with TARGET, which is consumed when floating. */
GtkWidget *ui_leave_button(const char *mnemonic, const char *action, GVariant *target);

/* A line for an error in a dialog; visible while it has a text. */
GtkWidget *ui_complaint_new(void);
void ui_complaint_set(GtkWidget *complaint, const char *text);

/* An icon, a title and advice, in the middle of an empty page: an AdwStatusPage. BUTTON may be
 * NULL. */
GtkWidget *ui_status_new(const char *icon, const char *title, const char *text, GtkWidget *button);
void ui_status_set(GtkWidget *status, const char *title, const char *text);
