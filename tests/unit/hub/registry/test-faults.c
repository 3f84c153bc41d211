/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry when things go wrong: killed, damaged, locked, the disk full or failing
 * (faults F7, F13 to F16, F34). */
#include "common/base/error.h"
#include "tests/unit/hub/registry/registry-helper.h"

#include <gio/gio.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *program;

static void
set_up(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(s);
}

static void
tear_down(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(s);
}

/* The child: adds devices until it is killed, and names each one that was acknowledged. */
static int
writer(const char *path)
{
    Registry *registry = registry_sqlite_open(path, NULL);

    for (guint i = 0; registry; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        if (add(registry, id, NULL) != REGISTRY_OK)
            break;
        g_print("%s\n", id);
    }
    return EXIT_FAILURE;
}

static GPtrArray *
lines_until_killed(const char *path, guint count)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) child =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, "--writer", path, NULL);
    g_autoptr(GDataInputStream) lines = NULL;
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    char *line;

    g_assert_no_error(error);
    lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(child));
    while ((line = g_data_input_stream_read_line(lines, NULL, NULL, NULL))) {
        g_ptr_array_add(ids, line);
        if (ids->len == count)
            g_subprocess_send_signal(child, SIGKILL);
    }
    g_assert_true(g_subprocess_wait(child, NULL, NULL));
    g_assert_true(g_subprocess_get_if_signaled(child));
    return ids;
}

static void
test_killed(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_clear_pointer(&s->registry, registry_free);
    for (guint round = 1; round <= 5; round++) {
        g_autoptr(GPtrArray) ids = lines_until_killed(s->path, round * 3);
        g_auto(Answer) answer = {0};

        g_assert_cmpuint(ids->len, >=, round * 3);
        scratch_open(s); /* checks the integrity too */
        for (guint i = 0; i < ids->len; i++) {
            g_assert_cmpint(lookup(s->registry, ids->pdata[i], NULL), ==, REGISTRY_OK);
            (void)ANSWER(answer, registry_remove_device, s->registry, ids->pdata[i], NULL);
        }
        /* One more may have been written and not acknowledged. */
        (void)ANSWER(answer, registry_list_devices, s->registry, NULL, NULL, 0);
        g_assert_cmpuint(answer.names->len, <=, 1);
        if (answer.names->len) {
            g_autofree char *id = g_strdup(answer.names->pdata[0]);

            (void)ANSWER(answer, registry_remove_device, s->registry, id, NULL);
        }
        g_clear_pointer(&s->registry, registry_free);
    }
}

static void
assert_refused(const char *path, int code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(registry_sqlite_open(path, &error));
    g_assert_error(error, STREAMD_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, text));
}

