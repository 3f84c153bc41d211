/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress: one line on the terminal that says what we wait for, and for how long. It is removed
 * when the wait is over. When standard error is not a terminal, nothing is shown. One thread. */
#pragma once

#include <glib.h>

typedef struct Progress Progress;

/* WHAT we wait for: the name of a device. Shows nothing yet. */
Progress *progress_new(const char *what);

/* Shows or updates the line. */
void progress_show(Progress *progress, guint seconds);

/* Removes the line. */
void progress_hide(Progress *progress);

/* Removes the line and frees; NULL is fine. */
void progress_free(Progress *progress);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)
