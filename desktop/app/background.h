/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Background: whether the program goes on to ask when its window is closed, and what to quit means
 * while it is the one that asks. Main thread. */
#pragma once

#include "desktop/app/app.h"

/* As the settings say. */
void background_start(App *app);

/* The user wants it, or wants it no more, from now on and when the session starts. */
void background_set(App *app, gboolean wanted);

/* It goes on until it is quit, whatever the settings say. */
void background_stay(App *app);

/* Whether the window must not be closed now, because that would end the program and so the asking:
 * the user is asked what is meant. */
gboolean background_keeps_window(App *app);

/* Ends the program, but where that means that nobody is asked any more the user is told first. */
void background_quit(App *app);
