/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device says of itself: what is read of it, whatever it is. */
#include "common/extension/client-type.h"

#include <string.h>

#define INSTANCE "0123456789abcdef"

static const struct {
    const char *text, *name, *instance;
    Caps caps;
} cases[] = {
    {NULL, NULL, "", 0},
    {"", NULL, "", 0},
    {"streamd/1.0", "streamd/1.0", "", 0},
    {"streamd/1.0 (caps=reason,notice)", "streamd/1.0", "", CAP_REASON | CAP_NOTICE},
    {"streamd/1.0 (caps=reason) (instance=" INSTANCE ")", "streamd/1.0", INSTANCE, CAP_REASON},
    {"streamd/1.0 (instance=" INSTANCE ") (caps=reason)", "streamd/1.0", INSTANCE, CAP_REASON},
    {"(instance=" INSTANCE ")", NULL, INSTANCE, 0},
    {"x(instance=" INSTANCE ")y", "x", INSTANCE, 0},
    {"x (instance=" INSTANCE, "x", "", 0},
    {"x (instance=" INSTANCE "0)", "x", "", 0},
    {"x (instance=0123456789abcde)", "x", "", 0},
    {"x (instance=0123456789ABCDEF)", "x", "", 0},
    {"x (instance=0123456789abcdeg)", "x", "", 0},
    {"x (instance=)", "x", "", 0},
    {"x (instance=", "x", "", 0},
    {"azure-iot-device/1.18.4 (node v20)", "azure-iot-device/1.18.4 (node v20)", "", 0},
    {" a\x1b[1m\n\xff ", "a?[1m??", "", 0},
};

static void
test_read(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ClientType) type = {0};

        g_test_message("case %u", i);
        client_type_parse(cases[i].text, &type);
        g_assert_cmpstr(type.name, ==, cases[i].name);
        g_assert_cmpstr(type.instance, ==, cases[i].instance);
        g_assert_cmpint(type.caps, ==, cases[i].caps);
    }
}

static void
test_name_bound(void)
{
    for (guint over = 0; over < 2; over++) {
        g_autofree char *text = g_strnfill(CLIENT_NAME_MAX + over, 'n');
        g_auto(ClientType) type = {0};

        client_type_parse(text, &type);
        g_assert_cmpuint(strlen(type.name), ==, CLIENT_NAME_MAX);
    }
}

/* What is written is read back, also by a hub that knows capabilities alone. */
static void
test_written(void)
{
    char instance[INSTANCE_LEN + 1], other[INSTANCE_LEN + 1];
    g_autofree char *text = NULL, *plain = client_type_format("1.0", CAP_REASON, NULL);
    g_auto(ClientType) type = {0};

    instance_make(instance);
    instance_make(other);
    g_assert_cmpstr(instance, !=, other);
    text = client_type_format("1.0", CAPS_ALL, instance);
    client_type_parse(text, &type);
    g_assert_cmpstr(type.instance, ==, instance);
    g_assert_cmpstr(type.name, ==, "streamd/1.0");
    g_assert_cmpint(type.caps, ==, CAPS_ALL);
    g_assert_cmpint(caps_from_client_type(text), ==, CAPS_ALL);
    g_assert_cmpstr(plain, ==, "streamd/1.0 (caps=reason)");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/client-type/read", test_read);
    g_test_add_func("/client-type/name-bound", test_name_bound);
    g_test_add_func("/client-type/written", test_written);
    return g_test_run();
}
