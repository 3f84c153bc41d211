/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host names by which ssh knows devices: DEVICE.device, or DEVICE.HUB.device where there are
 * several hubs. Device and hub names may hold dots, so the text alone does not say where the one
 * ends and the other begins: the hubs that there are do. Pure; any thread. */
#pragma once

#include <glib.h>

#define SSH_NAME_SUFFIX ".device"
#define SSH_NAME_STREAM "ssh" /* the stream, unless another is asked for */

/* DEVICE or DEVICE/MODULE, as the hub names them (common/codec/device-id.h). */
gboolean ssh_name_is_device(const char *text);

/* Takes HOST apart. HUBS (NULL-terminated; may be NULL): what may stand before the suffix; the
 * longest that fits does, unless nothing would be left of the device. RET_HUB is one of HUBS, NULL
 * without one. FALSE: that is no such name. RET_DEVICE is for the caller to free. */
gboolean
ssh_name_parse(const char *host, const char *const *hubs, char **ret_device, const char **ret_hub);

/* The name of DEVICE; HUB may be NULL. Caller frees. */
char *ssh_name_make(const char *device, const char *hub);
