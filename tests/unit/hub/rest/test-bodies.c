/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bodies of the registry's REST: what is read of them, what is wrong with the others, what is
 * written, and that keys do not stay in them. */
#include "common/base/secret.h"
#include "common/codec/json-guard.h"
#include "hub/rest/condition.h"
#include "hub/rest/identity.h"
#include "hub/rest/items.h"
#include "hub/rest/keys.h"
#include "hub/rest/twin.h"

#include <string.h>

#define KEY "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=" /* 32 times k */
#define PRINT "ABABABABABABABABABABABABABABABABABABABAB"
#define SHORT "a2tra2tra2tra2tra2s=" /* 14 */
#define WITH(primary) "{\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"" primary "\"}}}"

static void
test_conditions(void)
{
    static const struct {
        const char *field;
        Condition condition;
        guint64 etag;
    } rows[] = {
        {NULL, CONDITION_NONE, 7},
        {"*", CONDITION_ANY, 7},
        {"\"*\"", CONDITION_ANY, 7},
        {" \"12\" ", CONDITION_ETAG, 12},
        {"12", CONDITION_ETAG, 12},
        {"\"18446744073709551615\"", CONDITION_ETAG, G_MAXUINT64},
        {"\"18446744073709551616\"", CONDITION_ETAG, 0},
        {"\"0\"", CONDITION_ETAG, 0},
        {"\"-1\"", CONDITION_ETAG, 0},
        {"\"AAAAAAE=\"", CONDITION_ETAG, 0},
        {"W/\"12\"", CONDITION_ETAG, 0},
        {"", CONDITION_FAULT, 7},
        {"\"\"", CONDITION_FAULT, 7},
        {"\"", CONDITION_FAULT, 7},
        {"\"1\", \"2\"", CONDITION_FAULT, 7},
        {"1,2", CONDITION_FAULT, 7},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 etag = 7;

        g_assert_cmpint(condition_parse(rows[i].field, &etag), ==, rows[i].condition);
        g_assert_cmpuint(etag, ==, rows[i].etag);
    }
}

/* Every key is gone from the text, which is JSON as before; other texts stay. */
static void
test_keys(void)
{
    g_autofree char *text = g_strdup(
        "[{\"symmetricKey\" : { \"primaryKey\" :\"" KEY "\",\"secondaryKey\":\"" SHORT
        "\"}, \"tags\":{\"primaryKey\":\"stays here\"}},"
        "{\"symmetricKey\":[{\"primaryKey\":\"not\\\"in it\"}],\"primaryKey\":\"nor here\"},"
        "{\"symmetricKey\":{\"primaryKey\":\"x\",\"secondaryKey\":null}}]");
    g_autoptr(RestKeys) keys = rest_keys_take(text, strlen(text));
    RegistryKey key = {0};

    g_assert_cmpint(json_guard_check(text, strlen(text), NULL, NULL), ==, JSON_GUARD_OK);
    g_assert_null(strstr(text, "a2tr"));
    g_assert_nonnull(strstr(text, "stays here"));
    g_assert_nonnull(strstr(text, "nor here"));
    g_assert_nonnull(strstr(text, "\"x\""));
    g_assert_nonnull(strstr(text, "\"#0000 "));
    g_assert_true(rest_keys_find(keys, "#0000  ", &key));
    g_assert_cmpuint(key.len, ==, 32);
    g_assert_cmpint(key.bytes[31], ==, 'k');
    g_assert_false(rest_keys_find(keys, "#0001", &key)); /* too short */
    g_assert_false(rest_keys_find(keys, "#0002", &key));
    g_assert_false(rest_keys_find(keys, "#00", &key));
    g_assert_false(rest_keys_find(keys, "", &key));
    g_assert_false(rest_keys_find(keys, "0000", &key));
    g_assert_false(rest_keys_find(keys, KEY, &key));
}

static gboolean
parse_identity(const char *text, const char *module, RegistryWrite *write, char **why)
{
    g_autofree char *body = g_strdup(text);

    return identity_parse(body, strlen(body), "gw-1", module, write, why);
}

