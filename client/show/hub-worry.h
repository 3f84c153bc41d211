/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub worry: what whoever looks at a hub should know first. */
#pragma once

#include <glib.h>

#define HUB_WORRY_DAYS 30 /* that a certificate of the device's may still be good for */

#define HUB_WORRY_SHARED G_TIME_SPAN_HOUR /* since it was taken over by another machine */

/* Of a hub's properties: its last error; or what is wrong with the files of its certificate; or
 * that this ends soon. Behind that, whether another machine uses its identity, too. "": nothing.
 * Caller frees. */
char *show_hub_worry(GVariant *hub);
