/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prompt: the window that asks whether a stream may come in. It shows one request at a time, the
 * oldest first. Closing it refuses the request. It disappears when the deadline has passed. Main
 * thread. */
#pragma once

#include "desktop/bus/daemon.h"

#include <gtk/gtk.h>

typedef struct Prompt Prompt;

/* NOTICE: tells the user the result of an answer. IS_ERROR: the answer could not be given. */
typedef void (*PromptNotice)(const char *text, gboolean is_error, void *data);

Prompt *prompt_new(GtkApplication *application, Daemon *daemon, PromptNotice notice, void *data);
void prompt_free(Prompt *prompt);

/* REQUEST waits for an answer; DETAILS: its properties. Adding it again changes nothing. At most 32
 * requests wait here. Further ones are left to other agents, or to their deadline. */
void prompt_add(Prompt *prompt, const char *request, GVariant *details);

/* REQUEST needs no answer any more. REASON is shown if the user was looking at it. */
void prompt_remove(Prompt *prompt, const char *request, const char *reason);

/* Brings the window to the front, if there is one. */
void prompt_present(Prompt *prompt);

/* streamd has gone, or this app is no longer an agent. */
void prompt_clear(Prompt *prompt);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prompt, prompt_free)
