/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/connection-string.h"

#include "common/base/secret.h"

#include <string.h>

#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/* These come back from parse and format as they are. */
static const char *const canonical[] = {
    "HostName=hub.example;DeviceId=dev1;SharedAccessKey=" KEY,
    "HostName=hub.example:8443;DeviceId=dev1;SharedAccessKey=" KEY,
    "HostName=127.0.0.1:18883;DeviceId=a.b_c:d-e;ModuleId=m;SharedAccessKey=" KEY,
    "HostName=hub.example;DeviceId=dev1;x509=true",
    "HostName=hub.example;DeviceId=dev1;ModuleId=m;x509=true",
    "HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=" KEY,
    "HostName=hub.example;DeviceId=d;SharedAccessKey=" KEY ";GatewayHostName=gw",
    "HostName=hub.example;DeviceId=d;x509=true;GatewayHostName=gw.local:18883",
};

static void
test_round_trip(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(canonical); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ConnectionString) parts = connection_string_parse(canonical[i], -1, &error);
        g_auto(SecretText) text = NULL;

        g_assert_no_error(error);
        text = connection_string_format(parts);
        g_assert_cmpstr(text, ==, canonical[i]);
    }
}

static void
test_fields(void)
{
    g_autoptr(ConnectionString) parts = connection_string_parse(
        " \t SharedAccessKey=" KEY ";ModuleId=m;HostName=Hub.Example:8443;DeviceId=d;"
        "GatewayHostName=gw:1;\r\n",
        -1, NULL);

    g_assert_nonnull(parts);
    g_assert_cmpstr(parts->host, ==, "Hub.Example");
    g_assert_cmpuint(parts->port, ==, 8443);
    g_assert_cmpstr(parts->device_id, ==, "d");
    g_assert_cmpstr(parts->module_id, ==, "m");
    g_assert_null(parts->policy);
    g_assert_cmpstr(parts->key, ==, KEY);
    g_assert_false(parts->x509);
    g_assert_cmpstr(parts->gateway, ==, "gw");
    g_assert_cmpuint(parts->gateway_port, ==, 1);
}

static void
test_defaults(void)
{
    g_autoptr(ConnectionString) parts =
        connection_string_parse("HostName=h;DeviceId=d;x509=true#", 31, NULL);

    g_assert_nonnull(parts);
    g_assert_cmpuint(parts->port, ==, 443);
    g_assert_null(parts->gateway);
    g_assert_null(parts->key);
    g_assert_true(parts->x509);
    connection_string_free(NULL);
}

/* `says` is what the message has to name. */
static const struct {
    const char *text;
    const char *says;
} faults[] = {
    {"", "part 1"},
    {"   ", "part 1"},
    {"HostName", "part 1"},
    {"HostName=h", "either DeviceId"},
    {"HostName=;DeviceId=d;x509=true", "empty HostName"},
    {"DeviceId=d;SharedAccessKey=" KEY, "no HostName"},
    {"HostName=h;DeviceId=d", "SharedAccessKey or x509"},
    {"HostName=h;DeviceId=d;x509=true;SharedAccessKey=" KEY, "SharedAccessKey or x509"},
    {"HostName=h;SharedAccessKeyName=p", "SharedAccessKey or x509"},
    {"HostName=h;SharedAccessKeyName=p;x509=true", "user needs SharedAccessKey"},
    {"HostName=h;DeviceId=d;SharedAccessKeyName=p;SharedAccessKey=" KEY, "either DeviceId"},
    {"HostName=h;ModuleId=m;SharedAccessKeyName=p;SharedAccessKey=" KEY, "without a DeviceId"},
    {"HostName=h;HostName=h;DeviceId=d;x509=true", "HostName twice"},
    {"HostName=h;DeviceId=d;SharedAccessKey=" KEY ";SharedAccessKey=" KEY, "SharedAccessKey twice"},
    {"HostName=h;;DeviceId=d;x509=true", "part 2"},
    {"HostName=h;DeviceId=d;x509=true;;", "part 4"},
    {"HostName=h;DeviceId=d;x509=false", "x509"},
    {"HostName=h;DeviceId=d;x509=True", "x509"},
    {"hostname=h;DeviceId=d;x509=true", "\"hostname\""},
    {"HostName=h;Foo=bar;DeviceId=d;x509=true", "\"Foo\""},
    {"HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=x",
     "\"SharedAccessSignature\""},
    {"HostName=h;Device Id=d;x509=true", "malformed name in part 2"},
    {"HostName=h;DeviceId=a b;x509=true", "malformed DeviceId"},
    {"HostName=h;DeviceId= ;x509=true", "empty DeviceId"},
    {"\xff\xfeH", "UTF-16"},
    {"HostName=h:0;DeviceId=d;x509=true", "port in HostName"},
    {"HostName=h:65536;DeviceId=d;x509=true", "port in HostName"},
    {"HostName=h:;DeviceId=d;x509=true", "port in HostName"},
    {"HostName=h:1:2;DeviceId=d;x509=true", "port in HostName"},
    {"HostName=h:080;DeviceId=d;x509=true", "port in HostName"},
    {"HostName=[::1]:443;DeviceId=d;x509=true", "IPv6 address as HostName"},
    {"HostName=[fe80:0:0:0:0:0:0:1];DeviceId=d;x509=true", "IPv6 address as HostName"},
    {"HostName=2001:db8::1;DeviceId=d;x509=true", "IPv6 address as HostName"},
    {"HostName=https://h.example/;DeviceId=d;x509=true", "URL as HostName"},
    {"HostName=:443;DeviceId=d;x509=true", "malformed HostName"},
    {"HostName=https//h;DeviceId=d;x509=true", "URL as HostName"},
    {"HostName=a b;DeviceId=d;x509=true", "malformed HostName"},
    {"HostName=h;DeviceId=d;x509=true;GatewayHostName=g/", "URL as GatewayHostName"},
    {"HostName=h;DeviceId=a/b;x509=true", "malformed DeviceId"},
    {"HostName=h;DeviceId=;x509=true", "empty DeviceId"},
    {"HostName=h;DeviceId=d;ModuleId=a b;x509=true", "malformed ModuleId"},
    {"HostName=h;SharedAccessKeyName=a+b;SharedAccessKey=" KEY, "malformed SharedAccessKeyName"},
};

