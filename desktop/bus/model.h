/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Model: streamd's objects as lists for widgets. It is updated from every snapshot. An object that
 * existed before keeps its Item, so rows keep their place and their focus. Main thread. */
#pragma once

#include "desktop/base/item.h"
#include "desktop/base/settings.h"

/* How many of the ended streams are shown. */
#define MODEL_ENDED_MAX 20

typedef struct {
    GListStore *hubs;
    GListStore *targets;
    GListStore *tunnels;
    GListStore *streams; /* streams that have not ended; the newest first */
    GListStore *ended;   /* the newest first, at most MODEL_ENDED_MAX */
    GListStore *devices; /* DeviceId, Hub, Tunnels, Streams, Recent; the path is made up */
    Settings *settings;  /* borrowed */
} Model;

Model *model_new(Settings *settings);
void model_free(Model *model);

/* OBJECTS: a{oa{sa{sv}}}, the answer of GetManagedObjects. */
void model_apply(Model *model, GVariant *objects);

/* Removes all objects: streamd has gone. Recent devices stay. */
void model_clear(Model *model);

/* Makes the device list again, after the recent devices have changed. */
void model_devices_changed(Model *model);

/* The names of the hubs through which streams can be opened. NULL-terminated; caller frees. */
GStrv model_service_hubs(Model *model);

/* The item of a name in the list of hubs or targets; NULL: there is none. Borrowed. */
Item *model_named(GListStore *store, const char *name);

/* The item of an object's path in a list; NULL: there is none. Borrowed. */
Item *model_at(GListStore *store, const char *path);

/* How many streams that came in through the hub have not ended, of those that the user sees. */
guint model_incoming(Model *model, const char *hub);

/* Bytes per second of all streams together. */
void model_rates(Model *model, double *ret_in, double *ret_out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)
