/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written on devices and users: kept, found, told to watchers. */
#include "tests/unit/hub/registry/registry-helper.h"

#include <sqlite3.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

typedef struct {
    Scratch scratch;
    Registry *registry;
    GString *changes;
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    g_autofree char *tags = registry_tags_format(change->tags);
    g_autofree char *scope = registry_scope_format(change->scope);

    if (change->kind == REGISTRY_DEVICE_EDITED)
        g_string_append_printf(data, "%s %s;", change->name, g_strdelimit(tags, "\n", ','));
    if (change->kind == REGISTRY_POLICY_EDITED)
        g_string_append_printf(data, "%s %s;", change->name, g_strdelimit(scope, "\n", ','));
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->registry = f->scratch.registry;
    f->changes = g_string_new(NULL);
    (void)registry_watch(f->registry, on_change, f->changes);
    g_assert_cmpint(add(f->registry, "gw-1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->registry, "gw-1", "cam"), ==, REGISTRY_OK);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
    g_string_free(f->changes, TRUE);
}

static gint64
count(Fixture *f, const char *sql)
{
    sqlite3_stmt *row = NULL;
    sqlite3 *db = NULL;
    gint64 number;

    g_assert_cmpint(sqlite3_open(f->scratch.path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &row, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(row), ==, SQLITE_ROW);
    number = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return number;
}

static void
test_device(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryDeviceEdit first = {.tags = WORDS("site=berlin", "floor=1"), .comment = "roof"};
    const RegistryDeviceEdit second = {.tags = WORDS("floor=2"), .no_tags = WORDS("site")};
    g_auto(Answer) before = {0}, answer = {0};

    (void)ANSWER(before, registry_lookup_device, f->registry, "gw-1", NULL);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "gw-1", "cam"); /* into the cache */
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &first), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(answer.device->comment, ==, "roof");
    g_assert_cmpuint(answer.device->etag, !=, before.device->etag);
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &second), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(f->changes->str, ==, "gw-1 floor=1,site=berlin;gw-1 floor=2;");
    g_assert_cmpint(count(f, "SELECT count(*) FROM device_tag WHERE tag='floor=2'"), ==, 1);
    g_assert_cmpint(count(f, "SELECT count(*) FROM device_tag"), ==, 1);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "gw-1", NULL);
    g_assert_cmpstr(registry_tags_get(answer.device->tags, "floor"), ==, "2");
    g_assert_cmpstr(answer.device->comment, ==, "roof"); /* nothing was said of it */
    (void)ANSWER(answer, registry_lookup_device, f->registry, "gw-1", "cam");
    g_assert_cmpstr(registry_tags_get(answer.device->tags, "floor"), ==, "2");
    g_assert_null(answer.device->comment);
    (void)ANSWER(answer, registry_lookup_device, f->registry, "gw-1", NULL);
    g_assert_true(memcmp(&answer.device->primary, &before.device->primary, sizeof(RegistryKey)) ==
                  0);
}

static void
test_device_bad(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *longest = g_strnfill(REGISTRY_COMMENT_MAX, 'c');
    g_autofree char *too_long = g_strconcat(longest, "c", NULL);
    const RegistryDeviceEdit bad = {.tags = WORDS("good=1", "bad")};
    const RegistryDeviceEdit at_bound = {.comment = longest};
    const RegistryDeviceEdit past_bound = {.comment = too_long};
    const RegistryDeviceEdit none = {.comment = ""};
    const RegistryDevice tagged = {.id = (char *)"gw-1", .module = (char *)"m", .comment = longest};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &bad), ==,
                    REGISTRY_INVALID);
    g_assert_cmpstr(answer.message, ==, "a tag is KEY=VALUE");
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &past_bound), ==,
                    REGISTRY_INVALID);
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-9", &at_bound), ==,
                    REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(answer, registry_add_device, f->registry, &tagged), ==,
                    REGISTRY_INVALID);
    g_assert_cmpstr(f->changes->str, ==, "");
    g_assert_cmpint(count(f, "SELECT count(*) FROM device_tag"), ==, 0);
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &at_bound), ==,
                    REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_edit_device, f->registry, "gw-1", &none), ==,
                    REGISTRY_OK);
    g_assert_null(answer.device->comment);
}