static void
test_identities(void)
{
    static const struct {
        const char *body, *module, *why; /* WHY NULL: it is one */
    } rows[] = {
        {"{}", NULL, NULL},
        {"{\"deviceId\":\"gw-1\",\"status\":\"Disabled\",\"statusReason\":\"x\"}", NULL, NULL},
        {"{\"moduleId\":\"m\",\"managedBy\":\"x\",\"authentication\":null}", "m", NULL},
        {"{\"authentication\":{\"type\":\"sas\",\"x509Thumbprint\":{\"primaryThumbprint\":\"\"}}}",
         NULL, NULL},
        {WITH(KEY), NULL, NULL},
        {WITH(""), NULL, NULL},
        {WITH("x"), NULL, "primaryKey is base64"},
        {WITH(SHORT), NULL, "primaryKey is base64"},
        {WITH("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"), NULL, "primaryKey is base64"},
        {"{\"authentication\":{\"symmetricKey\":{\"primary\\u004bey\":\"" KEY "\"}}}", NULL,
         "primaryKey is base64"},
        {"{\"deviceId\":\"gw-2\"}", NULL, "deviceId is 'gw-2' in the body, and 'gw-1' in the path"},
        {"{\"moduleId\":\"m\"}", NULL, "moduleId stands in the body, and not in the path"},
        {"{\"moduleId\":\"n\"}", "m", "'n' in the body"},
        {"{\"status\":true}", NULL, "status is a text"},
        {"{\"status\":\"x\"}", NULL, "enabled or disabled"},
        {"{\"statusReason\":[]}", NULL, "statusReason is a text"},
        {"{\"authentication\":\"sas\"}", NULL, "authentication is an object"},
        {"{\"authentication\":{\"type\":\"certificateAuthority\"}}", NULL, NULL},
        {"{\"authentication\":{\"type\":\"selfSigned\",\"x509Thumbprint\":"
         "{\"primaryThumbprint\":\"" PRINT "\",\"secondaryThumbprint\":null}}}",
         NULL, NULL},
        {"{\"authentication\":{\"type\":\"selfSigned\"}}", NULL, "needs a thumbprint"},
        {"{\"authentication\":{\"type\":\"selfSigned\",\"x509Thumbprint\":"
         "{\"primaryThumbprint\":\"AB\"}}}",
         NULL, "hexadecimal"},
        {"{\"authentication\":{\"type\":\"sas\",\"x509Thumbprint\":"
         "{\"primaryThumbprint\":\"" PRINT "\"}}}",
         NULL, "Only a device of the type selfSigned"},
        {"{\"authentication\":{\"x509Thumbprint\":1}}", NULL, "x509Thumbprint is an object"},
        {"{\"authentication\":{\"type\":\"none\"}}", NULL, "sas, selfSigned or"},
        {"{\"authentication\":{\"type\":1}}", NULL, "type is a text"},
        {"{\"authentication\":{\"symmetricKey\":1}}", NULL, "symmetricKey is an object"},
        {"{\"authentication\":{\"x509Thumbprint\":{\"secondaryThumbprint\":\"A\"}}}", NULL,
         "Only a device of the type selfSigned"},
        {"{\"capabilities\":{\"iotEdge\":true}}", NULL, "iotEdge is false"},
        {"{\"what\":1}", NULL, "'what' is no member of a device"},
        {"[]", NULL, "The body is an object"},
        {"", NULL, "no JSON"},
        {"{\"status\":\"enabled\",\"status\":\"enabled\"}", NULL, "no JSON"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(RegistryWrite) write = {.etag = 77};
        g_autofree char *why = NULL;
        gboolean ok = parse_identity(rows[i].body, rows[i].module, &write, &why);

        g_assert_cmpint(ok, ==, rows[i].why == NULL);
        g_assert_cmpint(why == NULL, ==, ok);
        if (why && !strstr(why, rows[i].why))
            g_error("%s: %s", rows[i].body, why);
        g_assert_cmpuint(write.etag, ==, 77);
        if (!ok) /* untouched */
            g_assert_true(write.primary.len == 0 && !write.comment && write.status == 0);
        if (g_strcmp0(rows[i].body, WITH(KEY)) == 0)
            g_assert_cmpuint(write.primary.len, ==, 32);
    }
}

static void
test_twins(void)
{
    static const struct {
        const char *body;
        const char *put, *removed; /* joined by commas; PUT NULL: none at all */
        const char *why;
    } rows[] = {
        {"{}", NULL, NULL, NULL},
        {"{\"tags\":{}}", NULL, NULL, NULL},
        {"{\"tags\":{\"a\":\"1\",\"b\":null,\"c\":\"\"}}", "a=1,c=", "b", NULL},
        {"{\"deviceId\":\"gw-1\",\"etag\":\"x\",\"version\":3,\"properties\":{\"desired\":"
         "{\"$version\":1},\"reported\":null}}",
         NULL, NULL, NULL},
        {"{\"tags\":{\"a\":{}}}", NULL, NULL, "flat"},
        {"{\"tags\":{\"a\":1}}", NULL, NULL, "flat"},
        {"{\"tags\":[]}", NULL, NULL, "tags is an object"},
        {"{\"properties\":{\"desired\":{\"a\":1}}}", NULL, NULL, "no properties"},
        {"{\"properties\":{\"reported\":1}}", NULL, NULL, "no properties"},
        {"{\"deviceId\":\"gw-2\"}", NULL, NULL, "in the path"},
        {"{\"moduleId\":\"m\"}", NULL, NULL, "in the path"},
        {"{\"tag\":1}", NULL, NULL, "no member of a twin"},
        {"5", NULL, NULL, "The body is an object"},
        {"{", NULL, NULL, "no JSON"},
    };

    for (gsize i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        gboolean replaces = i >= G_N_ELEMENTS(rows);
        const gsize row = i % G_N_ELEMENTS(rows);
        g_auto(RegistryWrite) write = {0};
        g_autofree char *why = NULL, *put = NULL, *removed = NULL;
        gboolean ok = twin_parse(rows[row].body, strlen(rows[row].body), replaces, "gw-1", NULL,
                                 &write, &why);

        g_assert_cmpint(ok, ==, rows[row].why == NULL);
        if (why && !strstr(why, rows[row].why))
            g_error("%s: %s", rows[row].body, why);
        put = write.tags ? g_strjoinv(",", write.tags) : NULL;
        removed = write.no_tags ? g_strjoinv(",", write.no_tags) : NULL;
        g_assert_cmpstr(put, ==, rows[row].put);
        g_assert_cmpstr(removed, ==, rows[row].removed);
        g_assert_cmpint(write.replace, ==, ok && replaces);
    }
}

static void
test_items(void)
{
    static const struct {
        const char *item, *operation, *why;
        RegistryWriteMode mode;
        guint64 etag; /* 0: without a condition */
    } rows[] = {
        {"{\"id\":\"a\"}", "createOrUpdate", NULL, REGISTRY_WRITE_EITHER, 0},
        {"{\"id\":\"a\",\"importMode\":\"CREATE\"}", "create", NULL, REGISTRY_WRITE_CREATE, 0},
        {"{\"id\":\"a\",\"importMode\":\"updateIfMatchETag\",\"eTag\":\"5\"}", "updateIfMatchETag",
         NULL, REGISTRY_WRITE_UPDATE, 5},
        {"{\"id\":\"a\",\"importMode\":\"deleteIfMatchETag\",\"etag\":\"5\"}", "deleteIfMatchETag",
         NULL, REGISTRY_WRITE_REMOVE, 5},
        {"{\"id\":\"a\",\"importMode\":\"deleteIfMatchETag\",\"etag\":\"*\"}", "deleteIfMatchETag",
         NULL, REGISTRY_WRITE_REMOVE, 0},
        {"{\"id\":\"a\",\"importMode\":\"updateTwinIfMatchETag\",\"twinETag\":\"5\",\"etag\":"
         "\"6\"}",
         "updateTwinIfMatchETag", NULL, REGISTRY_WRITE_UPDATE, 5},
        {"{\"id\":\"a\",\"importMode\":\"updateTwinIfMatchETag\",\"etag\":\"6\"}",
         "updateTwinIfMatchETag", "twinETag is missing", 0, 0},
        {"{\"id\":\"a\",\"importMode\":\"updateIfMatchETag\"}", "updateIfMatchETag",
         "eTag is missing", 0, 0},
        {"{\"id\":\"a\",\"importMode\":\"x\"}", "createOrUpdate", "no 'x'", 0, 0},
        {"{\"id\":5}", "createOrUpdate", "id is a text", 0, 0},
        {"{\"id\":\"\"}", "createOrUpdate", "id is missing", 0, 0},
        {"7", "createOrUpdate", "is an object", 0, 0},
        {"{\"id\":\"a\",\"tags\":{\"b\":1}}", "createOrUpdate", "flat", 0, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *body = g_strdup_printf("[%s]", rows[i].item), *why = NULL;
        g_autoptr(GPtrArray) items = items_parse(body, strlen(body), &why);
        const Item *item = items->pdata[0];

        g_assert_cmpstr(item->operation, ==, rows[i].operation);
        g_assert_cmpint(item->why == NULL, ==, rows[i].why == NULL);
        if (item->why) {
            g_assert_nonnull(strstr(item->why, rows[i].why));
            continue;
        }
        g_assert_cmpint(item->write.mode, ==, rows[i].mode);
        g_assert_cmpint(item->write.conditional, ==, rows[i].etag != 0);
        g_assert_cmpuint(item->write.conditional ? item->write.etag : 0, ==, rows[i].etag);
    }
}

/* What is written is JSON, has what is to be seen, and a key only where it may be seen. */
static void
test_written(void)
{
    g_autoptr(RegistryTags) tags = registry_tags_parse("a=\"\\\nb=x");
    RegistryDevice device = {.id = (char *)"gw-1",
                             .module = (char *)"m",
                             .etag = G_MAXUINT64,
                             .generation_id = 1,
                             .comment = (char *)"\"quoted\" \\ é",
                             .tags = tags};

    device.primary.len = device.secondary.len = 32;
    memset(device.primary.bytes, 'k', 32);
    for (guint keys = 0; keys < 2; keys++) {
        g_auto(SecretString) out = g_string_sized_new(8);

        identity_append(&out, &device, TRUE, keys == 1);
        g_assert_cmpint(json_guard_check(out->str, out->len, NULL, NULL), ==, JSON_GUARD_OK);
        g_assert_cmpint(strstr(out->str, KEY) != NULL, ==, keys == 1);
        g_assert_nonnull(strstr(out->str, "\"etag\":\"18446744073709551615\""));
        g_assert_nonnull(strstr(out->str, "\"statusReason\":\"\\\"quoted\\\" \\\\ é\""));
    }
    {
        g_autoptr(GString) out = g_string_new(NULL);

        twin_append(out, &device, FALSE);
        g_assert_cmpint(json_guard_check(out->str, out->len, NULL, NULL), ==, JSON_GUARD_OK);
        g_assert_nonnull(strstr(out->str, "\"tags\":{\"a\":\"\\\"\\\\\",\"b\":\"x\"}"));
        g_assert_null(strstr(out->str, KEY));
    }
}

/* A text that grows is wiped where it was. */
static void
test_growing(void)
{
    g_auto(SecretString) out = g_string_new("start");
    g_autoptr(GString) plain = g_string_new("start");

    for (guint i = 0; i < 5000; i++) {
        secret_append(&out, "0123456789", i % 11);
        g_string_append_len(plain, "0123456789", (gssize)(i % 11));
    }
    g_assert_cmpstr(out->str, ==, plain->str);
    g_assert_cmpuint(out->len, ==, plain->len);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest-bodies/conditions", test_conditions);
    g_test_add_func("/rest-bodies/keys", test_keys);
    g_test_add_func("/rest-bodies/identities", test_identities);
    g_test_add_func("/rest-bodies/twins", test_twins);
    g_test_add_func("/rest-bodies/items", test_items);
    g_test_add_func("/rest-bodies/written", test_written);
    g_test_add_func("/rest-bodies/growing", test_growing);
    return g_test_run();
}
