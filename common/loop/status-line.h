/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Status line: a text about the whole program that is kept current somewhere else, such as the
 * service manager's STATUS= (sd_notify(3)). Whoever changes something touches the line; it is made
 * anew from the main loop, STATUS_LINE_PAUSE after the last time at the earliest, and sent when it
 * differs. Main thread. */
#pragma once

#include <glib.h>

#define STATUS_LINE_PAUSE G_TIME_SPAN_SECOND

typedef struct StatusLine StatusLine;

typedef char *(*StatusMake)(void *data);
typedef void (*StatusSend)(const char *text, void *data);

StatusLine *status_line_new(StatusMake make, StatusSend send, void *data);
void status_line_free(StatusLine *line); /* NULL is fine */

void status_line_touch(StatusLine *line); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusLine, status_line_free)
