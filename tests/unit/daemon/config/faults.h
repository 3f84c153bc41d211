/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults: a disk that fails, for the program that is linked with this. Counted are the calls that
 * open, write, sync, rename, remove or make something in one folder and below. One thread. */
#pragma once

#include <glib.h>

/* The AT-th call (from 1; 0: none) fails with ERROR, and with FOR_GOOD all that follow. */
void faults_arm(const char *folder, guint at, gboolean for_good, int error);

/* No faults any more: how many calls there were. */
guint faults_disarm(void);

/* The calls that did not fail and that change something, a line each, in their order: what is done
 * and to what in the folder; a name that is written beside another one's is that one. */
const char *faults_order(void);

/* A sync was among the calls that failed. */
gboolean faults_failed_sync(void);
