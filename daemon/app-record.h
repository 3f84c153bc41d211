/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of changes over D-Bus: who, of what, before and after. Shared by the files app*.c alone,
 * but for what app.h has of it. Main thread. Texts: the caller frees. */
#pragma once

#include "common/log/events.h"
#include "daemon/app-change.h"

/* A change that somebody asked for over D-Bus is in force: writes its record. The events of a
 * change that nobody asked for (at the start, by the hub itself) have none. */
void app_record(App *app, const AppChange *change, EventKind kind, const EventData *data);

void app_record_hub_added(App *app, const AppChange *change, Hub *hub);
void app_record_hub_removed(App *app, const AppChange *change, Hub *hub);
/* What differs; never a secret. */
void app_record_hub_changed(App *app, const AppChange *change, const Hub *before, const Hub *after);
void app_record_target_added(App *app, const AppChange *change, Target *target);
void app_record_target_removed(App *app, const AppChange *change, Target *target);
/* TUNNEL_KEPT, or CLOSED_BY. */
void app_record_tunnel(App *app, const AppChange *change, EventKind kind, const Tunnel *tunnel);
void app_record_policy(App *app, const AppChange *change, const char *before, const char *after);

char *app_hub_text(const Hub *hub);          /* "device gw-1 at hub.example port 443" */
char *app_target_text(const Target *target); /* its address and limits */

/* All names of hubs and targets, the rules' ids, and the default. */
char *app_settings_text(App *app);
/* All rules, to see whether they changed. */
char *app_rules_text(App *app);
