/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reasons, capabilities and errors: the small tables every layer shares. */
#include "common/base/error.h"
#include "common/base/reason.h"
#include "common/codec/caps.h"

#include <string.h>

static void
test_codes_are_unique_and_come_back(void)
{
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++) {
        const char *code = reason_code((Reason)i);

        g_assert_cmpuint(strlen(code), <=, 24);
        g_assert_cmpint(reason_from_code(code, -1), ==, (Reason)i);
        g_assert_nonnull(reason_text((Reason)i));
    }
    g_assert_cmpint(reason_from_code("no-such-reason", -1), ==, REASON_NONE);
    g_assert_cmpint(reason_from_code("cutlery", 3), ==, REASON_CUT);
}

static void
test_orderly_ends_close_with_1000(void)
{
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        if (reason_is_orderly((Reason)i))
            g_assert_cmpuint(reason_close_code((Reason)i), ==, 1000);
    g_assert_cmpuint(reason_close_code(REASON_CUT), ==, 1011);
    g_assert_cmpuint(reason_close_code(REASON_REVOKED), ==, 1008);
    g_assert_cmpuint(reason_close_code(REASON_HUB_STOPPING), ==, 1001);
}

static void
test_caps(void)
{
    g_autofree char *text = caps_format(CAP_HALF_CLOSE | CAP_DEADLINE, '.');

    g_assert_cmpstr(text, ==, "half-close.deadline");
    g_assert_cmpint(caps_parse("half-close, reason", 18), ==, CAP_HALF_CLOSE | CAP_REASON);
    g_assert_cmpint(caps_parse("half-close.future.initiator", 27), ==,
                    CAP_HALF_CLOSE | CAP_INITIATOR);
    g_assert_cmpint(caps_parse("half", 4), ==, 0);
    g_assert_cmpint(caps_from_client_type(
                        "streamd/1.0 (caps=half-close,reason,deadline,initiator,sid,order,notice)"),
                    ==, CAPS_ALL);
    g_assert_cmpint(caps_from_client_type("azure-iot-device/1.18.4 (node v20)"), ==, 0);
    g_assert_cmpint(caps_from_client_type("streamd (caps=reason"), ==, 0);
    g_assert_cmpint(caps_from_client_type(NULL), ==, 0);
}

static void
test_error_names_come_back(void)
{
    for (guint i = 0; i <= STREAMD_ERROR_CANCELLED; i++)
        g_assert_cmpint(streamd_error_from_name(streamd_error_name((StreamdError)i)), ==, i);
    g_assert_cmpint(streamd_error_from_name("Whatever"), ==, STREAMD_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reason/codes", test_codes_are_unique_and_come_back);
    g_test_add_func("/reason/close-codes", test_orderly_ends_close_with_1000);
    g_test_add_func("/caps/parse-and-format", test_caps);
    g_test_add_func("/error/names", test_error_names_come_back);
    return g_test_run();
}
