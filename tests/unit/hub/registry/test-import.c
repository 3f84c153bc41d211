/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An import: what becomes of each row, all of it or nothing, and who is told. */
#include "hub/registry/device-row.h"
#include "tests/unit/hub/registry/registry-helper.h"

typedef struct {
    Scratch scratch;
    GString *told;     /* by watchers */
    GString *outcomes; /* a letter per row */
    char *why;         /* of the last row that was refused */
    RegistryCode code;
    gboolean done;
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    static const char *const names[] = {
        [REGISTRY_DEVICE_REMOVED] = "removed",   [REGISTRY_DEVICE_DISABLED] = "disabled",
        [REGISTRY_DEVICE_ADMITTED] = "admitted", [REGISTRY_DEVICE_EDITED] = "edited",
        [REGISTRY_DEVICE_AUTH] = "auth",         [REGISTRY_DEVICE_KEYS] = "keys"};
    Fixture *f = data;

    g_string_append_printf(f->told, "%s %s%s%s\n", names[change->kind], change->name,
                           change->module ? "/" : "", change->module ? change->module : "");
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->told = g_string_new(NULL);
    f->outcomes = g_string_new(NULL);
    (void)registry_watch(f->scratch.registry, on_change, f);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
    g_string_free(f->told, TRUE);
    g_string_free(f->outcomes, TRUE);
    g_free(f->why);
}

static void
on_imported(const RegistryResult *result, void *data)
{
    Fixture *f = data;
    const RegistryImport *import = result->extra;

    f->done = TRUE;
    f->code = result->code;
    g_string_truncate(f->outcomes, 0);
    for (guint i = 0; import && i < import->rows->len; i++) {
        const DeviceRow *row = import->rows->pdata[i];

        g_string_append_c(f->outcomes, "-+~!"[row->outcome]);
        if (row->outcome != DEVICE_ROW_REFUSED)
            continue;
        g_free(f->why);
        f->why = g_strdup(row->why);
    }
}

/* LINES: one row each. Returns a letter per row: + added, ~ updated, - unchanged, ! refused. */
static const char *
import_as(Fixture *f, const char *lines, gboolean update, gboolean dry_run)
{
    RegistryImport *import = registry_import_new(update, dry_run);
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);

    for (guint i = 0; list[i]; i++) {
        g_autofree char *why = NULL;
        DeviceRow *row = device_row_parse(list[i], strlen(list[i]), &why);

        g_assert_cmpstr(why, ==, NULL);
        g_ptr_array_add(import->rows, row);
    }
    f->done = FALSE;
    g_string_truncate(f->told, 0);
    registry_import_devices(f->scratch.registry, import, on_imported, f);
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
    return f->outcomes->str;
}

static const char *
import(Fixture *f, const char *lines)
{
    const char *outcomes = import_as(f, lines, FALSE, FALSE);

    g_assert_cmpint(f->code, ==, REGISTRY_OK);
    return outcomes;
}

#define KEY "AAECAwQFBgcICQoLDA0ODw=="
#define OTHER_KEY "AQECAwQFBgcICQoLDA0ODw=="

static void
test_added(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Registry *registry = f->scratch.registry;
    g_auto(Answer) answer = {0};

    g_assert_cmpstr(import(f, "{\"id\":\"a\",\"tags\":{\"site\":\"x\"},\"comment\":\"c\"}\n"
                              "{\"id\":\"a\",\"module\":\"m\"}\n"
                              "{\"id\":\"b\",\"status\":\"disabled\",\"keys\":{\"primary\":\"" KEY
                              "\"}}\n"
                              "{\"id\":\"c\",\"module\":\"m\"}"),
                    ==, "+++!");
    g_assert_nonnull(strstr(f->why, "there is no device 'c'"));
    g_assert_cmpstr(f->told->str, ==, "");
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, registry, "a", NULL), ==, REGISTRY_OK);
    g_assert_cmpstr(answer.device->comment, ==, "c");
    g_assert_cmpstr(registry_tags_get(answer.device->tags, "site"), ==, "x");
    g_assert_cmpuint(answer.device->primary.len, ==, REGISTRY_KEY_NEW);
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, registry, "b", NULL), ==, REGISTRY_OK);
    g_assert_false(answer.device->enabled);
    g_assert_cmpuint(answer.device->primary.len, ==, 16);
    g_assert_cmpuint(answer.device->secondary.len, ==, REGISTRY_KEY_NEW);
    g_assert_cmpint(ANSWER(answer, registry_list_tagged, registry, "site=x", NULL, NULL, 0), ==,
                    REGISTRY_OK);
    g_assert_cmpuint(answer.names->len, ==, 2);
    g_assert_cmpint(lookup(registry, "c", NULL), ==, REGISTRY_NOT_FOUND);
}

