/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store upgrade: converts the state of an older version to the current form, one version at a time.
 * Only in memory: the next change writes the file in the new form. Pure. */
#pragma once

#include <glib.h>

/* The version that is written (store.h), and the oldest that is read. */
#define STORE_VERSION 4
#define STORE_VERSION_OLDEST 1
#define STORE_VERSION_SECRETS 4 /* since this version, keys are as in store-secrets.h */

/* FILE has VERSION, which is between these two. */
void store_upgrade(GKeyFile *file, int version);
