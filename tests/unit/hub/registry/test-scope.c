/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tags of devices and scopes of users: what is one, how it is kept, whom it reaches. */
#include "hub/registry/scope.h"

#include <string.h>

#define LIST(...) ((char *[]){__VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_tag_rows(void)
{
    g_autofree char *longest = g_strnfill(REGISTRY_TAG_MAX - 2, 'v');
    g_autofree char *at_bound = g_strconcat("k=", longest, NULL);
    g_autofree char *past_bound = g_strconcat("k=", longest, "v", NULL);
    g_autofree char *key = g_strnfill(64, 'k');
    g_autofree char *key_at_bound = g_strconcat(key, "=v", NULL);
    g_autofree char *key_past_bound = g_strconcat(key, "k=v", NULL);
    const struct {
        const char *tag;
        gboolean good;
    } rows[] = {
        {"site=berlin", TRUE}, {"a.b_c-9=", TRUE},  {"k=a=b", TRUE},      {"k=Straße 1", TRUE},
        {at_bound, TRUE},      {past_bound, FALSE}, {key_at_bound, TRUE}, {key_past_bound, FALSE},
        {"site", FALSE},       {"=berlin", FALSE},  {"a b=c", FALSE},     {"", FALSE},
        {"k=\033[2J", FALSE},  {"k=a\nj=b", FALSE}, {"k=\xff", FALSE},    {"\xc3\xa4=v", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *why = NULL;

        g_assert_cmpint(registry_tag_is_valid(rows[i].tag, &why), ==, rows[i].good);
        g_assert_cmpint(why == NULL, ==, rows[i].good);
    }
}

static void
test_tags_edit(void)
{
    g_autofree char *why = NULL, *text = NULL;
    g_autoptr(RegistryTags) tags =
        registry_tags_new(WORDS("site=rome", "floor=1", "site=berlin"), &why);
    g_autoptr(RegistryTags) edited =
        registry_tags_edit(tags, WORDS("owner=ann", "floor=2"), WORDS("site", "none"), &why);
    g_autoptr(RegistryTags) none = registry_tags_edit(edited, NULL, WORDS("owner", "floor"), &why);
    g_autoptr(RegistryTags) read = NULL;

    g_assert_null(why);
    g_assert_cmpstr(registry_tags_get(tags, "site"), ==, "berlin"); /* the last one counts */
    g_assert_null(registry_tags_get(tags, "sit"));
    g_assert_null(none);
    text = registry_tags_format(edited);
    g_assert_cmpstr(text, ==, "floor=2\nowner=ann");
    read = registry_tags_parse("floor=2\nbroken\nowner=ann");
    g_assert_cmpint(g_strv_length((char **)registry_tags_list(read)), ==, 2);
    g_assert_cmpstr(registry_tags_get(read, "owner"), ==, "ann");
}

static void
test_tags_bound(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) list = NULL;
    g_autofree char *why = NULL;
    g_autoptr(RegistryTags) full = NULL;

    for (guint i = 0; i < REGISTRY_TAGS_MAX; i++) {
        g_autofree char *tag = g_strdup_printf("k%u=v", i);

        g_strv_builder_add(builder, tag);
    }
    list = g_strv_builder_end(builder);
    full = registry_tags_new((const char *const *)list, &why);
    g_assert_null(why);
    g_assert_nonnull(full);
    g_assert_null(registry_tags_edit(full, WORDS("one=more"), NULL, &why));
    g_assert_cmpstr(why, ==, "a device has at most 50 tags");
}

static void
test_scope_text(void)
{
    const RegistryScope wanted = {
        .devices = LIST("gw-*", "cam?"),
        .tags = LIST("site=berlin", "site=rome", "kind=a=b"),
        .streams = LIST("ssh"),
        .expires = 1700000000000000,
        .streams_max = 3,
        .opens_per_minute = 4,
        .bytes_per_day = 5000000000,
    };
    g_autofree char *why = NULL, *text = NULL, *again = NULL;
    g_autoptr(RegistryScope) scope =
        registry_scope_edit(NULL, &wanted, (RegistryScopeKinds)~0u, &why);
    g_autoptr(RegistryScope) read = NULL;
    g_autoptr(RegistryScope) broken = NULL;

    g_assert_null(why);
    text = registry_scope_format(scope);
    g_assert_true(registry_scope_parse(text, &read));
    again = registry_scope_format(read);
    g_assert_cmpstr(text, ==, again);
    g_assert_cmpint(g_strv_length(read->tags), ==, 3);
    g_assert_cmpuint(read->bytes_per_day, ==, 5000000000);
    /* What a later version wrote is not to be taken for "everything". */
    g_assert_false(registry_scope_parse("devices gw-*\nrooms 3\n", &broken));
    g_assert_false(registry_scope_parse("devices\n", &broken));
    g_assert_false(registry_scope_parse("expires soon\n", &broken));
    g_assert_false(registry_scope_parse("devices a b\n", &broken));
    g_assert_true(registry_scope_parse("", &broken));
    g_assert_null(broken);
}

static void
test_scope_edit(void)
{
    g_autofree char *why = NULL;
    const RegistryScope first = {.devices = LIST("gw-*"), .streams_max = 2};
    const RegistryScope second = {.streams = LIST("ssh"), .streams_max = 9};
    g_autoptr(RegistryScope) scope =
        registry_scope_edit(NULL, &first, (RegistryScopeKinds)~0u, &why);
    g_autoptr(RegistryScope) more =
        registry_scope_edit(scope, &second, REGISTRY_SCOPE_STREAMS, &why);

    g_assert_cmpstr(more->devices[0], ==, "gw-*");
    g_assert_cmpstr(more->streams[0], ==, "ssh");
    g_assert_cmpuint(more->streams_max, ==, 2); /* not one of the kinds */
    g_assert_null(registry_scope_edit(more, NULL, (RegistryScopeKinds)~0u, &why));
    g_assert_null(why); /* a scope without any bound is none */
    g_assert_null(registry_scope_edit(NULL, &(RegistryScope){.devices = LIST("gw *")},
                                      REGISTRY_SCOPE_DEVICES, &why));
    g_assert_nonnull(why);
}

