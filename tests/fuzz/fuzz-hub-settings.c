/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's configuration file: what is taken is within the caps, what is not is told with its
 * place. */
#include "common/base/error.h"
#include "hub/base/settings.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_parse((const char *)data, size, "hub.conf", &error);

    if (!settings) {
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, "hub.conf:"));
        return 0;
    }
    g_assert_cmpint(settings->stream_deadline, >=, G_TIME_SPAN_SECOND);
    g_assert_cmpint(settings->stream_deadline, <=, 60 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(settings->packet_max, >=, 16384);
    g_assert_cmpuint(settings->packet_max, <=, 262144);
    g_assert_cmpuint(settings->known_source_factor, >=, 1);
    g_assert_cmpint(settings->token_skew, <=, 300 * G_TIME_SPAN_SECOND);
    return 0;
}
