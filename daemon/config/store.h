/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: what was set over D-Bus, kept over a restart.
 *
 * In the state directory: `state` (hubs, targets, rules, tunnels), and for each hub a file in
 * `secrets.d` with its connection string and its proxy's credentials (store-secrets.h); all of mode
 * 0600, each with a checksum (store-file.h). A damaged state is an error with path and reason, and
 * streamd does not start (fault F34). A hub whose key is missing or cannot be used is loaded as one
 * that is refused, and stops nothing else. Older versions are read (store-upgrade.h). Of a newer
 * one nothing is known, so nothing is loaded and nothing will be saved.
 *
 * A save writes new keys first, then the state, and only then removes keys that no state names any
 * more: whenever it is interrupted, the old state or the new one is there, whole. Before the first
 * save of this version the files of an older one are copied to `state.v3` and `secrets.v3`: the way
 * back to 0.1. What killed saves have left is removed after the first save that succeeds, and only
 * by a store that has loaded a state of this version.
 *
 * One thread at a time; load and save wait for the disk. */
#pragma once

#include "daemon/config/store-file.h"
#include "daemon/config/store-state.h"

typedef struct Store Store;

/* What is kept (store-state.h). An empty state when there is no file, or a newer one. */
StoreState *store_load(Store *store, GError **error);

/* Why nothing can be saved: the state is of a newer version. NULL: it is not. */
const char *store_is_newer(const Store *store);

/* On failure the files say what they said before. A hub without a connection string keeps the key
 * that is named for it. */
gboolean store_save(Store *store, const StoreState *state, GError **error);

/* DIR must exist. Loads nothing yet. */
Store *store_new(const char *dir, GError **error);
void store_free(Store *store); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
