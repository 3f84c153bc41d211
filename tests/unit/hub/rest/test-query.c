/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The questions of POST /devices/query: what is one, what is said of one that is none, what fits.
 */
#include "hub/rest/query.h"

#include <string.h>

static gboolean
parse(const char *text, Query *query, char **why)
{
    g_autofree char *escaped = g_strescape(text, NULL);
    g_autofree char *body = g_strdup_printf("{\"query\": \"%s\"}", escaped);

    return query_parse(body, strlen(body), query, why);
}

static void
test_good(void)
{
    static const struct {
        const char *text;
        guint conditions;
        gboolean modules;
    } rows[] = {
        {"SELECT * FROM devices", 0, FALSE},
        {"select*from DEVICES", 0, FALSE},
        {"SELECT * FROM devices.modules", 0, TRUE},
        {"SELECT * FROM devices WHERE deviceId = 'gw-1'", 1, FALSE},
        {"SELECT * FROM devices WHERE deviceId='gw-1'AND status='enabled'", 2, FALSE},
        {"SELECT * FROM devices WHERE tags.a.b-c_9 <> 'it''s'", 1, FALSE},
        {"SELECT * FROM devices WHERE tags.a = \"it's\"", 1, FALSE},
        {"SELECT * FROM devices.modules WHERE moduleId != 'cam' and TAGS.site = ''", 2, TRUE},
        {"SELECT deviceId, tags.site AS place,status FROM devices", 0, FALSE},
        {"SELECT tags, comment, connectionState, moduleId FROM devices.modules", 0, TRUE},
        {"SELECT * FROM devices WHERE status = 'a' OR status = 'b'", 2, FALSE},
        {"SELECT * FROM devices WHERE NOT(status='a' AND (tags.a = 'b' OR NOT tags.b='c'))", 3,
         FALSE},
        {"SELECT * FROM devices WHERE deviceId IN ['a', 'b','c'] AND tags.x nin ['d']", 2, FALSE},
        {"SELECT * FROM devices WHERE StartsWith(deviceId, 'gw-') AND ENDSWITH(tags.a,'')", 2,
         FALSE},
        {"SELECT * FROM devices WHERE IS_DEFINED(tags.site)", 1, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Query) query = {0};
        g_autofree char *why = NULL;

        g_assert_true(parse(rows[i].text, &query, &why));
        g_assert_null(why);
        g_assert_cmpuint(query.n_conditions, ==, rows[i].conditions);
        g_assert_cmpint(query.modules, ==, rows[i].modules);
    }
}

static void
test_bad(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "character 1: want SELECT"},
        {"DELETE", "character 1: want SELECT"},
        {"SELECT TOP 5 FROM devices", "character 8: want * or a field"},
        {"SELECT etag FROM devices", "character 8: want * or a field"},
        {"SELECT deviceId status FROM devices", "character 17: want , or FROM"},
        {"SELECT deviceId, FROM devices", "character 18: want * or a field"},
        {"SELECT deviceId AS 'x' FROM devices", "character 20: want a name"},
        {"SELECT deviceId, status AS deviceId FROM devices", "want another name"},
        {"SELECT COUNT() AS n FROM devices", "character 8: want * or a field"},
        {"SELECT * FROM jobs", "character 15: want devices or devices.modules"},
        {"SELECT * FROM devices d", "character 23: want WHERE"},
        {"SELECT * FROM devices ORDER BY deviceId", "character 23: want WHERE"},
        {"SELECT * FROM devices WHERE", "character 28: want deviceId"},
        {"SELECT * FROM devices WHERE etag = '1'", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE tags = '1'", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE comment = '1'", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE tags. = '1'", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE 'tags.a' = '1'", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE status > 'a'", "character 36: want =, !=, IN or NIN"},
        {"SELECT * FROM devices WHERE status = enabled", "character 38: want a value in quotes"},
        {"SELECT * FROM devices WHERE status = 'enabled", "character 38: want a quote"},
        {"SELECT * FROM devices WHERE status = 'a' AND", "want deviceId"},
        {"SELECT * FROM devices WHERE status = 'a' XOR status = 'b'", "want AND, OR or the end"},
        {"SELECT * FROM devices WHERE (status = 'a'", "want )"},
        {"SELECT * FROM devices WHERE status = 'a')", "want AND, OR or the end"},
        {"SELECT * FROM devices WHERE deviceId IN 'a'", "character 41: want ["},
        {"SELECT * FROM devices WHERE deviceId IN []", "want a value in quotes"},
        {"SELECT * FROM devices WHERE deviceId IN ['a' 'b']", "want , or ]"},
        {"SELECT * FROM devices WHERE STARTSWITH(deviceId)", "character 48: want ,"},
        {"SELECT * FROM devices WHERE STARTSWITH('a', deviceId)", "character 40: want deviceId"},
        {"SELECT * FROM devices WHERE CONTAINS(deviceId, 'a')", "character 29: want deviceId"},
        {"SELECT * FROM devices WHERE ((((((((( status = 'a'", "want fewer parentheses"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        Query query = {.n_conditions = 77};
        g_autofree char *why = NULL;

        g_assert_false(parse(rows[i].text, &query, &why));
        g_assert_nonnull(why);
        if (!strstr(why, rows[i].why))
            g_error("%s: %s", rows[i].text, why);
        g_assert_cmpuint(query.n_conditions, ==, 77); /* untouched */
    }
}

