/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/auth-json.h"

#include <string.h>

#define ONE "0102030405060708090A0B0C0D0E0F1011121314"
#define TWO ONE "15161718191A1B1C1D1E1F20"

static void
test_thumbprints(void)
{
    static const char *const good[] = {
        ONE,
        TWO,
        "01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14",
        "01:02030405060708090A0B0C0D0E0F1011121314",
    };
    static const char *const bad[] = {
        "",
        "-",
        "01",
        ONE "15",
        ONE "1",
        TWO "21",
        ":" ONE,
        ONE ":",
        "01::02030405060708090A0B0C0D0E0F1011121314",
        "0:102030405060708090A0B0C0D0E0F1011121314",
        "G102030405060708090A0B0C0D0E0F1011121314",
        " " ONE,
        ONE " ",
        "0x" ONE,
        "01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14",
    };

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        RegistryThumbprint found = {0};
        g_autofree char *text = NULL;

        g_assert_true(registry_thumbprint_parse(good[i], &found));
        text = registry_thumbprint_format(&found);
        g_assert_cmpstr(text, ==, i == 1 ? TWO : ONE);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        RegistryThumbprint found = {.len = 7};

        if (registry_thumbprint_parse(bad[i], &found))
            g_error("\"%s\" is a thumbprint", bad[i]);
        g_assert_cmpuint(found.len, ==, 7);
    }
}

static void
test_storage(void)
{
    static const char *const good[] = {"sas", "certificateAuthority", "selfSigned " ONE " -",
                                       "selfSigned - " ONE, "selfSigned " ONE " " TWO};
    static const char *const bad[] = {"",
                                      "keys",
                                      "SAS",
                                      "sas ",
                                      "sas " ONE,
                                      "certificateAuthority -",
                                      "selfSigned",
                                      "selfSigned " ONE,
                                      "selfSigned - -",
                                      "selfSigned " ONE " " ONE,
                                      "selfSigned " ONE " - -",
                                      "selfSigned " ONE "  -",
                                      "selfSigned x -"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        RegistryAuth auth = {0}, again = {0};
        g_autofree char *text = NULL;

        g_assert_true(registry_auth_parse(good[i], &auth));
        text = registry_auth_format(&auth);
        g_assert_cmpstr(text, ==, good[i]);
        g_assert_true(registry_auth_parse(text, &again) && registry_auth_equal(&auth, &again));
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        RegistryAuth auth = {.kind = REGISTRY_AUTH_AUTHORITY};

        if (registry_auth_parse(bad[i], &auth))
            g_error("\"%s\" is one", bad[i]);
        g_assert_cmpint(auth.kind, ==, REGISTRY_AUTH_AUTHORITY);
    }
}

static void
test_knows(void)
{
    guint8 sha1[20], sha256[32], other[32] = {0};
    RegistryAuth auth = {0};

    for (guint8 i = 0; i < 32; i++)
        sha256[i] = (guint8)(i + 1);
    memcpy(sha1, sha256, sizeof sha1);
    g_assert_true(registry_auth_parse("selfSigned " ONE " -", &auth));
    g_assert_true(registry_auth_knows(&auth, sha1, other));
    g_assert_false(registry_auth_knows(&auth, other, sha256));
    g_assert_true(registry_auth_parse("selfSigned - " TWO, &auth));
    g_assert_true(registry_auth_knows(&auth, other, sha256));
    g_assert_false(registry_auth_knows(&auth, sha1, other));
    auth.kind = REGISTRY_AUTH_AUTHORITY;
    g_assert_false(registry_auth_knows(&auth, sha1, sha256));
    g_assert_nonnull(registry_auth_fault(&auth));
    auth = (RegistryAuth){.kind = REGISTRY_AUTH_THUMBPRINT};
    g_assert_false(registry_auth_knows(&auth, other, other));
}

static gboolean
read_json(const char *text, RegistryAuth *ret, char **ret_why)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    return registry_auth_read(json_node_get_object(node), ret, ret_why);
}

static void
test_json(void)
{
    static const struct {
        const char *text, *auth, *why;
    } rows[] = {
        {"{}", "sas", NULL},
        {"{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":\"x\"}}", "sas", NULL},
        {"{\"type\":\"sas\",\"x509Thumbprint\":{\"primaryThumbprint\":null}}", "sas", NULL},
        {"{\"type\":\"certificateAuthority\"}", "certificateAuthority", NULL},
        {"{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"" ONE "\"}}",
         "selfSigned " ONE " -", NULL},
        {"{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"\","
         "\"secondaryThumbprint\":\"" TWO "\"}}",
         "selfSigned - " TWO, NULL},
        {"{\"type\":\"selfSigned\"}", NULL, "needs a thumbprint"},
        {"{\"type\":\"selfSigned\",\"x509Thumbprint\":7}", NULL, "needs a thumbprint"},
        {"{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":7}}", NULL,
         "primaryThumbprint is the SHA-1"},
        {"{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"secondaryThumbprint\":\"12\"}}", NULL,
         "secondaryThumbprint is the SHA-1"},
        {"{\"type\":\"none\"}", NULL, "the type of authentication is"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        RegistryAuth auth = {0}, again = {0};
        g_autofree char *why = NULL, *text = NULL, *json = NULL;
        g_autoptr(JsonBuilder) builder = json_builder_new();
        g_autoptr(JsonNode) root = NULL;

        g_assert_cmpint(read_json(rows[i].text, &auth, &why), ==, rows[i].auth != NULL);
        if (!rows[i].auth) {
            g_assert_nonnull(strstr(why, rows[i].why));
            continue;
        }
        text = registry_auth_format(&auth);
        g_assert_cmpstr(text, ==, rows[i].auth);
        json_builder_begin_object(builder);
        registry_auth_build(builder, "authentication", &auth);
        json_builder_end_object(builder);
        root = json_builder_get_root(builder);
        json = json_to_string(json_object_get_member(json_node_get_object(root), "authentication"),
                              FALSE);
        g_assert_true(read_json(json, &again, &why));
        g_assert_true(registry_auth_equal(&auth, &again));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-auth/thumbprints", test_thumbprints);
    g_test_add_func("/device-auth/storage", test_storage);
    g_test_add_func("/device-auth/knows", test_knows);
    g_test_add_func("/device-auth/json", test_json);
    return g_test_run();
}
