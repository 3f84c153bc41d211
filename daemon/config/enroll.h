/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enroll: which hubs this machine joins by itself when it starts for the first time
 * (streamd.conf(5), [enroll NAME]). A file that is gone or bad is told when it is needed, and keeps
 * nothing else from running. Main thread; reads files. */
#pragma once

#include "daemon/config/file.h"
#include "daemon/config/store-state.h"

/* Where an invitation is looked for without any [enroll] section: first as a credential of the
 * service, then as this file beside the configuration. */
#define CONFIG_ENROLL_CREDENTIAL "streamd.enroll"
#define CONFIG_ENROLL_FILE "enroll.invite"
#define CONFIG_ENROLL_HUB "hub" /* the name that its hub gets */

void config_read_enroll(ConfigFile *config, const ConfigSection *section, const char *name,
                        StoreState *state);

/* CONFIG_PATH: of the configuration file. Adds what is found in the usual places, if anything. */
void config_find_enroll(const char *config_path, StoreState *state);
