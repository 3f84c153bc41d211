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
        {"SELECT * FROM devices.modules WHERE moduleId != 'cam' and TAGS.site = ''", 2, TRUE},
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
        {"SELECT deviceId FROM devices", "want *"},
        {"SELECT * FROM jobs", "want devices or devices.modules"},
        {"SELECT * FROM devices ORDER BY deviceId", "want WHERE"},
        {"SELECT * FROM devices WHERE", "want deviceId"},
        {"SELECT * FROM devices WHERE etag = '1'", "want deviceId"},
        {"SELECT * FROM devices WHERE tags. = '1'", "want deviceId"},
        {"SELECT * FROM devices WHERE 'tags.a' = '1'", "want deviceId"},
        {"SELECT * FROM devices WHERE status > 'a'", "want = or !="},
        {"SELECT * FROM devices WHERE status = enabled", "want a value in '"},
        {"SELECT * FROM devices WHERE status = 'enabled", "want a ' at the end"},
        {"SELECT * FROM devices WHERE status = 'a' OR status = 'b'", "want AND"},
        {"SELECT * FROM devices WHERE status = 'a' AND", "want deviceId"},
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
    g_test_add_func("/query/fits", test_fits);
    return g_test_run();
}