static void
test_faults(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autoptr(GError) error = NULL;

        g_test_message("%s", faults[i].text);
        g_assert_null(connection_string_parse(faults[i].text, -1, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, faults[i].says));
        g_assert_null(strstr(error->message, "MDEy"));
    }
}

/* What editors, mail programs, chats and shells make of it. */
static void
test_as_pasted(void)
{
    static const char *const texts[] = {
        "\xef\xbb\xbfHostName=h;DeviceId=d;SharedAccessKey=" KEY,
        "\"HostName=h;DeviceId=d;SharedAccessKey=" KEY "\"\r\n",
        " 'HostName=h;DeviceId=d;SharedAccessKey=" KEY "' ",
        "\xe2\x80\x9cHostName=h;DeviceId=d;SharedAccessKey=" KEY "\xe2\x80\x9d",
        "HostName = h; DeviceId=d ;\tSharedAccessKey=" KEY " ;",
        "> HostName=h;DeviceId=d;\r\n> SharedAccessKey=" KEY "\r\n>\r\n",
        ">> HostName=h;Device\n>>Id=d;SharedAccessKey=" KEY,
        "HostName=h;DeviceId=d;Shared\n   AccessKey=" KEY "\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ConnectionString) parts = connection_string_parse(texts[i], -1, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(parts->host, ==, "h");
        g_assert_cmpstr(parts->device_id, ==, "d");
        g_assert_cmpstr(parts->key, ==, KEY);
    }
}

/* However a key gets into the wrong place, no part of it is in the message. */
static void
test_messages_hold_no_key(void)
{
    static const char *const texts[] = {
        "HostName=h;DeviceId=d;SharedAccessKey=canaryCanaryCanaryCanary!",
        "HostName=h;DeviceId=d;SharedAccessKey=canaryCanaryCanaryCanaryC",
        "HostName=h;DeviceId=d;SharedAccessKey=",
        "HostName=h;DeviceId=d;canaryCanaryCanaryCanary==",
        "HostName=h;DeviceId=d;canaryCanaryCanaryCana==",
        "HostName=h;DeviceId=d;SharedAccessKey:canaryCanaryCanaryCanary=",
        "HostName=h;DeviceId=d;canary/Canary+=",
        "canaryCanaryCanaryCanary",
        "HostName=h;DeviceId=d;x509=canaryCanaryCanary",
        "HostName=canary+Canary/Canary=;DeviceId=d;x509=true",
        "HostName=h:canary;DeviceId=d;x509=true",
        "HostName=h;DeviceId=canary+Canary/Canary=;x509=true",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(connection_string_parse(texts[i], -1, &error));
        g_test_message("%s", error->message);
        g_assert_null(strstr(error->message, "anary"));
    }
}

static void
test_limits(void)
{
    g_autofree char *fill = g_strnfill(CONNECTION_STRING_MAX + 1, 'a');
    g_autofree char *good = NULL;
    g_autofree char *bad = NULL;
    g_autoptr(ConnectionString) parts = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_null(connection_string_parse(fill, -1, &error));
    g_assert_nonnull(strstr(error->message, "longer than"));
    good = g_strdup_printf("HostName=%.*s;DeviceId=d;x509=true", CONNECTION_STRING_HOST_MAX, fill);
    bad =
        g_strdup_printf("HostName=%.*s;DeviceId=d;x509=true", CONNECTION_STRING_HOST_MAX + 1, fill);
    parts = connection_string_parse(good, -1, NULL);
    g_assert_nonnull(parts);
    g_assert_null(connection_string_parse(bad, -1, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/connection-string/round-trip", test_round_trip);
    g_test_add_func("/connection-string/fields", test_fields);
    g_test_add_func("/connection-string/defaults", test_defaults);
    g_test_add_func("/connection-string/faults", test_faults);
    g_test_add_func("/connection-string/as-pasted", test_as_pasted);
    g_test_add_func("/connection-string/no-key", test_messages_hold_no_key);
    g_test_add_func("/connection-string/limits", test_limits);
    return g_test_run();
}
