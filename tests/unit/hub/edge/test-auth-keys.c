/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of two keys of whom opens what, with the real store; and the times of a token, by a clock
 * that stands still: the linker puts one in front of g_get_real_time. */
#include "common/codec/sas-token.h"
#include "hub/edge/auth.h"
#include "tests/unit/hub/registry/registry-helper.h"

#define HOST "hub.example"
#define HOUR 3600
#define NOW 1900000000 /* s since the epoch */

gint64 __wrap_g_get_real_time(void);

gint64
__wrap_g_get_real_time(void)
{
    return NOW * G_TIME_SPAN_SECOND + G_TIME_SPAN_SECOND - 1;
}

/* Whose key, and which of the two: by its first bytes. */
typedef enum {
    DEVICE,
    MODULE,
    OTHER_MODULE,
    OTHER_DEVICE,
    USER,
    OTHER_USER,
    UNNAMED,
    OWNERS
} Owner;

typedef struct {
    Scratch scratch; /* first */
    Settings *settings;
    Admission *admission;
    Auth *auth;
    gboolean done;
    AuthResult result;
} Fixture;

static RegistryKey
key_of(Owner owner, guint which)
{
    RegistryKey key = {.len = REGISTRY_KEY_NEW};

    memset(key.bytes, 'x', REGISTRY_KEY_NEW);
    key.bytes[0] = (guint8)('a' + owner);
    key.bytes[REGISTRY_KEY_NEW - 1] = (guint8)('1' + which);
    return key;
}

static void
add_device(Fixture *f, Owner owner, const char *id, const char *module)
{
    RegistryDevice draft = {.id = (char *)(guintptr)id,
                            .module = (char *)(guintptr)module,
                            .enabled = TRUE,
                            .primary = key_of(owner, 0),
                            .secondary = key_of(owner, 1)};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_device, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
}

static void
add_user(Fixture *f, Owner owner, const char *name, RegistryRights rights)
{
    RegistryPolicy draft = {.name = (char *)(guintptr)name,
                            .rights = rights,
                            .primary = key_of(owner, 0),
                            .secondary = key_of(owner, 1)};
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
}

static void
fixture_setup(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {HOST, NULL};

    scratch_make(&f->scratch);
    add_device(f, DEVICE, "dev1", NULL);
    add_device(f, MODULE, "dev1", "m");
    add_device(f, OTHER_MODULE, "dev1", "n");
    add_device(f, OTHER_DEVICE, "dev2", NULL);
    add_user(f, USER, "anna", REGISTRY_RIGHT_SERVICE_CONNECT | REGISTRY_RIGHT_DEVICE_CONNECT);
    add_user(f, OTHER_USER, "berta", REGISTRY_RIGHT_READ);
    add_user(f, UNNAMED, "-", REGISTRY_RIGHTS_ALL);
    f->settings = settings_new();
    f->settings->penalty = 0;
    f->admission = admission_new(f->settings);
    f->auth = auth_new(f->settings, f->scratch.registry, f->admission, names);
}

static void
fixture_teardown(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    auth_free(f->auth);
    admission_free(f->admission);
    settings_free(f->settings);
    scratch_clear(&f->scratch);
}

static void
checked(const AuthResult *result, void *data)
{
    Fixture *f = data;

    f->result = *result;
    f->done = TRUE;
}

static char *
token_of(const char *resource, const RegistryKey *key, guint64 expiry, const char *policy)
{
    g_autofree char *whole = g_strconcat(HOST, *resource ? "/" : "", resource, NULL);

    return sas_token_build(whole, key->bytes, key->len, expiry, policy);
}

static AuthVerdict
device_says(Fixture *f, const char *device, const char *module, const char *token, gsize len)
{
    const AuthDevice asked = {source_of_peer("192.0.2.1:1"), device, module, token, len};

    f->done = FALSE;
    (void)auth_check_device(f->auth, &asked, checked, f);
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
    return f->result.verdict;
}

static AuthVerdict
service_says(Fixture *f, const char *token)
{
    const AuthService asked = {source_of_peer("192.0.2.1:1"), "twins/dev1",
                               REGISTRY_RIGHT_SERVICE_CONNECT, token};

    f->done = FALSE;
    (void)auth_check_service(f->auth, &asked, checked, f);
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
    return f->result.verdict;
}

/* Device, module of a device, and user; whose keys open it. A device's key does not open its
 * modules: those have their own. */
