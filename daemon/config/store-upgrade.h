/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Store upgrade: brings the state of an older version into today's form, a version at a time. Only
 * in memory: the file is written in the new form by the next change. Pure. */
#pragma once

#include <glib.h>

/* The version that is written (store.h), and the oldest that is read. */
#define STORE_VERSION 4
#define STORE_VERSION_OLDEST 1
#define STORE_VERSION_SECRETS 4 /* from here on, keys are as store-secrets.h says */

/* FILE is of VERSION, which is one of them. */
void store_upgrade(GKeyFile *file, int version);
