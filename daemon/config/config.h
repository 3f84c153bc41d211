/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config: the administrator's files, never written by us (streamd.conf(5)).
 *
 * FILE and then FILE.d/NAME.conf in the order of their names; a later file overrides single keys.
 * The keys are in config/keys.h. Rules are tried in the order of their numbers, which are their
 * ids, so that a drop-in can put one between two others. Everything that is wrong is told at once,
 * each problem with file and line. Main thread; reads files. */
#pragma once

#include "daemon/config/store-state.h"

#define CONFIG_SYSTEM_FILE "/etc/streamd/streamd.conf"
#define CONFIG_DROP_INS_MAX 256
#define CONFIG_CA_FILE_MAX ((gsize)1024 * 1024)

/* REQUIRED: PATH itself must be there; drop-ins alone are enough otherwise. What comes back is
 * whole and checked, secrets included. */
StoreState *config_load(const char *path, gboolean required, GError **error);
