/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hub's list of devices: what comes out can be shown and asked for. */
#include "common/base/error.h"
#include "common/codec/device-id.h"
#include "daemon/link/device-list.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) devices = device_list_parse((const char *)data, size, &error);

    if (devices == NULL) {
        g_assert_true(error->domain == STREAMD_ERROR);
        return 0;
    }
    g_assert_cmpuint(devices->len, <=, DEVICE_LIST_MAX);
    for (guint i = 0; i < devices->len; i++) {
        const ListedDevice *device = g_ptr_array_index(devices, i);

        g_assert_true(device_id_is_valid(device->id, -1));
        g_assert_cmpuint(strlen(device->status), <=, 32);
        g_assert_cmpuint(strlen(device->connection_state), <=, 32);
    }
    return 0;
}
