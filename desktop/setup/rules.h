/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules: the accept policy as a list for widgets, in order, with the default at the end. Main
 * thread. */
#pragma once

#include "desktop/base/item.h"
#include "desktop/bus/daemon.h"

typedef struct Rules Rules;

Rules *rules_new(Daemon *daemon);
void rules_free(Rules *rules);

/* Items with what a rule has, and Order (u), from 1. The last one is the default: Order is 0. Where
 * this machine does not let us see them there is one item alone, whose path is RULES_DENIED.
 * Borrowed. */
#define RULES_DENIED "denied"
GListStore *rules_store(Rules *rules);

/* Whether somebody looks at them: only then rules_refresh() reads them again. Nobody is asked for a
 * password for that; once they were denied they are read again when somebody looks anew. */
void rules_set_wanted(Rules *rules, gboolean wanted);
void rules_refresh(Rules *rules);

/* Reads them, and lets the user be asked for a password. */
void rules_ask(Rules *rules);

/* streamd has gone. */
void rules_clear(Rules *rules);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rules, rules_free)
