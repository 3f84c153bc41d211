/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device list: the devices that a hub knows, as far as the user may see them, with whether each is
 * connected. They come page by page, so that ten thousand of them do not stop the window. Main
 * thread. */
#pragma once

#include "desktop/base/item.h"
#include "desktop/bus/daemon.h"

/* More are not read. */
#define DEVICE_LIST_MAX 100000

typedef struct DeviceList DeviceList;

typedef enum {
    DEVICE_LIST_EMPTY, /* nothing was asked for yet, or there is no hub to ask */
    DEVICE_LIST_READING,
    DEVICE_LIST_WHOLE,
    DEVICE_LIST_CUT,    /* there are more than are read */
    DEVICE_LIST_DENIED, /* the user may not see them */
    DEVICE_LIST_FAILED, /* device_list_error() says why */
} DeviceListState;

/* Called when the state or the count has changed. */
typedef void (*DeviceListChanged)(void *data);

DeviceList *device_list_new(Daemon *daemon, DeviceListChanged changed, void *data);
void device_list_free(DeviceList *list);

/* Reads the list of that hub (service role) anew; "": there is none. What was there before stays
 * until it is known to have gone, unless it is another hub. UNASKED: nobody is asked
 * for a password. */
void device_list_read(DeviceList *list, const char *hub, gboolean unasked);

/* Items with DeviceId, Status, ConnectionState and Hub. Borrowed. */
GListStore *device_list_store(DeviceList *list);

/* The item of a device; NULL: the hub does not list it. Borrowed. */
Item *device_list_find(DeviceList *list, const char *hub, const char *device);

DeviceListState device_list_state(DeviceList *list);
const char *device_list_error(DeviceList *list); /* may be NULL */
guint device_list_connected(DeviceList *list);   /* how many of them are */
gint64 device_list_read_at(DeviceList *list);    /* monotonic; 0: never */

/* Whether the device is connected to its hub. */
gboolean device_is_connected(Item *device);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceList, device_list_free)
