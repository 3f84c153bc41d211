/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prompt: the window that asks whether a stream may come in, with all that is known of it. It shows
 * one request at a time, each in a window of its own, so that nothing begun at one ends at another.
 * Nothing in it can be pressed in the first moment, and Allow has the focus only when the user
 * gives it: a key or a click that was meant for another window answers nothing. Closing it refuses
 * the request. Main thread. */
#pragma once

#include "desktop/consent/ask.h"

#include <gtk/gtk.h>

typedef struct Prompt Prompt;

/* The user's answer to ASK. REASON: what was typed for whoever is refused. */
typedef void (*PromptAnswer)(Ask *ask, gboolean allow, const char *reason, void *data);

Prompt *prompt_new(GtkApplication *application, PromptAnswer answer, void *data);
void prompt_free(Prompt *prompt);

/* Shows ASK in place of what was there before; NULL: nothing. It stays the caller's, until another
 * one is shown. OTHERS: how many more wait. */
void prompt_show(Prompt *prompt, Ask *ask, guint others);

/* What is shown; may be NULL. */
Ask *prompt_ask(Prompt *prompt);

/* Shows how much time is left. */
void prompt_update(Prompt *prompt);

/* Brings the window to the front, if there is one. */
void prompt_present(Prompt *prompt);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prompt, prompt_free)