/* Devices x tags x streams, and what is wanted of each. */
static void
test_scope_reach(void)
{
    static const struct {
        const char *scope, *id, *tags, *stream;
        gboolean device, named;
    } rows[] = {
        {"", "gw-1", "", "ssh", TRUE, TRUE},
        {"devices gw-*\n", "gw-1", "", "ssh", TRUE, TRUE},
        {"devices gw-*\n", "cam-1", "", "ssh", FALSE, TRUE},
        {"devices gw-*\n", "xgw-1", "", "ssh", FALSE, TRUE},
        {"devices gw-?\n", "gw-11", "", "ssh", FALSE, TRUE},
        {"devices gw-*\ndevices cam-1\n", "cam-1", "", "ssh", TRUE, TRUE},
        {"tag site=berlin\n", "gw-1", "site=berlin", "ssh", TRUE, TRUE},
        {"tag site=berlin\n", "gw-1", "site=rome", "ssh", FALSE, TRUE},
        {"tag site=berlin\n", "gw-1", "", "ssh", FALSE, TRUE},
        {"tag site=berlin\n", "gw-1", "site=berlin2", "ssh", FALSE, TRUE},
        {"tag site=berlin\n", "gw-1", "sites=berlin", "ssh", FALSE, TRUE},
        {"tag site=\n", "gw-1", "site=", "ssh", TRUE, TRUE},
        {"tag site=berlin\ntag site=rome\n", "gw-1", "site=rome", "ssh", TRUE, TRUE},
        {"tag site=berlin\ntag floor=1\n", "gw-1", "site=berlin", "ssh", FALSE, TRUE},
        {"tag site=berlin\ntag floor=1\n", "gw-1", "floor=1\nsite=berlin", "ssh", TRUE, TRUE},
        {"tag a=1\ntag b=1\ntag a=2\n", "gw-1", "a=2\nb=1", "ssh", TRUE, TRUE},
        {"tag a=1\ntag b=1\ntag a=2\n", "gw-1", "a=2\nb=2", "ssh", FALSE, TRUE},
        {"devices gw-*\ntag a=1\n", "cam-1", "a=1", "ssh", FALSE, TRUE},
        {"devices gw-*\ntag a=1\n", "gw-1", "a=2", "ssh", FALSE, TRUE},
        {"streams ssh\n", "gw-1", "", "web", TRUE, FALSE},
        {"streams ssh\nstreams web*\n", "gw-1", "", "web2", TRUE, TRUE},
        {"streams-max 1\n", "gw-1", "", "web", TRUE, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RegistryTags) tags = registry_tags_parse(rows[i].tags);
        g_autoptr(RegistryScope) scope = NULL;

        g_assert_true(registry_scope_parse(rows[i].scope, &scope));
        g_assert_cmpint(registry_scope_has_device(scope, rows[i].id, tags), ==, rows[i].device);
        g_assert_cmpint(registry_scope_has_stream(scope, rows[i].stream), ==, rows[i].named);
    }
}

static void
test_scope_expiry(void)
{
    g_autoptr(RegistryScope) scope = NULL;

    g_assert_false(registry_scope_has_expired(NULL, G_MAXINT64));
    g_assert_true(registry_scope_parse("expires 1000\n", &scope));
    g_assert_false(registry_scope_has_expired(scope, 999));
    g_assert_true(registry_scope_has_expired(scope, 1000));
}

static void
test_scope_bound(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) list = NULL;
    g_autofree char *pattern = g_strnfill(REGISTRY_SCOPE_PATTERN_MAX, 'p');
    g_autofree char *too_long = g_strconcat(pattern, "p", NULL);
    g_autofree char *why = NULL;
    g_autoptr(RegistryScope) scope = NULL;

    for (guint i = 0; i < REGISTRY_SCOPE_VALUES_MAX; i++)
        g_strv_builder_add(builder, pattern);
    list = g_strv_builder_end(builder);
    scope =
        registry_scope_edit(NULL, &(RegistryScope){.devices = list}, REGISTRY_SCOPE_DEVICES, &why);
    g_assert_null(why);
    g_assert_nonnull(scope);
    g_strv_builder_addv(builder, (const char **)list);
    g_strv_builder_add(builder, "one");
    g_strfreev(list);
    list = g_strv_builder_end(builder);
    g_assert_null(
        registry_scope_edit(NULL, &(RegistryScope){.streams = list}, REGISTRY_SCOPE_STREAMS, &why));
    g_assert_nonnull(why);
    g_clear_pointer(&why, g_free);
    g_assert_null(registry_scope_edit(NULL, &(RegistryScope){.devices = LIST(too_long)},
                                      REGISTRY_SCOPE_DEVICES, &why));
    g_assert_nonnull(why);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tags/rows", test_tag_rows);
    g_test_add_func("/tags/edit", test_tags_edit);
    g_test_add_func("/tags/bound", test_tags_bound);
    g_test_add_func("/scope/text", test_scope_text);
    g_test_add_func("/scope/edit", test_scope_edit);
    g_test_add_func("/scope/reach", test_scope_reach);
    g_test_add_func("/scope/expiry", test_scope_expiry);
    g_test_add_func("/scope/bound", test_scope_bound);
    return g_test_run();
}
