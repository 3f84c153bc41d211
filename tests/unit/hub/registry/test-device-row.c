/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/secret.h"
#include "hub/registry/device-row.h"

#include <string.h>

#define KEY "AAECAwQFBgcICQoLDA0ODw==" /* 16 bytes */

static DeviceRow *
parse(const char *text, char **ret_why)
{
    /* In memory of its own size, so that a byte too many is seen by the sanitizer. */
    g_autofree char *copy = g_memdup2(text, strlen(text));

    return device_row_parse(copy, strlen(text), ret_why);
}

/* What is good, and as what it is written again. */
static void
test_good(void)
{
    static const struct {
        const char *text, *written;
        DeviceRowFields fields;
    } rows[] = {
        {"{\"id\":\"gw-1\"}", "{\"id\":\"gw-1\",\"status\":\"enabled\"}\n", 0},
        {" { \"id\" : \"gw-1\" , \"module\" : \"m\" } ",
         "{\"id\":\"gw-1\",\"module\":\"m\",\"status\":\"enabled\"}\n", 0},
        {"{\"status\":\"disabled\",\"id\":\"gw\\u002d1\"}",
         "{\"id\":\"gw-1\",\"status\":\"disabled\"}\n", DEVICE_ROW_STATUS},
        {"{\"id\":\"a\",\"tags\":{}}", "{\"id\":\"a\",\"status\":\"enabled\"}\n", DEVICE_ROW_TAGS},
        {"{\"id\":\"a\",\"tags\":{\"z\":\"\",\"site\":\"a=b\"}}",
         "{\"id\":\"a\",\"status\":\"enabled\",\"tags\":{\"site\":\"a=b\",\"z\":\"\"}}\n",
         DEVICE_ROW_TAGS},
        {"{\"id\":\"a\",\"comment\":\"\\\"\\\\\\/\\ud83d\\ude00 \xc3\xa4\"}",
         "{\"id\":\"a\",\"status\":\"enabled\",\"comment\":\"\\\"\\\\/\xf0\x9f\x98\x80 "
         "\xc3\xa4\"}\n",
         DEVICE_ROW_COMMENT},
        {"{\"id\":\"a\",\"comment\":\"\"}", "{\"id\":\"a\",\"status\":\"enabled\"}\n",
         DEVICE_ROW_COMMENT},
        {"{\"id\":\"a\",\"auth\":\"sas\"}", "{\"id\":\"a\",\"status\":\"enabled\"}\n",
         DEVICE_ROW_AUTH},
        {"{\"id\":\"a\",\"module\":\"m\",\"auth\":\"certificateAuthority\"}",
         "{\"id\":\"a\",\"module\":\"m\",\"status\":\"enabled\",\"auth\":\"certificateAuthority\"}"
         "\n",
         DEVICE_ROW_AUTH},
        {"{\"id\":\"a\",\"auth\":\"selfSigned 00112233445566778899AABBCCDDEEFF00112233 -\"}",
         "{\"id\":\"a\",\"status\":\"enabled\",\"auth\":"
         "\"selfSigned 00112233445566778899AABBCCDDEEFF00112233 -\"}\n",
         DEVICE_ROW_AUTH},
        {"{\"id\":\"a\",\"keys\":{}}", "{\"id\":\"a\",\"status\":\"enabled\"}\n", 0},
        {"{\"id\":\"a\",\"keys\":{\"secondary\":\"" KEY "\"}}",
         "{\"id\":\"a\",\"status\":\"enabled\"}\n", DEVICE_ROW_SECONDARY},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *why = NULL;
        g_autoptr(DeviceRow) row = parse(rows[i].text, &why);
        g_autoptr(GString) out = g_string_new(NULL);

        g_test_message("%s", rows[i].text);
        g_assert_nonnull(row);
        g_assert_null(why);
        g_assert_cmpuint(row->fields, ==, rows[i].fields);
        device_row_append(out, row->device, FALSE);
        g_assert_cmpstr(out->str, ==, rows[i].written);
    }
}