static void
test_not_a_registry(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    sqlite3 *db = NULL;

    g_clear_pointer(&s->registry, registry_free);
    g_assert_false(registry_sqlite_create(s->path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_clear_error(&error);
    g_assert_true(g_file_set_contents_full(s->path, "not a database, but long enough to be read",
                                           -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    assert_refused(s->path, STREAMD_ERROR_INVALID, "not a registry");
    g_assert_true(
        g_file_set_contents_full(s->path, "", -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    assert_refused(s->path, STREAMD_ERROR_INVALID, "not a registry");
    g_assert_cmpint(sqlite3_open(s->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "CREATE TABLE device (id)", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    assert_refused(s->path, STREAMD_ERROR_INVALID, "not a registry");
    (void)g_unlink(s->path);
    g_assert_null(registry_sqlite_open(s->path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static void
test_later_version(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    sqlite3 *db = NULL;

    g_clear_pointer(&s->registry, registry_free);
    g_assert_cmpint(sqlite3_open(s->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    assert_refused(s->path, STREAMD_ERROR_INVALID, "version 99");
}

static void
test_readable_by_others(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    struct stat info;

    g_assert_cmpint(stat(s->path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777, ==, 0600);
    g_clear_pointer(&s->registry, registry_free);
    g_assert_cmpint(g_chmod(s->path, 0640), ==, 0);
    assert_refused(s->path, STREAMD_ERROR_DENIED, "640");
}

/* Cut at each sixteenth, or with a page overwritten: never opened as if nothing were missing. */
static void
test_damaged(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *bytes = NULL;
    gsize len = 0;

    for (guint i = 0; i < 200; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        g_assert_cmpint(add(s->registry, id, NULL), ==, REGISTRY_OK);
    }
    g_clear_pointer(&s->registry, registry_free);
    g_assert_true(g_file_get_contents(s->path, &bytes, &len, NULL));
    for (gsize part = 0; part < 16; part++) {
        g_assert_true(g_file_set_contents_full(s->path, bytes, (gssize)(len * part / 16),
                                               G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
        assert_refused(s->path, STREAMD_ERROR_INVALID, "");
    }
    memset(bytes + len / 2, 0x55, 4096);
    g_assert_true(g_file_set_contents_full(s->path, bytes, (gssize)len,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    assert_refused(s->path, STREAMD_ERROR_INVALID, "damaged");
}

/* While another process holds the write lock: a change is busy after its time, and meanwhile the
 * main loop turns and a record that is cached is found. */
static void
test_locked(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    RegistryDevice draft = {.id = (char *)"dev2", .enabled = TRUE};
    g_auto(Answer) change = {0};
    sqlite3 *db = NULL;

    g_assert_cmpint(add(s->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(s->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(sqlite3_open(s->path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), ==, SQLITE_OK);
    registry_add_device(s->registry, &draft, answer_take, &change);
    for (guint i = 0; i < 100; i++)
        g_assert_cmpint(lookup(s->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_false(change.done);
    answer_wait(&change);
    g_assert_cmpint(change.code, ==, REGISTRY_BUSY);
    g_assert_cmpint(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    g_assert_cmpint(lookup(s->registry, "dev2", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(add(s->registry, "dev2", NULL), ==, REGISTRY_OK);
}

/* SQLite's file system with faults: its tables of file methods (it has one for the database and one
 * for the log) with two entries replaced. */
typedef struct {
    sqlite3_io_methods methods; /* first: a file's pMethods leads here */
    const sqlite3_io_methods *real;
} FaultyMethods;

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    FaultyMethods tables[4];
    int countdown; /* calls until the fault; negative: none */
    int fault;
    gboolean stays;
} faulty = {.countdown = -1};

static int
fault_now(void)
{
    if (faulty.countdown < 0 || faulty.countdown-- > 0)
        return SQLITE_OK;
    faulty.countdown = faulty.stays ? 0 : -1;
    return faulty.fault;
}

static const sqlite3_io_methods *
real_methods(const sqlite3_file *file)
{
    return ((const FaultyMethods *)(const void *)file->pMethods)->real;
}

static int
faulty_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    int fault = fault_now();

    return fault != SQLITE_OK ? fault : real_methods(file)->xWrite(file, bytes, len, offset);
}

static int
faulty_sync(sqlite3_file *file, int flags)
{
    int fault = fault_now();

    return fault != SQLITE_OK ? fault : real_methods(file)->xSync(file, flags);
}

static int
faulty_open(sqlite3_vfs *vfs G_GNUC_UNUSED, const char *name, sqlite3_file *file, int flags,
            int *ret_flags)
{
    int result = faulty.real->xOpen(faulty.real, name, file, flags, ret_flags);
    FaultyMethods *table = faulty.tables;

    if (result != SQLITE_OK || !file->pMethods)
        return result;
    while (table->real && table->real != file->pMethods)
        table++;
    g_assert_true(table < faulty.tables + G_N_ELEMENTS(faulty.tables));
    table->real = file->pMethods;
    table->methods = *file->pMethods;
    table->methods.xWrite = faulty_write;
    table->methods.xSync = faulty_sync;
    file->pMethods = &table->methods;
    return SQLITE_OK;
}

static void
faulty_install(void)
{
    faulty.real = sqlite3_vfs_find(NULL);
    faulty.vfs = *faulty.real;
    faulty.vfs.zName = "faulty";
    faulty.vfs.xOpen = faulty_open;
    g_assert_cmpint(sqlite3_vfs_register(&faulty.vfs, 1), ==, SQLITE_OK);
}

static void
faulty_remove(void)
{
    faulty.countdown = -1;
    g_assert_cmpint(sqlite3_vfs_unregister(&faulty.vfs), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_vfs_register(faulty.real, 1), ==, SQLITE_OK);
}

static void
assert_known(Registry *registry, const char *id, gboolean known)
{
    g_assert_cmpint(lookup(registry, id, NULL), ==, known ? REGISTRY_OK : REGISTRY_NOT_FOUND);
}

/* One change whose Nth write or sync fails: when it was not acknowledged it is not there, when it
 * was it is, the next change works and the file is whole. FALSE when N is beyond its last call. */
static gboolean
fail_at(Scratch *s, int n, int fault, RegistryCode expected)
{
    g_autofree char *id = g_strdup_printf("dev-%d-%d", fault, n);
    g_autofree char *next = g_strdup_printf("next-%d-%d", fault, n);
    RegistryCode code;
    gboolean reached;

    scratch_open(s);
    faulty.fault = fault;
    faulty.countdown = n;
    code = add(s->registry, id, NULL);
    reached = faulty.countdown < 0;
    faulty.countdown = -1;
    g_assert_cmpint(code, ==, reached ? expected : REGISTRY_OK);
    assert_known(s->registry, id, code == REGISTRY_OK);
    g_assert_cmpint(add(s->registry, next, NULL), ==, REGISTRY_OK);
    scratch_reopen(s);
    assert_known(s->registry, id, code == REGISTRY_OK);
    assert_known(s->registry, next, TRUE);
    g_clear_pointer(&s->registry, registry_free);
    return reached;
}

static void
fail_everywhere(Scratch *s, int fault, RegistryCode expected)
{
    int n = 0;

    while (fail_at(s, n, fault, expected))
        n++;
    g_assert_cmpint(n, >=, 2); /* a write and a sync at least */
}

static void
test_failing_disk(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_clear_pointer(&s->registry, registry_free);
    faulty_install();
    fail_everywhere(s, SQLITE_FULL, REGISTRY_STORAGE);
    fail_everywhere(s, SQLITE_IOERR_WRITE, REGISTRY_STORAGE);
    fail_everywhere(s, SQLITE_IOERR_FSYNC, REGISTRY_STORAGE);
    faulty_remove();
}

/* Full for good: look-ups go on, and changes again once there is room. */
static void
test_full_disk_stays(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_clear_pointer(&s->registry, registry_free);
    faulty_install();
    scratch_open(s);
    g_assert_cmpint(add(s->registry, "dev1", NULL), ==, REGISTRY_OK);
    faulty.fault = SQLITE_FULL;
    faulty.stays = TRUE;
    faulty.countdown = 0;
    g_assert_cmpint(add(s->registry, "dev2", NULL), ==, REGISTRY_STORAGE);
    g_assert_cmpint(add(s->registry, "dev2", NULL), ==, REGISTRY_STORAGE);
    g_assert_cmpint(lookup(s->registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(s->registry, "dev2", NULL), ==, REGISTRY_NOT_FOUND);
    faulty.countdown = -1;
    g_assert_cmpint(add(s->registry, "dev2", NULL), ==, REGISTRY_OK);
    g_clear_pointer(&s->registry, registry_free);
    faulty_remove();
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--writer") == 0)
        return writer(argv[2]);
    g_test_init(&argc, &argv, NULL);
    program = argv[0];
#define ADD(name, func) g_test_add("/registry/" name, Scratch, NULL, set_up, func, tear_down)
    ADD("killed", test_killed);
    ADD("not-a-registry", test_not_a_registry);
    ADD("later-version", test_later_version);
    ADD("readable-by-others", test_readable_by_others);
    ADD("damaged", test_damaged);
    ADD("locked", test_locked);
    ADD("failing-disk", test_failing_disk);
    ADD("full-disk", test_full_disk_stays);
    return g_test_run();
}
