/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Join source: where an invitation comes from: a file that is chosen or dropped, a text that is
 * dropped, the clipboard. What is read is wiped when it was handed over. Main thread; nothing
 * blocks. */
#pragma once

#include <gtk/gtk.h>

/* Called once. TEXT is borrowed; NULL: ERROR says why, or the user has given up when there is none
 * either. */
typedef void (*JoinSourceDone)(const char *text, gsize length, const GError *error, void *data);

/* DONE is not called after CANCELLABLE was cancelled, here and below. */
void join_source_file(GFile *file, GCancellable *cancellable, JoinSourceDone done, void *data);

/* Asks the user for a file, over the window PARENT. */
void
join_source_choose(GtkWindow *parent, GCancellable *cancellable, JoinSourceDone done, void *data);

void join_source_clipboard(GCancellable *cancellable, JoinSourceDone done, void *data);

/* Lets WIDGET take a file or a text. FUNC: one of the two is there, the other is NULL. */
typedef void (*JoinSourceDropped)(GFile *file, const char *text, void *data);
void join_source_add_drop(GtkWidget *widget, JoinSourceDropped func, void *data);