static void
test_keys(void)
{
    static const char text[] = "{\"id\":\"a\",\"status\":\"enabled\",\"keys\":{\"primary\":\"" KEY
                               "\",\"secondary\":\"AQECAwQFBgcICQoLDA0ODw==\"}}";
    g_autofree char *why = NULL;
    g_autoptr(DeviceRow) row = parse(text, &why);
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_nonnull(row);
    g_assert_cmpuint(row->fields, ==, DEVICE_ROW_KEYS | DEVICE_ROW_STATUS);
    g_assert_cmpuint(row->device->primary.len, ==, 16);
    g_assert_cmpuint(row->device->primary.bytes[1], ==, 1);
    device_row_append(out, row->device, TRUE);
    g_string_truncate(out, out->len - 1);
    g_assert_cmpstr(out->str, ==, text);
}

static void
test_bad(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "not JSON"},
        {"gw-1", "not JSON"},
        {"{\"id\":\"a\"", "not JSON"},
        {"{\"id\":\"a\",\"id\":\"b\"}", "not JSON"},
        {"[]", "a line must be an object"},
        {"{}", "\"id\" is missing"},
        {"{\"id\":7}", "\"id\" must be text"},
        {"{\"id\":\"a b\"}", "letters, digits"},
        {"{\"id\":\"\"}", "letters, digits"},
        {"{\"id\":\"a\",\"module\":\"\"}", "letters, digits"},
        {"{\"id\":\"a\",\"status\":\"on\"}", "\"enabled\" or \"disabled\""},
        {"{\"id\":\"a\",\"status\":null}", "\"status\" must be text"},
        {"{\"id\":\"a\",\"Id\":\"b\"}", "and nothing else"},
        {"{\"id\":\"a\",\"tags\":[\"x=y\"]}", "\"tags\" must be an object"},
        {"{\"id\":\"a\",\"tags\":{\"x\":1}}", "\"x\" must be text"},
        {"{\"id\":\"a\",\"tags\":{\"x y\":\"1\"}}", "key"},
        {"{\"id\":\"a\",\"tags\":{\"x\":\"\\n\"}}", "control"},
        {"{\"id\":\"a\",\"comment\":\"\\t\"}", "comment"},
        {"{\"id\":\"a\",\"module\":\"m\",\"comment\":\"x\"}",
         "a module has the tags of its device"},
        {"{\"id\":\"a\",\"module\":\"m\",\"tags\":{\"x\":\"1\"}}",
         "a module has the tags of its device"},
        {"{\"id\":\"a\",\"auth\":\"none\"}", "\"certificateAuthority\", or"},
        {"{\"id\":\"a\",\"auth\":\"selfSigned\"}", "thumbprints behind it"},
        {"{\"id\":\"a\",\"auth\":\"selfSigned AB\"}", "thumbprints behind it"},
        {"{\"id\":\"a\",\"keys\":\"x\"}", "\"keys\" must be an object"},
        {"{\"id\":\"a\",\"keys\":{\"third\":\"x\"}}", "\"primary\" and \"secondary\""},
        {"{\"id\":\"a\",\"keys\":{\"primary\":\"AAEC\"}}", "Base64 of 16 to 64 bytes"},
        {"{\"id\":\"a\",\"keys\":{\"primary\":\"" KEY "=\"}}", "Base64 of 16 to 64 bytes"},
        {"{\"id\":\"a\",\"keys\":{\"primary\":\"\"}}", "Base64 of 16 to 64 bytes"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *why = NULL;
        g_autoptr(DeviceRow) row = parse(rows[i].text, &why);

        g_test_message("%s: %s", rows[i].text, why);
        g_assert_null(row);
        g_assert_nonnull(why);
        g_assert_nonnull(strstr(why, rows[i].says));
    }
}

/* Of the longest line, and one byte more. */
static void
test_longest(void)
{
    g_autoptr(GString) text = g_string_new("{\"id\":\"a\"");
    g_autofree char *why = NULL;
    g_autoptr(DeviceRow) row = NULL;

    while (text->len + 1 < DEVICE_ROW_MAX)
        g_string_append_c(text, ' ');
    g_string_append_c(text, '}');
    row = parse(text->str, &why);
    g_assert_nonnull(row);
    g_string_append_c(text, ' ');
    g_assert_null(parse(text->str, &why));
    g_assert_nonnull(strstr(why, "too large"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-row/good", test_good);
    g_test_add_func("/device-row/keys", test_keys);
    g_test_add_func("/device-row/bad", test_bad);
    g_test_add_func("/device-row/longest", test_longest);
    return g_test_run();
}
