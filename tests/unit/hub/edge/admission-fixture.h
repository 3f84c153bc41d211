/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An admission with low limits, and connections for it. */
#pragma once

#include "hub/edge/admission.h"

#define NOW G_TIME_SPAN_HOUR
#define SECOND G_TIME_SPAN_SECOND
#define NEVER G_MAXUINT32 /* with this random number no early drop happens, see test_early_drop */

typedef struct {
    Settings *settings;
    Admission *admission;
    GPtrArray *slots; /* of the connections that were let in */
} Fixture;

void fixture_setup(Fixture *f, gconstpointer data);
void fixture_teardown(Fixture *f, gconstpointer data);

/* Makes COUNT attempts. Returns how many were let in. */
guint take(Fixture *f, guint count, const char *peer, gint64 now);
guint take_and_go(Fixture *f, guint count, const char *peer, gint64 now); /* each is gone again */

void make_known(Fixture *f, const char *peer, gint64 now); /* somebody there authenticates */
gboolean is_known(Fixture *f, const char *peer, gint64 now);
void slow(Fixture *f, const char *peer, guint level, gint64 until);