static void
test_bound(void)
{
    GString *text = g_string_new("SELECT * FROM devices WHERE status = 'a'");
    g_auto(Query) query = {0};
    Query more = {0};
    g_autofree char *why = NULL;

    for (guint i = 1; i < QUERY_CONDITIONS_MAX; i++)
        g_string_append(text, " AND status = 'a'");
    g_assert_true(parse(text->str, &query, &why));
    g_string_append(text, " AND status = 'a'");
    g_assert_false(parse(text->str, &more, &why));
    g_assert_nonnull(strstr(why, "at most 16 conditions"));
    (void)g_string_free(text, TRUE);
}

/* The tag by which the registry may look devices up: only one that each result has. */
static void
test_tag(void)
{
    static const struct {
        const char *where, *tag;
    } rows[] = {
        {"tags.site = 'berlin'", "site=berlin"},
        {"status = 'enabled' AND tags.site = 'berlin'", "site=berlin"},
        {"tags.site IN ['berlin']", "site=berlin"},
        {"tags.site IN ['berlin', 'rome']", NULL},
        {"tags.site NIN ['berlin']", NULL},
        {"tags.site != 'berlin'", NULL},
        {"tags.site = 'berlin' OR status = 'enabled'", NULL},
        {"NOT tags.site = 'berlin'", NULL},
        {"STARTSWITH(tags.site, 'berlin')", NULL},
        {"IS_DEFINED(tags.site)", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("SELECT * FROM devices WHERE ", rows[i].where, NULL);
        g_auto(Query) query = {0};
        g_autofree char *why = NULL, *tag = NULL;

        g_assert_true(parse(text, &query, &why));
        tag = query_tag(&query);
        g_assert_cmpstr(tag, ==, rows[i].tag);
    }
}

/* At each bound, and one past it. */
static void
test_bounds(void)
{
    static const struct {
        const char *start, *more, *end, *why;
        guint most;
    } rows[] = {
        {"SELECT * FROM devices WHERE NOT status = 'a'", " OR NOT status = 'a'", "",
         "at most 16 conditions", QUERY_CONDITIONS_MAX},
        {"SELECT * FROM devices WHERE deviceId IN ['a'", ",'a'", "]", "at most 64 values",
         QUERY_VALUES_MAX},
        {"SELECT * FROM devices WHERE ", "(", "status = 'a'", "want fewer parentheses",
         QUERY_DEPTH_MAX + 1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(rows[i].start);
        g_autoptr(GString) more = NULL;
        g_auto(Query) query = {0};
        Query none = {0};
        g_autofree char *why = NULL, *too_much = NULL;

        for (guint n = 1; n < rows[i].most; n++)
            g_string_append(text, rows[i].more);
        more = g_string_new(text->str);
        g_string_append(text, rows[i].end);
        for (guint n = 1; strcmp(rows[i].more, "(") == 0 && n < rows[i].most; n++)
            g_string_append(text, ")");
        g_assert_true(parse(text->str, &query, &why));
        g_string_append_printf(more, "%s%s", rows[i].more, rows[i].end);
        g_assert_false(parse(more->str, &none, &too_much));
        g_assert_nonnull(strstr(too_much, rows[i].why));
    }
}

static void
test_fits(void)
{
    static const struct {
        const char *where;
        gboolean fits;
    } rows[] = {
        {"deviceId = 'gw-1'", TRUE},
        {"deviceId = 'gw-11'", FALSE},
        {"deviceId != 'gw-1'", FALSE},
        {"status = 'enabled'", TRUE},
        {"status = 'disabled'", FALSE},
        {"connectionState = 'Connected'", TRUE},
        {"connectionState = 'x'", FALSE},
        {"tags.site = 'berlin'", TRUE},
        {"tags.site != 'berlin'", FALSE},
        {"tags.site = 'Berlin'", FALSE},
        {"tags.none = ''", FALSE},
        {"tags.none != 'x'", TRUE},
        {"moduleId = 'cam'", FALSE},
        {"tags.site = 'berlin' AND tags.none = 'x'", FALSE},
        {"tags.site = 'berlin' AND deviceId = 'gw-1'", TRUE},
        {"status = 'disabled' OR tags.site = 'berlin'", TRUE},
        {"status = 'disabled' OR tags.site = 'rome'", FALSE},
        /* AND binds tighter than OR */
        {"status = 'enabled' OR status = 'disabled' AND tags.site = 'rome'", TRUE},
        {"(status = 'enabled' OR status = 'disabled') AND tags.site = 'rome'", FALSE},
        {"NOT tags.site = 'berlin'", FALSE},
        {"NOT NOT tags.site = 'berlin'", TRUE},
        {"NOT (tags.site = 'rome' AND status = 'enabled')", TRUE},
        {"deviceId IN ['a', 'gw-1']", TRUE},
        {"deviceId IN ['a', 'gw-11']", FALSE},
        {"deviceId NIN ['a', 'gw-1']", FALSE},
        {"deviceId NIN ['a']", TRUE},
        {"tags.none IN ['a']", FALSE},
        {"tags.none NIN ['a']", TRUE},
        {"STARTSWITH(deviceId, 'gw-')", TRUE},
        {"STARTSWITH(deviceId, 'w-')", FALSE},
        {"STARTSWITH(tags.none, '')", FALSE},
        {"NOT STARTSWITH(tags.none, '')", TRUE},
        {"ENDSWITH(tags.site, 'lin')", TRUE},
        {"ENDSWITH(tags.site, 'li')", FALSE},
        {"IS_DEFINED(tags.site)", TRUE},
        {"IS_DEFINED(tags.none)", FALSE},
        {"IS_DEFINED(moduleId)", FALSE},
    };
    g_autoptr(RegistryTags) tags = registry_tags_parse("site=berlin");
    const RegistryDevice device = {.id = (char *)"gw-1", .enabled = TRUE, .tags = tags};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strconcat("SELECT * FROM devices WHERE ", rows[i].where, NULL);
        g_auto(Query) query = {0};
        g_autofree char *why = NULL;

        g_assert_true(parse(text, &query, &why));
        g_assert_cmpint(query_fits(&query, &device, TRUE), ==, rows[i].fits);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/query/good", test_good);
    g_test_add_func("/query/bad", test_bad);
    g_test_add_func("/query/bound", test_bound);
    g_test_add_func("/query/bounds", test_bounds);
    g_test_add_func("/query/tag", test_tag);
    g_test_add_func("/query/fits", test_fits);
    return g_test_run();
}
