/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service list: asks a hub for its devices, on a connection of its own. Main thread. */
#pragma once

#include "daemon/link/device-list.h"
#include "daemon/link/service-open.h"

#define SERVICE_LIST_TIME (15 * G_TIME_SPAN_SECOND)

/* Of OPTIONS what hub_fill_open fills in. AFTER: what the page before said, or NULL. NULL with
 * ERROR set: no request can be made of that. */
ServiceList *service_list_new(const ServiceOpenOptions *options, const char *after,
                              ServiceListDone done, void *data, GError **error);