static const struct {
    const char *device, *module; /* NULL: a service */
    const char *resource;
    const char *policy;
    Owner owner;
} doors[] = {
    {"dev1", NULL, "devices/dev1", NULL, DEVICE},
    {"dev1", "m", "devices/dev1/modules/m", NULL, MODULE},
    {"dev1", "n", "devices/dev1/modules/n", NULL, OTHER_MODULE},
    {"dev2", NULL, "devices/dev2", NULL, OTHER_DEVICE},
    {NULL, NULL, "twins/dev1", "anna", USER},
    {NULL, NULL, "", "anna", USER},
    {"dev1", NULL, "devices/dev1", "anna", USER},
    {"dev1", "m", "devices/dev1/modules/m", "anna", USER},
};

/* Each door with each key of everybody, what is stored asked first and then the cache. */
static void
test_every_key(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < G_N_ELEMENTS(doors); i++) {
        for (guint j = 0; j < 2 * OWNERS * 2; j++) {
            const Owner owner = j / 2 % OWNERS;
            const RegistryKey key = key_of(owner, j % 2);
            g_autofree char *token = token_of(doors[i].resource, &key, NOW + HOUR, doors[i].policy);
            AuthVerdict verdict = doors[i].device ? device_says(f, doors[i].device, doors[i].module,
                                                                token, strlen(token))
                                                  : service_says(f, token);

            g_test_message("door %u, key %u of %u", i, j % 2, owner);
            g_assert_cmpint(verdict, ==, owner == doors[i].owner ? AUTH_OK : AUTH_DENIED);
        }
    }
}

/* A key of which there is none is not one of zeros. */
static void
test_no_key_is_no_zeros(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryKey zeros = {.len = REGISTRY_KEY_NEW};
    g_autofree char *token = token_of("devices/dev3", &zeros, NOW + HOUR, NULL);
    g_autofree char *user = token_of("twins/dev1", &zeros, NOW + HOUR, "nobody");

    g_assert_cmpint(device_says(f, "dev3", NULL, token, strlen(token)), ==, AUTH_DENIED);
    g_assert_cmpint(service_says(f, user), ==, AUTH_DENIED);
}

/* A policy's right, whichever of its keys it shows. */
static void
test_rights(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    for (guint which = 0; which < 2; which++) {
        const RegistryKey key = key_of(OTHER_USER, which);
        g_autofree char *token = token_of("twins/dev1", &key, NOW + HOUR, "berta");
        g_autofree char *device = token_of("devices/dev1", &key, NOW + HOUR, "berta");
        g_autofree char *unnamed = token_of("twins/dev1", &key, NOW + HOUR, NULL);

        g_assert_cmpint(service_says(f, token), ==, AUTH_FORBIDDEN);
        g_assert_cmpint(device_says(f, "dev1", NULL, device, strlen(device)), ==, AUTH_FORBIDDEN);
        g_assert_cmpint(service_says(f, unnamed), ==, AUTH_DENIED);
    }
}

/* Who names no user is not the one by whose name such a token is looked up. */
static void
test_unnamed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryKey key = key_of(UNNAMED, 0);
    g_autofree char *unnamed = token_of("twins/dev1", &key, NOW + HOUR, NULL);
    g_autofree char *named = token_of("twins/dev1", &key, NOW + HOUR, "-");

    g_assert_cmpint(service_says(f, unnamed), ==, AUTH_DENIED);
    g_assert_cmpint(service_says(f, named), ==, AUTH_OK);
    g_assert_cmpint(service_says(f, unnamed), ==, AUTH_DENIED); /* nor when the cache has it */
}

/* A name that no device can have is refused as any other. */
static void
test_names(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryKey key = key_of(DEVICE, 0);
    g_autofree char *longest = g_strnfill(128, 'd'), *longer = g_strnfill(129, 'd');
    const char *const names[] = {"dev 1", "d\xc3\xa4v", "", longest, longer};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *token = token_of("devices/dev1", &key, NOW + HOUR, NULL);

        g_assert_cmpint(device_says(f, names[i], NULL, token, strlen(token)), ==, AUTH_DENIED);
        g_assert_cmpint(device_says(f, "dev1", names[i], token, strlen(token)), ==, AUTH_DENIED);
    }
}

/* From the end of a token on it is good for `token-skew`, and it may end `…-token-life-max` and the
 * skew from now: at the bound and one second past it. */
