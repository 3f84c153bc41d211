/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clones: one identity on two machines, as after an image with a key in it was copied.
 *
 * Each streamd names its instance (common/extension/client-type.h). That a second instance takes
 * over is no clone yet: most often the first one was restarted. But when an instance comes back
 * that another one had replaced within `clone-window`, both are alive. A restart never comes back,
 * and an instance that flaps replaces only itself. Devices that name no instance are never told
 * apart.
 *
 * The instance that was connected last when another one came back is owed a word about it. While
 * two instances take over from each other, each must leave the other one connected for a time that
 * doubles from CLONES_HOLD to CLONES_HOLD_MAX. Pure, but for the wall clock of a report; main
 * thread. NOW in monotonic µs. */
#pragma once

#include "common/extension/client-type.h"

#define CLONES_INSTANCES 4       /* of one device that are told apart; the oldest is forgotten */
#define CLONES_DEVICES_MAX 65536 /* of which instances are known; the oldest are forgotten */
#define CLONES_HOLD (2 * G_TIME_SPAN_SECOND)
#define CLONES_HOLD_MAX (300 * G_TIME_SPAN_SECOND)

typedef struct Clones Clones;

/* WINDOW in µs; 0: nothing is ever a clone. */
Clones *clones_new(gint64 window);
void clones_free(Clones *clones);

/* The device has connected as INSTANCE ("": it named none). BEFORE: the instance whose connection
 * it replaces; NULL: nothing was connected. TRUE: INSTANCE had been replaced by another one within
 * the window, and now comes back. */
gboolean clones_connected(Clones *clones, const char *client_id, const char *instance,
                          const char *before, gint64 now);

/* For how long INSTANCE must leave the present connection alone; 0: not at all. One that was never
 * told comes in at once, to be told. */
gint64 clones_hold(const Clones *clones, const char *client_id, const char *instance, gint64 now);

/* Whether INSTANCE is to be told that it was taken over; and that it was told. */
gboolean clones_owes(const Clones *clones, const char *client_id, const char *instance);
void clones_told(Clones *clones, const char *client_id, const char *instance);

/* It was removed from the registry. */
void clones_forget(Clones *clones, const char *client_id);

typedef struct {
    guint times;  /* how often an instance came back, since there were two machines */
    gint64 since; /* when that began, and */
    gint64 last;  /* when it was so last: µs since the epoch, wall clock */
} CloneReport;

/* FALSE: within the window nobody came back. */
gboolean clones_report(const Clones *clones, const char *client_id, gint64 now, CloneReport *ret);

guint clones_count(const Clones *clones, gint64 now); /* devices with a report */
guint clones_known(const Clones *clones);             /* devices in the table: for tests */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clones, clones_free)
