/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Screen: uses the whole terminal for a while, and reads one key at a time. The terminal is
 * restored however this process ends. One thread. */
#pragma once

#include <glib.h>

typedef struct Screen Screen;

/* Takes the terminal of standard input and output. Call it before other threads exist. NULL: there
 * is no terminal, or it cannot be used. */
Screen *screen_open(void);
void screen_close(Screen *screen); /* NULL is fine */

/* How many lines the terminal has. */
guint screen_lines(void);

/* Shows TEXT from the upper left corner, as many lines as fit; what is wider than the terminal is
 * cut. */
void screen_show(Screen *screen, const char *text);

typedef enum {
    SCREEN_TIME,   /* nothing happened */
    SCREEN_KEY,    /* *ret_key was pressed */
    SCREEN_RESIZE, /* the size of the terminal has changed */
    SCREEN_END,    /* a signal, Ctrl-C, or the terminal is gone */
} ScreenEvent;

/* Waits for at most TIMEOUT µs. */
ScreenEvent screen_wait(Screen *screen, gint64 timeout, char *ret_key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_close)
