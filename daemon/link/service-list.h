/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service list: asks a hub for its devices, on a connection of its own. Main thread. */
#pragma once

#include "daemon/link/device-list.h"
#include "daemon/link/service-open.h"

#define SERVICE_LIST_TIME (15 * G_TIME_SPAN_SECOND)

/* OPTIONS needs what hub_fill_open fills in. With its DEVICE, a name that a device can have, only
 * that one is asked for; a hub before 0.2 tells of all. AFTER: from the page before, or NULL. NULL
 * with ERROR set: cannot make a request from that. */
ServiceList *service_list_new(const ServiceOpenOptions *options, const char *after,
                              ServiceListDone done, void *data, GError **error);
