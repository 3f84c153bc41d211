/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User limits: how much one streamd holds, in all and for one user. */
#pragma once

/* Limits of what is held (docs/architecture.md, "Limits"). */
#define APP_HUBS_MAX 64
#define APP_TARGETS_MAX 256
#define APP_STREAMS_MAX 16384
/* Defaults and hard caps of what a user may hold (requirement R22): settings in [limits]. */
#define APP_STREAMS_PER_UID 256
#define APP_STREAMS_PER_UID_CAP 4096
#define APP_LISTENERS_PER_UID 64
#define APP_LISTENERS_PER_UID_CAP 1024
