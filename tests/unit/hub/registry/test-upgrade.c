/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A registry of 0.1.0: upgraded, kept as it was, also where the disk allows no change; a later one
 * refused. What 0.1.0 made stands here word for word, and is never changed. */
#include "common/base/error.h"
#include "hub/registry/sqlite-backup.h"
#include "hub/registry/sqlite-schema.h"
#include "tests/unit/hub/registry/registry-helper.h"

#include <sqlite3.h>
#include <sys/stat.h>

static const char made_by_0_1_0[] =
    "PRAGMA journal_mode=WAL; BEGIN;"
    "CREATE TABLE device ("
    " id TEXT NOT NULL, module TEXT NOT NULL, enabled INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL,"
    " generation_id INTEGER NOT NULL, etag INTEGER NOT NULL, created INTEGER NOT NULL,"
    " PRIMARY KEY (id, module)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE policy ("
    " name TEXT NOT NULL PRIMARY KEY, rights INTEGER NOT NULL,"
    " primary_key BLOB NOT NULL, secondary_key BLOB NOT NULL, created INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA application_id=1400140392; PRAGMA user_version=1;"
    "INSERT INTO device VALUES ('gw-1','',1,zeroblob(32),zeroblob(32),11,12,13),"
    " ('gw-1','cam',1,zeroblob(32),zeroblob(32),21,22,23),"
    " ('gw-2','',0,zeroblob(32),zeroblob(32),31,32,33);"
    "INSERT INTO policy VALUES ('service',1,zeroblob(32),zeroblob(32),41); COMMIT;";

