/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ask: one request that waits for an answer: at which streamd, its facts in words, and how much
 * time is left. What comes from the network is made plain here, and nowhere else. Main thread. */
#pragma once

#include "desktop/bus/daemon.h"

typedef struct {
    Daemon *daemon;    /* who asks, and who gets the answer; borrowed */
    char *path;        /* its name there; a streamd that starts again uses the same ones again */
    GVariant *details; /* a{sv} */
    char *refusal;     /* why the last answer was not taken; NULL: there was none */
    gboolean answered; /* an answer is on its way */
    gboolean put_up;   /* the window shows it, or will when it is its turn */
} Ask;

Ask *ask_new(Daemon *daemon, const char *path, GVariant *details);
void ask_free(Ask *ask);

/* “alice” asks for “ssh” on this machine. Caller frees, also below. */
char *ask_heading(const Ask *ask);

/* The name of the stream, of one line. */
char *ask_stream(const Ask *ask);

/* What is known of it, one after the other. VALUE: from the network, not yet plain. */
typedef void (*AskFact)(const char *caption, const char *value, void *data);
void ask_facts(const Ask *ask, AskFact fact, void *data);

/* Whether a few short lines tell all there is to know: who it is is known, and no text had to be
 * shortened or changed to be shown. What is not clear needs the window to be allowed. */
gboolean ask_is_clear(const Ask *ask);

/* µs until it refuses itself; 0: it is over. And the same as a part of the whole time. */
gint64 ask_left(const Ask *ask);
double ask_left_part(const Ask *ask);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ask, ask_free)
