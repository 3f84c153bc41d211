/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Model: what streamd has, as lists that widgets can show. It is made anew from every snapshot, but
 * an object that was there before stays the same Item, so rows keep their place and their focus.
 * Main thread. */
#pragma once

#include "item.h"
#include "settings.h"

/* So many of the streams that have ended are shown. */
#define MODEL_ENDED_MAX 20

typedef struct {
    GListStore *hubs;
    GListStore *tunnels;
    GListStore *streams; /* that have not ended; the newest first */
    GListStore *ended;   /* the newest first, at most MODEL_ENDED_MAX */
    GListStore *devices; /* DeviceId, Hub, Tunnels, Streams, Recent; the path is made up */
    GListStore *requests;
    Settings *settings; /* borrowed */
} Model;

Model *model_new(Settings *settings);
void model_free(Model *model);

/* OBJECTS: a{oa{sa{sv}}}, the answer of GetManagedObjects. */
void model_apply(Model *model, GVariant *objects);

/* Nothing is there any more: streamd has gone. Devices of the recent past stay. */
void model_clear(Model *model);

/* The device list again, after the recent ones changed. */
void model_devices_changed(Model *model);

/* Names of the hubs through which streams can be opened. NULL-terminated; caller frees. */
GStrv model_service_hubs(Model *model);

/* Bytes in a second over all streams. */
void model_rates(Model *model, double *ret_in, double *ret_out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)
