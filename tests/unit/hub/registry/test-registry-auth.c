/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How devices prove who they are, in the registry: written, read, replaced, and gone with them. */
#include "tests/unit/hub/registry/registry-helper.h"

#include <sqlite3.h>

#define ONE "0102030405060708090A0B0C0D0E0F1011121314"
#define TWO ONE "15161718191A1B1C1D1E1F20"

typedef struct {
    Scratch scratch;
    GString *changes;
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    g_autofree char *text = change->auth ? registry_auth_format(change->auth) : NULL;

    if (change->kind == REGISTRY_DEVICE_AUTH)
        g_string_append_printf(data, "%s/%s: %s; ", change->name,
                               change->module ? change->module : "", text);
}

static void
set_up(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->changes = g_string_new(NULL);
    (void)registry_watch(f->scratch.registry, on_change, f->changes);
}

static void
tear_down(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
    g_string_free(f->changes, TRUE);
}

static RegistryAuth
auth_of(const char *text)
{
    RegistryAuth auth = {0};

    g_assert_true(registry_auth_parse(text, &auth));
    return auth;
}

static void
check_auth(Fixture *f, const char *id, const char *module, const char *wanted)
{
    g_auto(Answer) answer = {0};
    g_autofree char *text = NULL;

    g_assert_cmpint(ANSWER(answer, registry_fetch_device, f->scratch.registry, id, module), ==,
                    REGISTRY_OK);
    text = registry_auth_format(&answer.device->auth);
    g_assert_cmpstr(text, ==, wanted);
}

static RegistryCode
set_auth(Fixture *f, const char *id, const char *module, const char *text, guint64 *ret_etag)
{
    RegistryAuth auth = auth_of(text);
    g_auto(Answer) answer = {0};
    RegistryCode code = ANSWER(answer, registry_set_auth, f->scratch.registry, id, module, &auth);

    if (ret_etag && answer.device)
        *ret_etag = answer.device->etag;
    return code;
}

static void
test_set(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    guint64 first = 0, second = 0;

    g_assert_cmpint(add(f->scratch.registry, "dev", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev", "m"), ==, REGISTRY_OK);
    check_auth(f, "dev", NULL, "sas");
    g_assert_cmpint(set_auth(f, "dev", NULL, "selfSigned " ONE " " TWO, &first), ==, REGISTRY_OK);
    check_auth(f, "dev", NULL, "selfSigned " ONE " " TWO);
    check_auth(f, "dev", "m", "sas");
    g_assert_cmpint(set_auth(f, "dev", "m", "certificateAuthority", &second), ==, REGISTRY_OK);
    g_assert_true(first != 0 && second != 0 && first != second);
    check_auth(f, "dev", NULL, "selfSigned " ONE " " TWO);
    g_assert_cmpint(set_auth(f, "dev", NULL, "sas", NULL), ==, REGISTRY_OK);
    check_auth(f, "dev", NULL, "sas");
    check_auth(f, "dev", "m", "certificateAuthority");
    g_assert_cmpstr(f->changes->str, ==,
                    "dev/: selfSigned " ONE " " TWO "; dev/m: certificateAuthority; dev/: sas; ");
    g_assert_cmpint(set_auth(f, "none", NULL, "sas", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(set_auth(f, "dev", "none", "sas", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(set_auth(f, "no good", NULL, "sas", NULL), ==, REGISTRY_NOT_FOUND);
}

static void
test_add(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    RegistryDevice draft = {
        .id = (char *)"dev", .enabled = TRUE, .auth = auth_of("selfSigned - " TWO)};
    RegistryDevice bad = {
        .id = (char *)"bad", .enabled = TRUE, .auth = {.kind = REGISTRY_AUTH_THUMBPRINT}};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_device, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
    check_auth(f, "dev", NULL, "selfSigned - " TWO);
    g_assert_cmpint(ANSWER(answer, registry_add_device, f->scratch.registry, &bad), ==,
                    REGISTRY_INVALID);
    g_assert_nonnull(strstr(answer.message, "needs a thumbprint"));
    g_assert_cmpint(ANSWER(answer, registry_set_auth, f->scratch.registry, "dev", NULL, &bad.auth),
                    ==, REGISTRY_INVALID);
    check_auth(f, "dev", NULL, "selfSigned - " TWO);
}

/* A device that is added again begins anew: nothing of the former one lets anybody in. */
static void
test_gone(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};

    g_assert_cmpint(add(f->scratch.registry, "dev", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev", "m"), ==, REGISTRY_OK);
    g_assert_cmpint(set_auth(f, "dev", NULL, "certificateAuthority", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(set_auth(f, "dev", "m", "certificateAuthority", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, f->scratch.registry, "dev", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(add(f->scratch.registry, "dev", "m"), ==, REGISTRY_OK);
    check_auth(f, "dev", NULL, "sas");
    check_auth(f, "dev", "m", "sas");
}

/* What a later version may have written: nobody gets in by it. */
static void
test_unknown(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const guint8 none[32] = {0};
    g_auto(Answer) answer = {0};
    sqlite3 *db = NULL;

    g_assert_cmpint(add(f->scratch.registry, "dev", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(sqlite3_open(f->scratch.path, &db), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(db, "INSERT INTO device_auth VALUES ('dev', '', 'quantum')", NULL, NULL, NULL),
        ==, SQLITE_OK);
    (void)sqlite3_close(db);
    g_assert_cmpint(ANSWER(answer, registry_fetch_device, f->scratch.registry, "dev", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpint(answer.device->auth.kind, !=, REGISTRY_AUTH_KEYS);
    g_assert_false(registry_auth_knows(&answer.device->auth, none, none));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/registry-auth/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("set", test_set);
    ADD("add", test_add);
    ADD("gone", test_gone);
    ADD("unknown", test_unknown);
    return g_test_run();
}
