/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Screen: the whole terminal for a while, one key at a time. It is given back as it was, whichever
 * way this process ends. One thread. */
#pragma once

#include <glib.h>

typedef struct Screen Screen;

/* Takes the terminal of standard input and output. Before any other thread. NULL: there is none,
 * or it cannot be taken. */
Screen *screen_open(void);
void screen_close(Screen *screen); /* NULL is fine */

/* How many lines it has. */
guint screen_lines(void);

/* Shows TEXT from the upper left corner, as many lines as there is room for. */
void screen_show(Screen *screen, const char *text);

typedef enum {
    SCREEN_TIME,   /* nothing happened */
    SCREEN_KEY,    /* *ret_key was pressed */
    SCREEN_RESIZE, /* the terminal has another size */
    SCREEN_END,    /* a signal, Ctrl-C, or the terminal is gone */
} ScreenEvent;

/* Waits for at most TIMEOUT µs. */
ScreenEvent screen_wait(Screen *screen, gint64 timeout, char *ret_key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_close)
