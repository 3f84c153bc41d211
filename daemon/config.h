/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Config: the administrator's file, never written by us (streamd.conf(5)).
 *
 *   [hub NAME]     connection-string-file=, ca-file=, transport=wss|mqtts, mqtt-port=,
 *                  token-life= (seconds; 3600)
 *   [target NAME]  address=
 *   [rule N]       hub=, stream=, initiator=, verdict=accept|reject, target=, reason=
 *   [policy]       default=accept|reject, reason=
 *
 * Rules stand in the order of the file; N, from 1 to 999, is the rule's id. An unknown section or
 * key, or a bad value, is an error with file, section and key. Main thread; reads files. */
#pragma once

#include "daemon/store-state.h"

#define CONFIG_FILE_MAX (1024 * 1024)

StoreState *config_load(const char *path, GError **error);

/* A connection string from a file that only its owner can read (checked on the open descriptor). A
 * final newline is dropped. Caller: secret_free. */
char *config_read_secret(const char *path, GError **error);
