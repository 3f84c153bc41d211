/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Traffic: how many bytes and streams have passed through each hub for each user: sums over ended
 * streams, by the hub's name, since streamd started. Main thread. */
#pragma once

#include <glib.h>

/* How many pairs of a hub and a user are remembered. Further ones are not counted. */
#define TRAFFIC_PAIRS_MAX 4096

typedef struct Traffic Traffic;

typedef struct {
    guint64 opened;    /* streams */
    guint64 failed;    /* streams that ended without having opened */
    guint64 bytes_in;  /* payload from the other machine */
    guint64 bytes_out; /* and to it */
} TrafficCount;

/* Whether what belongs to UID is counted for whoever asks. */
typedef gboolean (*TrafficSees)(guint32 uid, gpointer data);

Traffic *traffic_new(void);
void traffic_free(Traffic *traffic); /* NULL is fine */

void traffic_add(Traffic *traffic, const char *hub, guint32 uid, const TrafficCount *count);
void traffic_forget(Traffic *traffic, const char *hub);

/* Adds up what SEES says yes to. */
TrafficCount traffic_sum(const Traffic *traffic, const char *hub, TrafficSees sees, gpointer data);

void traffic_count_add(TrafficCount *sum, const TrafficCount *count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Traffic, traffic_free)
