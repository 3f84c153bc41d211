/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Join dialog: takes an invitation, says what it is, and joins the hub by it when the user says so.
 * Main thread. */
#pragma once

#include "desktop/app/app.h"

/* Asks for the invitation. */
void join_dialog_present(App *app);

/* The same with one that was dropped: one of FILE and TEXT is NULL. */
void join_dialog_present_dropped(App *app, GFile *file, const char *text);
