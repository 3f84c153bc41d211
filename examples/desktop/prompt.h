/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prompt: the window that asks whether a stream may come in. One at a time, the oldest first; the
 * others wait behind it. It says no when it is closed, and goes when the deadline has passed. Main
 * thread. */
#pragma once

#include "daemon.h"

#include <gtk/gtk.h>

typedef struct Prompt Prompt;

/* NOTICE: tells the user what became of an answer; IS_ERROR: it could not be given. */
typedef void (*PromptNotice)(const char *text, gboolean is_error, void *data);

Prompt *prompt_new(GtkApplication *application, Daemon *daemon, PromptNotice notice, void *data);
void prompt_free(Prompt *prompt);

/* REQUEST waits for an answer; DETAILS: its properties. Asked twice it is shown once. At most 32
 * wait here; what comes beyond is left to other agents and to its deadline. */
void prompt_add(Prompt *prompt, const char *request, GVariant *details);

/* There is nothing to answer any more; REASON is told when somebody was looking at it. */
void prompt_remove(Prompt *prompt, const char *request, const char *reason);

/* Brings the window to the front, if there is one. */
void prompt_present(Prompt *prompt);

/* streamd has gone, or this app is no agent any more. */
void prompt_clear(Prompt *prompt);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prompt, prompt_free)
