/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config: the administrator's files, which streamd never writes (streamd.conf(5)).
 *
 * It reads FILE and then FILE.d/NAME.conf, in the order of their names; a later file overrides
 * single keys. The keys are in config/keys.h. Rules are tried in the order of their numbers, which
 * are their ids, so a drop-in can put one between two others. All problems are reported together,
 * each with file and line. Main thread; reads files. */
#pragma once

#include "daemon/config/store-state.h"

#define CONFIG_SYSTEM_FILE "/etc/streamd/streamd.conf"
#define CONFIG_DROP_INS_MAX 256
#define CONFIG_CA_FILE_MAX ((gsize)1024 * 1024)

/* REQUIRED: PATH itself must exist; otherwise drop-ins alone are enough. The result is complete and
 * checked, secrets included. */
StoreState *config_load(const char *path, gboolean required, GError **error);
