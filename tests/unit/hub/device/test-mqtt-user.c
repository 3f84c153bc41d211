/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/mqtt-user.h"

static gboolean
parse(const char *client_id, const char *user_name, MqttUser *ret)
{
    return mqtt_user_parse(slice_of(client_id), slice_of(user_name), ret);
}

/* docs/wire-protocol.md, section 1.2 */
static void
test_forms(void)
{
    static const char *const names[] = {
        "hub.example/dev1/?api-version=2020-05-31-preview&DeviceClientType=x",
        "hub.example/dev1/?api-version=x&model-id=dtmi%3Aa%3B1&auth-chain=y",
        "hub.example/dev1/api-version=2016-11-14",
        "hub.example/dev1/api-version=2016-11-14/DeviceClientType=x",
        "hub.example/dev1",
        "hub.example/dev1/",
        "hub.example/dev1/?",
        "hub.example/dev1?api-version=x",
        "127.0.0.1:18883/dev1/?api-version=2021-04-12",
        "another.example/dev1",
        "hub.example/dev1/?api-version=x&api-version=y&&=&%zz",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_auto(MqttUser) user = {0};

        g_assert_true(parse("dev1", names[i], &user));
        g_assert_cmpstr(user.device, ==, "dev1");
        g_assert_null(user.module);
        g_assert_cmpint(user.type.caps, ==, 0);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *client_id, *user_name;
    } pairs[] = {
        {"", "hub/"},           {"dev1", ""},           {"dev1", "dev1"},
        {"dev1", "/dev1"},      {"dev1", "hub/dev2"},   {"dev1", "hub/dev10"},
        {"dev1", "hub/dev"},    {"dev1", "hub/DEV1"},   {"dev1", "hub/dev1x/?api-version=x"},
        {"dev1", "hub//dev1"},  {"dev1/m", "hub/dev1"}, {"dev1", "hub"},
        {"dev1/", "hub/dev1/"}, {"/m", "hub//m"},       {"dev1/m/x", "hub/dev1/m/x"},
        {"de v", "hub/de v"},   {"dev#", "hub/dev#"},   {"..", "hub/.."},
    };

    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_auto(MqttUser) user = {0};

        g_assert_false(parse(pairs[i].client_id, pairs[i].user_name, &user));
        g_assert_null(user.device);
    }
}

static void
test_parameters(void)
{
    g_auto(MqttUser) user = {0};

    g_assert_true(parse("dev1/mod",
                        "hub/dev1/mod/?api-version=2020-05-31-preview&DeviceClientType="
                        "streamd%2F1.0%20%28caps%3Dhalf-close%2Creason%2Cnonsense%29",
                        &user));
    g_assert_cmpstr(user.device, ==, "dev1");
    g_assert_cmpstr(user.module, ==, "mod");
    g_assert_cmpstr(user.api_version, ==, "2020-05-31-preview");
    g_assert_cmpint(user.type.caps, ==, CAP_HALF_CLOSE | CAP_REASON);
}

/* What goes into records is short and plain; what is not is left out, and the device let in. */
static void
test_strange_versions(void)
{
    static const char *const names[] = {
        "hub/dev1/?api-version=",
        "hub/dev1/?api-version=%0a",
        "hub/dev1/?api-version=<x>",
        "hub/dev1/?api-version=012345678901234567890123456789012",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_auto(MqttUser) user = {0};

        g_assert_true(parse("dev1", names[i], &user));
        g_assert_cmpstr(user.api_version, ==, "");
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mqtt-user/forms", test_forms);
    g_test_add_func("/mqtt-user/refused", test_refused);
    g_test_add_func("/mqtt-user/parameters", test_parameters);
    g_test_add_func("/mqtt-user/strange-versions", test_strange_versions);
    return g_test_run();
}
