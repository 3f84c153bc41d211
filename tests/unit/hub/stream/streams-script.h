/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts of everything that devices, services, legs and the operator may do to the hub's streams,
 * drawn from bytes, against what has to hold whatever the order: each request is answered once,
 * each token works once, every leg is closed, nothing is left. Ends the program where it does not.
 * For the unit test, which draws at random, and for the fuzz target. */
#pragma once

#include <glib.h>

#define STREAMS_SCRIPT_STEPS 400

/* TALLY counts the answers by their status; its values are pointers used as numbers. */
void streams_script_run(const guint8 *bytes, gsize len, GHashTable *tally);
