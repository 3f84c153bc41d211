/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Twins: what is answered is a topic that a device may be sent, and short. */
#include "hub/device/twin.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *topic = NULL;
    const char *payload = NULL;

    (void)twin_filter_is_known((Slice){(const char *)data, size});
    if (twin_answer((Slice){(const char *)data, size}, &topic, &payload) != TWIN_ANSWER) {
        g_assert_null(topic);
        return 0;
    }
    g_assert_nonnull(payload);
    g_assert_cmpuint(strlen(topic), <=, sizeof "$iothub/twin/res/200/?$rid=" + TWIN_RID_MAX);
    g_assert_null(strpbrk(topic, "#+"));
    return 0;
}
