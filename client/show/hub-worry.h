/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hub worry: what whoever looks at a hub should know first. */
#pragma once

#include <glib.h>

#define HUB_WORRY_DAYS 30 /* that a certificate of the device's may still be good for */

/* Of a hub's properties: its last error; or what is wrong with the files of its certificate; or
 * that this ends soon. "": nothing. Caller frees. */
char *show_hub_worry(GVariant *hub);