/* What is added with tags has them; what is removed leaves none behind; a module takes none away.
 */
static void
test_device_life(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *why = NULL;
    g_autoptr(RegistryTags) tags = registry_tags_new(WORDS("site=rome"), &why);
    const RegistryDevice draft = {
        .id = (char *)"gw-2", .enabled = TRUE, .tags = tags, .comment = (char *)"new"};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_device, f->registry, &draft), ==, REGISTRY_OK);
    g_assert_cmpstr(answer.device->comment, ==, "new");
    g_assert_cmpint(add(f->registry, "gw-2", "cam"), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_remove_device, f->registry, "gw-2", "cam");
    g_assert_cmpint(count(f, "SELECT count(*) FROM device_tag WHERE id='gw-2'"), ==, 1);
    (void)ANSWER(answer, registry_remove_device, f->registry, "gw-2", NULL);
    g_assert_cmpint(count(f, "SELECT count(*) FROM device_tag"), ==, 0);
}

static void
test_policy(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryPolicy draft = {.name = (char *)"alice", .rights = REGISTRY_RIGHT_SERVICE_CONNECT};
    const RegistryPolicyEdit narrow = {
        .kinds = REGISTRY_SCOPE_DEVICES | REGISTRY_SCOPE_STREAMS_MAX,
        .scope = {.devices = (char *[]){(char *)"gw-*", NULL}, .streams_max = 2}};
    const RegistryPolicyEdit wide = {.kinds = (RegistryScopeKinds)~0u};
    const RegistryPolicyEdit bad = {.kinds = REGISTRY_SCOPE_TAGS,
                                    .scope = {.tags = (char *[]){(char *)"site", NULL}}};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &draft), ==, REGISTRY_OK);
    (void)ANSWER(answer, registry_lookup_policy, f->registry, "alice"); /* into the cache */
    g_assert_cmpint(ANSWER(answer, registry_edit_policy, f->registry, "alice", &narrow), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(f->changes->str, ==, "alice devices gw-*,streams-max 2,;");
    (void)ANSWER(answer, registry_lookup_policy, f->registry, "alice");
    g_assert_cmpstr(answer.policy->scope->devices[0], ==, "gw-*");
    g_assert_cmpint(ANSWER(answer, registry_edit_policy, f->registry, "alice", &bad), ==,
                    REGISTRY_INVALID);
    g_assert_cmpint(ANSWER(answer, registry_edit_policy, f->registry, "bob", &narrow), ==,
                    REGISTRY_NOT_FOUND);
    g_assert_cmpint(ANSWER(answer, registry_edit_policy, f->registry, "alice", &wide), ==,
                    REGISTRY_OK);
    g_assert_null(answer.policy->scope);
}

/* A scope that cannot be read is not "everything". */
static void
test_policy_damaged(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryPolicy draft = {.name = (char *)"alice", .rights = REGISTRY_RIGHT_SERVICE_CONNECT};
    g_auto(Answer) answer = {0};
    sqlite3 *db = NULL;

    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->registry, &draft), ==, REGISTRY_OK);
    g_assert_cmpint(sqlite3_open(f->scratch.path, &db), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(db, "UPDATE policy SET scope='rooms 3' WHERE name='alice'", NULL, NULL, NULL),
        ==, SQLITE_OK);
    (void)sqlite3_close(db);
    g_assert_cmpint(ANSWER(answer, registry_lookup_policy, f->registry, "alice"), ==,
                    REGISTRY_FAILED);
    g_assert_cmpstr(answer.message, ==, "the scope of user 'alice' cannot be read");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/registry/edit/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("device", test_device);
    ADD("device-bad", test_device_bad);
    ADD("device-life", test_device_life);
    ADD("policy", test_policy);
    ADD("policy-damaged", test_policy_damaged);
    return g_test_run();
}
