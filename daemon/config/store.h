/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store: what was set over D-Bus, kept over a restart.
 *
 * Two files in one directory, each replaced atomically: `state` (hubs, targets, rules, tunnels)
 * and `secrets` (the hubs' connection strings and proxies' credentials), both mode 0600. Each begins with a line that has
 * the version and a SHA-256 of the rest, so that a damaged file is never read as a smaller one:
 * that is an error with path and reason, and streamd does not start (fault F34). Older versions
 * are read (store-upgrade.h), newer ones refused. A file that others may write, or secrets that
 * others may read, are refused too. Main thread. */
#pragma once

#include "daemon/config/store-state.h"

typedef struct Store Store;

#define STORE_FILE_MAX (1024 * 1024)

/* What is kept (store-state.h). An empty state when there are no files. */
StoreState *store_load(Store *store, GError **error);
gboolean store_save(Store *store, const StoreState *state, GError **error);

/* DIR must exist. Loads nothing yet. */
Store *store_new(const char *dir, GError **error);
void store_free(Store *store); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)
