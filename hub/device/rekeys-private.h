/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of hub/device/rekeys.c and hub/device/rekey-grace.c, and of nobody else. */
#pragma once

#include "hub/device/rekeys.h"

struct Rekeys {
    const Settings *settings;
    Registry *registry;
    Devices *devices;
    Clock *clock;
    Records *records;   /* NULL: none */
    GHashTable *offers; /* client id inside the Offer -> Offer */
    guint64 last_rid;
    guint64 ignored;
    Timer sweep;     /* the next look for keys whose grace is over */
    guint retiring;  /* keys that are being replaced */
    gboolean failed; /* one of these could not be */
};

/* Whether LINK may be sent a key: it is there by its own key, and said that it can take one. */
gboolean rekeys_suit(const Rekeys *rekeys, DeviceLink *link);

/* To the log: DETAIL is about the device's key. */
void rekeys_tell(const char *client_id, const char *detail);

/* The key has changed in the registry, and DETAIL says how: to the records. */
void rekeys_record(Rekeys *rekeys, const char *client_id, const char *detail);

/* Looks for keys whose grace is over, now and from then on. */
void rekeys_begin_sweeps(Rekeys *rekeys);
