/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: keeps what was set over D-Bus over a restart.
 *
 * The state directory has `state` (hubs, targets, rules, tunnels) and, for each hub, a file in
 * `secrets.d` with its connection string and its proxy's credentials (store-secrets.h). All have
 * mode 0600 and a checksum (store-file.h). If the state is damaged, loading fails with path and
 * reason, and streamd does not start (fault F34). A hub whose key is missing or cannot be used is
 * loaded as refused, and stops nothing else. Older versions are read (store-upgrade.h). A newer
 * version cannot be read, so nothing is loaded and nothing will be saved.
 *
 * A save writes new keys first, then the state, and only then removes keys that no state names any
 * more. So after an interruption either the old state or the new one is there, complete. Before the
 * first save of this version the files of an older one are copied to `state.v3` and `secrets.v3`,
 * so that one can go back to 0.1. What killed saves have left is removed after the first save that
 * succeeds, and only if the store has loaded a state of this version.
 *
 * One thread at a time; load and save wait for the disk. */
#pragma once

#include "daemon/config/store-file.h"
#include "daemon/config/store-state.h"

typedef struct Store Store;

/* What is kept (store-state.h). Empty when there is no file, or a newer one. */
StoreState *store_load(Store *store, GError **error);

/* Why nothing can be saved: the state is of a newer version. NULL: it can. */
const char *store_is_newer(const Store *store);

/* On failure the files have not changed. A hub without a connection string keeps the key file that
 * was named for it. */
gboolean store_save(Store *store, const StoreState *state, GError **error);

/* DIR must exist. Loads nothing yet. */
Store *store_new(const char *dir, GError **error);
void store_free(Store *store); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