/* Each field by itself: the same, another one, not named; without and with --update. */
static void
test_fields(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *row, *plain, *update, *why, *told;
    } rows[] = {
        {"{\"id\":\"a\"}", "-", "-", NULL, ""},
        {"{\"id\":\"a\",\"status\":\"enabled\"}", "-", "-", NULL, ""},
        {"{\"id\":\"a\",\"tags\":{\"site\":\"x\"}}", "-", "-", NULL, ""},
        {"{\"id\":\"a\",\"comment\":\"c\",\"keys\":{\"primary\":\"" KEY "\"}}", "-", "-", NULL, ""},
        {"{\"id\":\"a\",\"status\":\"disabled\"}", "!", "~", "status", "disabled a\n"},
        {"{\"id\":\"a\",\"tags\":{\"site\":\"y\"}}", "!", "~", "tags", "edited a\n"},
        {"{\"id\":\"a\",\"tags\":{}}", "!", "~", "tags", "edited a\n"},
        {"{\"id\":\"a\",\"comment\":\"\"}", "!", "~", "comment", ""},
        {"{\"id\":\"a\",\"keys\":{\"primary\":\"" OTHER_KEY "\"}}", "!", "~", "keys", "keys a\n"},
        {"{\"id\":\"a\",\"keys\":{\"secondary\":\"" OTHER_KEY "\"},\"tags\":{}}", "!", "~",
         "tags, keys", "edited a\nkeys a\n"},
        {"{\"id\":\"a\",\"auth\":\"sas\"}", "-", "-", NULL, ""},
        {"{\"id\":\"a\",\"auth\":\"certificateAuthority\"}", "!", "~", "auth", "auth a\n"},
        {"{\"id\":\"a\",\"module\":\"m\",\"status\":\"disabled\"}", "!", "~", "status",
         "disabled a/m\n"},
    };
    static const char before[] = "{\"id\":\"a\",\"status\":\"enabled\",\"tags\":{\"site\":\"x\"},"
                                 "\"comment\":\"c\",\"auth\":\"sas\",\"keys\":{\"primary\":\"" KEY
                                 "\",\"secondary\":\"" KEY "\"}}\n"
                                 "{\"id\":\"a\",\"module\":\"m\",\"status\":\"enabled\"}";

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].row);
        (void)import_as(f, before, TRUE, FALSE);
        g_assert_cmpstr(import(f, rows[i].row), ==, rows[i].plain);
        g_assert_cmpstr(f->told->str, ==, "");
        g_assert_true(!rows[i].why || strstr(f->why, rows[i].why));
        g_assert_cmpstr(import_as(f, rows[i].row, TRUE, TRUE), ==, rows[i].update);
        g_assert_cmpstr(f->told->str, ==, "");
        g_assert_cmpstr(import(f, before), ==, "--");
        g_assert_cmpstr(import_as(f, rows[i].row, TRUE, FALSE), ==, rows[i].update);
        g_assert_cmpstr(f->told->str, ==, rows[i].told);
        g_assert_cmpstr(import(f, rows[i].row), ==, "-");
    }
}

/* What was looked up before is not what is answered after. */
static void
test_cache(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};

    (void)import(f, "{\"id\":\"a\"}");
    g_assert_cmpint(lookup(f->scratch.registry, "a", NULL), ==, REGISTRY_OK);
    g_assert_nonnull(registry_peek_device(f->scratch.registry, "a", NULL));
    g_assert_cmpstr(import_as(f, "{\"id\":\"a\",\"status\":\"disabled\"}", TRUE, FALSE), ==, "~");
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, f->scratch.registry, "a", NULL), ==,
                    REGISTRY_OK);
    g_assert_false(answer.device->enabled);
}

/* A dry run says what there would be, modules of new devices as well, and leaves nothing. */
static void
test_dry_run(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpstr(import_as(f, "{\"id\":\"a\"}\n{\"id\":\"a\",\"module\":\"m\"}\n{\"id\":\"a\"}",
                              FALSE, TRUE),
                    ==, "++-");
    g_assert_cmpint(lookup(f->scratch.registry, "a", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpstr(import(f, "{\"id\":\"a\"}"), ==, "+");
}

/* One more module than a device may have, and one more row than an import may. */
static void
test_limits(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GString) lines = g_string_new("{\"id\":\"a\"}");
    g_autoptr(GString) wanted = g_string_new("+");

    for (guint i = 0; i <= REGISTRY_MODULES_MAX; i++) {
        g_string_append_printf(lines, "\n{\"id\":\"a\",\"module\":\"m%u\"}", i);
        g_string_append_c(wanted, i < REGISTRY_MODULES_MAX ? '+' : '!');
    }
    g_assert_cmpstr(import(f, lines->str), ==, wanted->str);
    g_assert_nonnull(strstr(f->why, "no more may be added"));
    g_string_assign(lines, "{\"id\":\"b0\"}");
    for (guint i = 1; i < IMPORT_ROWS_MAX; i++)
        g_string_append_printf(lines, "\n{\"id\":\"b%u\"}", i);
    g_assert_cmpuint(strlen(import(f, lines->str)), ==, IMPORT_ROWS_MAX);
    g_string_append(lines, "\n{\"id\":\"one-more\"}");
    (void)import_as(f, lines->str, FALSE, FALSE);
    g_assert_cmpint(f->code, ==, REGISTRY_INVALID);
    g_assert_cmpint(lookup(f->scratch.registry, "one-more", NULL), ==, REGISTRY_NOT_FOUND);
}

#define ADD(name, func) g_test_add("/import/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("added", test_added);
    ADD("fields", test_fields);
    ADD("cache", test_cache);
    ADD("dry-run", test_dry_run);
    ADD("limits", test_limits);
    return g_test_run();
}
