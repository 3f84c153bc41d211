/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress: one line on the terminal that says what is being waited for, and for how long; gone
 * when the wait is over. Where standard error is no terminal it says nothing. One thread. */
#pragma once

#include <glib.h>

typedef struct Progress Progress;

/* WHAT is waited for: the name of a device. Shows nothing yet. */
Progress *progress_new(const char *what);

/* Shows the line, or brings it up to date. */
void progress_show(Progress *progress, guint seconds);

/* Takes the line away. */
void progress_hide(Progress *progress);

/* Hides and frees; NULL is fine. */
void progress_free(Progress *progress);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)