static void
set_up(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *db;

    s->folder = g_dir_make_tmp("registry-XXXXXX", NULL);
    s->path = g_build_filename(s->folder, "registry.sqlite", NULL);
    g_assert_cmpint(sqlite3_open(s->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, made_by_0_1_0, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_assert_cmpint(g_chmod(s->path, 0600), ==, 0);
}

static void
tear_down(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(s);
}

static gint64
version_of(const char *path)
{
    sqlite3 *db = NULL;
    gint64 version;

    g_assert_cmpint(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    version = registry_sqlite_schema_version(db, path, NULL);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    return version;
}

static void
check_content(Registry *registry)
{
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_lookup_device, registry, "gw-2", NULL), ==,
                    REGISTRY_OK);
    g_assert_false(answer.device->enabled);
    g_assert_cmpuint(answer.device->etag, ==, 32);
    g_assert_null(answer.device->tags);
    g_assert_null(answer.device->comment);
    g_assert_cmpint(ANSWER(answer, registry_list_devices, registry, NULL, NULL, 0), ==,
                    REGISTRY_OK);
    g_assert_cmpuint(answer.names->len, ==, 3);
    g_assert_cmpint(ANSWER(answer, registry_lookup_policy, registry, "service"), ==, REGISTRY_OK);
    g_assert_null(answer.policy->scope);
}

static void
test_upgraded(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *kept = g_strconcat(s->path, ".v1", NULL);
    const RegistryDeviceEdit edit = {.tags = (const char *const[]){"site=berlin", NULL}};
    g_auto(Answer) answer = {0};
    struct stat info;

    scratch_open(s);
    check_content(s->registry);
    g_assert_cmpint(ANSWER(answer, registry_edit_device, s->registry, "gw-1", &edit), ==,
                    REGISTRY_OK);
    scratch_reopen(s);
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, s->registry, "gw-1", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpstr(registry_tags_get(answer.device->tags, "site"), ==, "berlin");
    g_assert_cmpint(version_of(s->path), ==, REGISTRY_SQLITE_VERSION);
    /* From this one the older program can go on. */
    g_assert_cmpint(version_of(kept), ==, 1);
    g_assert_cmpint(stat(kept, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
}

/* There is no place for the copy: nothing is upgraded, and what is there is served. */
static void
test_not_kept(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *kept = g_strconcat(s->path, ".v1", NULL);
    g_autofree char *inside = g_build_filename(kept, "x", NULL);
    g_auto(Answer) answer = {0};

    g_assert_cmpint(g_mkdir_with_parents(inside, 0700), ==, 0);
    scratch_open(s);
    check_content(s->registry);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, s->registry, "gw-1", NULL), ==,
                    REGISTRY_STORAGE);
    g_assert_nonnull(strstr(answer.message, "Is a directory"));
    g_assert_cmpint(version_of(s->path), ==, 1);
    g_assert_cmpint(g_rmdir(inside), ==, 0);
    g_assert_cmpint(g_rmdir(kept), ==, 0);
    scratch_reopen(s);
    check_content(s->registry);
    g_assert_cmpint(version_of(s->path), ==, REGISTRY_SQLITE_VERSION);
}

static void
test_later(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *sql = g_strdup_printf("PRAGMA user_version=%d", REGISTRY_SQLITE_VERSION + 1);
    g_autoptr(GError) error = NULL;
    sqlite3 *db;

    g_assert_cmpint(sqlite3_open(s->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_assert_null(registry_sqlite_open(s->path, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "of version 3"));
}

/* A backup of an older registry stays of that version, and the live one is not touched; restored,
 * it is of this one. */
static void
test_backup(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *file = g_build_filename(s->folder, "backup", NULL);
    g_autofree char *former = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(registry_sqlite_backup(s->path, file, &error));
    g_assert_no_error(error);
    g_assert_cmpint(version_of(s->path), ==, 1);
    g_assert_cmpint(version_of(file), ==, 1);
    g_assert_true(registry_sqlite_restore(file, s->path, &former, &error));
    g_assert_no_error(error);
    scratch_open(s);
    check_content(s->registry);
}

static void
on_since(RegistrySinceKind kind, const char *name, const char *module, void *data)
{
    static const char *const names[REGISTRY_SINCE_KINDS] = {"+",         "keys",  "-",      "+user",
                                                            "keys-user", "-user", "invited"};

    g_string_append_printf(data, "%s %s%s%s\n", names[kind], name, module ? "/" : "",
                           module ? module : "");
}

/* Of each kind, while the hub goes on; nothing before there is one, and none without an upgrade. */
static void
test_since(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) since = g_string_new(NULL);
    g_autofree char *kept = NULL, *again = NULL;
    RegistryPolicy user = {.name = (char *)"anna", .rights = REGISTRY_RIGHT_SERVICE_CONNECT};
    g_auto(Answer) answer = {0};
    sqlite3 *db;

    g_assert_false(registry_sqlite_since_upgrade(s->path, on_since, since, &kept, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND);
    scratch_open(s);
    g_assert_true(registry_sqlite_since_upgrade(s->path, on_since, since, &kept, NULL));
    g_assert_true(g_str_has_suffix(kept, ".v1"));
    g_assert_cmpstr(since->str, ==, "");
    g_assert_cmpint(add(s->registry, "gw-9", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(s->registry, "gw-9", "cam"), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, s->registry, "gw-2", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, s->registry, "gw-1", "cam"), ==,
                    REGISTRY_OK);
    g_assert_cmpint(add(s->registry, "gw-1", "cam"), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_add_policy, s->registry, &user), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_policy, s->registry, "service"), ==,
                    REGISTRY_OK);
    g_assert_true(registry_sqlite_since_upgrade(s->path, on_since, since, &again, NULL));
    g_assert_cmpstr(since->str, ==,
                    "+ gw-9\n+ gw-9/cam\nkeys gw-1/cam\n- gw-2\n+user anna\n-user service\n");
    g_clear_pointer(&s->registry, registry_free);
    /* 0.1.0 starts from it as before: the look has left nothing beside it. */
    g_assert_cmpint(version_of(kept), ==, 1);
    g_assert_cmpint(sqlite3_open(kept, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "SELECT count(*) FROM device", NULL, NULL, NULL), ==,
                    SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

#define ADD(name, func)                                                                            \
    g_test_add("/registry/upgrade/" name, Scratch, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a disk that takes nothing is a warning */
    ADD("kept", test_upgraded);
    ADD("not-kept", test_not_kept);
    ADD("later", test_later);
    ADD("backup", test_backup);
    ADD("since", test_since);
    return g_test_run();
}
