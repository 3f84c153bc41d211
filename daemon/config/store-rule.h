/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules and targets in the store's file: sections [rule ID] and [target NAME]. */
#pragma once

#include "daemon/config/reader.h"
#include "daemon/config/store-state.h"

/* Reads the section that READER has entered. On an error nothing is added. */
void store_read_rule(SettingsReader *reader, const char *id, StoreState *state);
void store_read_target(SettingsReader *reader, const char *name, StoreState *state);

void store_put_rule(GKeyFile *file, const AcceptRule *rule);
void store_put_target(GKeyFile *file, const TargetSettings *target);