static void
test_times(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryKey device = key_of(DEVICE, 0), user = key_of(USER, 0);
    const struct {
        gboolean service;
        gint64 expiry;
        gboolean good;
    } rows[] = {
        {FALSE, NOW - 5, TRUE},
        {FALSE, NOW - 6, FALSE},
        {FALSE, NOW + 100 * HOUR + 5, TRUE},
        {FALSE, NOW + 100 * HOUR + 6, FALSE},
        {TRUE, NOW - 5, TRUE},
        {TRUE, NOW - 6, FALSE},
        {TRUE, NOW + 10 * HOUR + 5, TRUE},
        {TRUE, NOW + 10 * HOUR + 6, FALSE},
    };

    f->settings->device_token_life_max = 100 * G_TIME_SPAN_HOUR;
    f->settings->service_token_life_max = 10 * G_TIME_SPAN_HOUR;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint64 expiry = (guint64)rows[i].expiry;
        g_autofree char *token = rows[i].service ? token_of("twins/dev1", &user, expiry, "anna")
                                                 : token_of("devices/dev1", &device, expiry, NULL);
        AuthVerdict verdict = rows[i].service ? service_says(f, token)
                                              : device_says(f, "dev1", NULL, token, strlen(token));

        g_test_message("row %u", i);
        g_assert_cmpint(verdict, ==, rows[i].good ? AUTH_OK : AUTH_DENIED);
        if (rows[i].good)
            g_assert_cmpint(f->result.expiry, ==, rows[i].expiry);
    }
}

/* What stands behind a NUL is a part of the password, and a password that is too long is none. */
static void
test_bytes(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryKey key = key_of(DEVICE, 0);
    g_autofree char *token = token_of("devices/dev1", &key, NOW + HOUR, NULL);
    gsize len = strlen(token);
    g_autofree char *room = g_malloc0(SAS_TEXT_MAX + 2);

    memcpy(room, token, len);
    g_assert_cmpint(device_says(f, "dev1", NULL, room, len), ==, AUTH_OK);
    g_assert_cmpint(device_says(f, "dev1", NULL, room, len + 1), ==, AUTH_DENIED);
    g_assert_cmpint(device_says(f, "dev1", NULL, room, len - 1), ==, AUTH_DENIED);
    g_assert_cmpint(device_says(f, "dev1", NULL, room, 0), ==, AUTH_DENIED);
    memset(room, 'x', SAS_TEXT_MAX + 1);
    g_assert_cmpint(device_says(f, "dev1", NULL, room, SAS_TEXT_MAX + 1), ==, AUTH_DENIED);
    g_assert_cmpint(device_says(f, "dev1", NULL, NULL, 0), ==, AUTH_DENIED);
}

/* A device that is off takes its modules with it; a module that is off goes alone; neither key
 * opens it. One that is on again is let in at once, whatever the cache had. */
static void
test_disabled(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *off;  /* the module that is off, "" for the device */
        gboolean open[3]; /* dev1, m, n */
    } rows[] = {
        {"", {FALSE, FALSE, FALSE}}, {"m", {TRUE, FALSE, TRUE}}, {"n", {TRUE, TRUE, FALSE}}};

    for (guint row = 0; row < G_N_ELEMENTS(rows); row++) {
        const char *module = *rows[row].off ? rows[row].off : NULL;

        for (guint i = 0; i < 2 * 3 * 2; i++) {
            const gboolean off = i < 6;
            const guint door = i / 2 % 3;
            const RegistryKey key = key_of(doors[door].owner, i % 2);
            g_autofree char *token = token_of(doors[door].resource, &key, NOW + HOUR, NULL);
            g_auto(Answer) answer = {0};

            g_assert_cmpint(
                ANSWER(answer, registry_set_enabled, f->scratch.registry, "dev1", module, !off), ==,
                REGISTRY_OK);
            g_assert_cmpint(device_says(f, "dev1", doors[door].module, token, strlen(token)), ==,
                            off && !rows[row].open[door] ? AUTH_DENIED : AUTH_OK);
        }
    }
}

#define ADD(path, func)                                                                            \
    g_test_add("/auth-keys/" path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("every-key", test_every_key);
    ADD("no-key-is-no-zeros", test_no_key_is_no_zeros);
    ADD("rights", test_rights);
    ADD("unnamed", test_unnamed);
    ADD("names", test_names);
    ADD("times", test_times);
    ADD("bytes", test_bytes);
    ADD("disabled", test_disabled);
    return g_test_run();
}
