/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host names of devices for ssh: DEVICE.device, or DEVICE.HUB.device when there are several
 * hubs. Device and hub names may contain dots, so the text alone does not show where one ends and
 * the other begins. The list of hubs does. Pure; any thread. */
#pragma once

#include <glib.h>

#define SSH_NAME_SUFFIX ".device"
#define SSH_NAME_STREAM "ssh" /* the stream, unless another one is given */

/* DEVICE or DEVICE/MODULE, in the form of common/codec/device-id.h. */
gboolean ssh_name_is_device(const char *text);

/* Splits HOST. HUBS (NULL-terminated; may be NULL) may stand before the suffix. The longest one
 * that fits counts, unless nothing would be left for the device. RET_HUB is one of HUBS, or NULL.
 * FALSE: HOST is not such a name. The caller frees RET_DEVICE. */
gboolean
ssh_name_parse(const char *host, const char *const *hubs, char **ret_device, const char **ret_hub);

/* The name of DEVICE; HUB may be NULL. Caller frees. */
char *ssh_name_make(const char *device, const char *hub);
