/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is let in and how the others are refused; and that each refusal costs the same work: the
 * linker puts a counter in front of sas_token_verify, and a store of its own counts what it is
 * asked. */
#include "common/codec/sas-token.h"
#include "hub/edge/auth.h"
#include "hub/edge/penalties.h"
#include "hub/registry/job.h"

#include <string.h>

#define HOST "hub.example"
#define HOUR 3600

gboolean __real_sas_token_verify(const SasToken *token, const guint8 *key, gsize key_len);
gboolean __wrap_sas_token_verify(const SasToken *token, const guint8 *key, gsize key_len);

gboolean __real_penalties_guesses(Penalties *penalties, const Source *source);
gboolean __wrap_penalties_guesses(Penalties *penalties, const Source *source);

static guint macs;
static Source guessing; /* a region of which that is to be said */

gboolean
__wrap_penalties_guesses(Penalties *penalties, const Source *source)
{
    return source_equal(source, &guessing) || __real_penalties_guesses(penalties, source);
}

gboolean
__wrap_sas_token_verify(const SasToken *token, const guint8 *key, gsize key_len)
{
    macs++;
    return __real_sas_token_verify(token, key, key_len);
}

/* ---- what is stored: dev1, which may be disabled, and the policies user and owner ---- */

typedef struct {
    RegistryBackend backend;
    guint asked;
    gboolean disabled;
    gboolean broken;
    gboolean no_primary;
    gboolean secondary;
    RegistryAuth auth; /* of dev1 */
} Store;

static const guint8 right_key[32] = "the right key", wrong_key[32] = "a wrong key";
static const guint8 second_key[32] = "the second key", zeros[32];

static void
key_set(RegistryKey *key, const guint8 *bytes)
{
    memcpy(key->bytes, bytes, 32);
    key->len = 32;
}

static void
store_submit(RegistryBackend *backend, RegistryJob *job)
{
    Store *store = CONTAINER_OF(backend, Store, backend);
    const char *name = job->policy ? job->policy->name : job->device->id;
    gboolean user = job->policy && g_str_equal(name, "user");
    gboolean there = job->policy ? user || g_str_equal(name, "owner") : g_str_equal(name, "dev1");
    RegistryKey *primary = job->policy ? &job->policy->primary : &job->device->primary;
    RegistryKey *secondary = job->policy ? &job->policy->secondary : &job->device->secondary;

    store->asked++;
    if (store->broken || !there) {
        registry_job_finish(job, store->broken ? REGISTRY_FAILED : REGISTRY_NOT_FOUND, NULL);
        return;
    }
    if (!store->no_primary)
        key_set(primary, right_key);
    if (store->secondary)
        key_set(secondary, second_key);
    if (job->policy)
        job->policy->rights = user ? REGISTRY_RIGHT_SERVICE_CONNECT : REGISTRY_RIGHTS_ALL;
    else
        job->device->admitted = !store->disabled;
    if (job->device)
        job->device->auth = store->auth;
    registry_job_finish(job, REGISTRY_OK, NULL);
}

static void
store_free(RegistryBackend *backend G_GNUC_UNUSED)
{
}

typedef struct {
    Store store;
    Settings *settings;
    Registry *registry;
    Admission *admission;
    Auth *auth;
    gboolean done;
    AuthResult result;
    char policy[64]; /* of the result, which does not outlive the completion */
} Fixture;

static const char *const hosts[] = {HOST, NULL};

static void
fixture_setup(Fixture *f, gconstpointer data)
{
    f->store.backend = (RegistryBackend){store_submit, store_free};
    f->settings = settings_new();
    f->registry = registry_new(&f->store.backend);
    f->admission = admission_new(f->settings);
    f->auth = auth_new(f->settings, f->registry, f->admission, hosts);
}

static void
fixture_teardown(Fixture *f, gconstpointer data)
{
    auth_free(f->auth);
    admission_free(f->admission);
    registry_free(f->registry);
    settings_free(f->settings);
}

static void
checked(const AuthResult *result, void *data)
{
    Fixture *f = data;

    f->result = *result;
    f->result.policy = NULL;
    g_strlcpy(f->policy, result->policy ? result->policy : "", sizeof f->policy);
    f->done = TRUE;
}

static char *
token_of(const char *resource, const guint8 *key, gint64 seconds, const char *policy)
{
    g_autofree char *whole = g_strconcat(HOST, *resource ? "/" : "", resource, NULL);
    guint64 expiry = (guint64)(g_get_real_time() / G_TIME_SPAN_SECOND + seconds);

    return sas_token_build(whole, key, 32, expiry, policy);
}

static AuthVerdict
wait_for(Fixture *f)
{
    g_assert_false(f->done); /* never from within */
    while (!f->done)
        g_main_context_iteration(NULL, TRUE);
    f->done = FALSE;
    return f->result.verdict;
}

static AuthVerdict
check_device(Fixture *f, const char *peer, const char *device, const char *token)
{
    const AuthDevice asked = {source_of_peer(peer), device, NULL, token, token ? strlen(token) : 0};

    macs = f->store.asked = 0;
    (void)auth_check_device(f->auth, &asked, checked, f);
    return wait_for(f);
}

static AuthVerdict
check_service(Fixture *f, const char *token)
{
    const AuthService asked = {source_of_peer("192.0.2.1:1"), "twins/dev1",
                               REGISTRY_RIGHT_SERVICE_CONNECT, token};

    macs = f->store.asked = 0;
    (void)auth_check_service(f->auth, &asked, checked, f);
    return wait_for(f);
}

static AuthVerdict
device_with(Fixture *f, const char *device, const guint8 *key)
{
    g_autofree char *resource = g_strconcat("devices/", device, NULL);
    g_autofree char *token = token_of(resource, key, HOUR, NULL);

    return check_device(f, "192.0.2.1:1", device, token);
}

static AuthVerdict
user_with(Fixture *f, const char *policy, const guint8 *key)
{
    g_autofree char *token = token_of("twins/dev1", key, HOUR, policy);

    return check_service(f, token);
}

/* The right key in the middle of wrong ones: at once, each time; then wrong ones begin anew. */
static void
test_right_one_passes(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpint(device_with(f, "dev1", wrong_key), ==, AUTH_DENIED);
        g_assert_cmpint(device_with(f, "dev1", wrong_key), ==, AUTH_TOO_SOON);
        g_assert_cmpuint(f->result.retry_after, ==, 5);
        g_assert_cmpint(device_with(f, "dev1", right_key), ==, AUTH_OK);
        g_assert_cmpint(user_with(f, "user", wrong_key), ==, AUTH_DENIED);
        g_assert_cmpint(user_with(f, "user", wrong_key), ==, AUTH_TOO_SOON);
        g_assert_cmpint(user_with(f, "user", right_key), ==, AUTH_OK);
        g_assert_cmpstr(f->policy, ==, "user");
    }
}

/* What is told of dev1 and of nobody, of user and of nobody: the same, at each step. */
static void
test_unknown_the_same(Fixture *f, gconstpointer data)
{
    static const char *const devices[] = {"dev1", "nobody"}, *const users[] = {"user", "nobody"};

    for (guint i = 0; i < 2; i++) {
        g_assert_cmpint(device_with(f, devices[i], wrong_key), ==, AUTH_DENIED);
        g_assert_cmpint(device_with(f, devices[i], wrong_key), ==, AUTH_TOO_SOON);
        g_assert_cmpint(user_with(f, users[i], wrong_key), ==, AUTH_DENIED);
        g_assert_cmpint(user_with(f, users[i], wrong_key), ==, AUTH_TOO_SOON);
    }
}

/* Whatever is wrong, and whether the cache knows the name: one question and four MACs, of two keys
 * in the cache and of two that are stored; a policy's token of a device asks for both records. */
static void
test_same_work(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *device;
        const char *resource;
        const char *policy;
        gint64 seconds;
        gboolean right;
    } rows[] = {
        {"dev1", "devices/dev1", NULL, HOUR, FALSE},
        {"nobody", "devices/nobody", NULL, HOUR, FALSE},
        {"nobody", "devices/nobody", NULL, HOUR, TRUE},
        {"dev1", "devices/dev2", NULL, HOUR, TRUE},
        {"dev1", "devices/dev1", NULL, -HOUR, TRUE},
        {"dev1", "devices/dev1", NULL, HOUR * 24 * 400, TRUE},
        {"dev1", "", "nobody", HOUR, FALSE},
        {"nobody", "", "nobody", HOUR, FALSE},
        {"dev1", "", "owner", HOUR, FALSE},
        {"nobody", "", "owner", HOUR, FALSE},
        {"nobody", "", "owner", HOUR, TRUE},
        {"dev1", "devices/dev2", "owner", HOUR, TRUE},
        {"nobody", "devices/dev1", "owner", HOUR, TRUE},
        {"dev1", "", "owner", -HOUR, TRUE},
    };

    for (guint warm = 0; warm < 2; warm++) {
        if (warm) {
            g_assert_cmpint(device_with(f, "dev1", right_key), ==, AUTH_OK);
            g_assert_cmpint(user_with(f, "owner", right_key), ==, AUTH_OK);
        }
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
            g_autofree char *token =
                token_of(rows[i].resource, rows[i].right ? right_key : wrong_key, rows[i].seconds,
                         rows[i].policy);

            for (guint again = 0; again < 2; again++) {
                AuthVerdict verdict = check_device(f, "192.0.2.1:1", rows[i].device, token);

                g_assert_true(verdict == AUTH_DENIED || verdict == AUTH_TOO_SOON);
                g_assert_cmpuint(macs, ==, 4);
                g_assert_cmpuint(f->store.asked, ==, rows[i].policy ? 2 : 1);
            }
        }
        g_assert_cmpint(check_device(f, "192.0.2.1:1", "nobody", "nonsense"), !=, AUTH_OK);
        g_assert_cmpuint(macs + f->store.asked, ==, 4 + 1);
        g_assert_cmpint(check_device(f, "192.0.2.1:1", "dev1", NULL), !=, AUTH_OK);
        g_assert_cmpuint(macs + f->store.asked, ==, 4 + 1);
    }
}

static void
test_same_work_for_users(Fixture *f, gconstpointer data)
{
    static const char *const users[] = {"user", "nobody", "-", "owner"};

    for (guint warm = 0; warm < 2; warm++) {
        if (warm)
            g_assert_cmpint(user_with(f, "user", right_key), ==, AUTH_OK);
        for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
            g_assert_cmpint(user_with(f, users[i], wrong_key), !=, AUTH_OK);
            g_assert_cmpuint(macs, ==, 4);
            g_assert_cmpuint(f->store.asked, ==, 1);
        }
        g_assert_cmpint(check_service(f, "Bearer nonsense"), !=, AUTH_OK);
        g_assert_cmpuint(macs + f->store.asked, ==, 4 + 1);
        g_assert_cmpint(check_service(f, NULL), !=, AUTH_OK);
        g_assert_cmpuint(macs + f->store.asked, ==, 4 + 1);
    }
}

static AuthVerdict
show_certificate(Fixture *f, const char *device, TlsClient *client)
{
    const AuthDevice asked = {
        .source = source_of_peer("192.0.2.1:1"), .device = device, .client = client};

    macs = f->store.asked = 0;
    (void)auth_check_device(f->auth, &asked, checked, f);
    return wait_for(f);
}

/* A device of any kind, and none at all, with no certificate, a wrong one and one that cannot be
 * read; and a right one that is known already. */
static void
test_same_work_for_certificates(Fixture *f, gconstpointer data)
{
    static const RegistryAuthKind kinds[] = {REGISTRY_AUTH_KEYS, REGISTRY_AUTH_THUMBPRINT,
                                             REGISTRY_AUTH_AUTHORITY};
    char *names[] = {(char *)"dev2", NULL};
    TlsClient wrong = {.not_after = G_MAXINT64, .names = names, .until = G_MAXINT64};
    TlsClient broken = {.fault = "the certificate is malformed"}, right = wrong;
    TlsClient *const shown[] = {NULL, &wrong, &broken};

    f->settings->client_certificates = TRUE;
    atomic_init(&wrong.references, 100);
    atomic_init(&broken.references, 100);
    atomic_init(&right.references, 100);
    right.sha256[0] = 7;
    for (guint kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        f->store.auth = (RegistryAuth){.kind = kinds[kind]};
        f->store.auth.thumbprints[0] = (RegistryThumbprint){.bytes = {7}, .len = 32};
        for (guint i = 0; i < 2 * G_N_ELEMENTS(shown); i++) {
            AuthVerdict verdict = show_certificate(f, i % 2 ? "dev1" : "nobody", shown[i / 2]);

            g_assert_true(verdict == AUTH_DENIED || verdict == AUTH_TOO_SOON);
            g_assert_cmpuint(macs, ==, 4);
            g_assert_cmpuint(f->store.asked, ==, 1);
        }
    }
    f->store.auth.kind = REGISTRY_AUTH_THUMBPRINT;
    for (guint again = 0; again < 2; again++) {
        g_assert_cmpint(show_certificate(f, "dev1", &right), ==, AUTH_OK);
        g_assert_cmpuint(f->store.asked, ==, again == 0);
    }
    g_assert_cmpint(show_certificate(f, "dev1", &wrong), !=, AUTH_OK);
    g_assert_cmpuint(macs + f->store.asked, ==, 4 + 1);
}

/* A record may have one key, the other, both or none: each opens, and one that is not there is not
 * a key of zeros. */
static void
test_one_key_of_two(Fixture *f, gconstpointer data)
{
    f->settings->penalty = 0;
    for (guint has = 0; has < 4; has++) {
        const struct {
            const guint8 *key;
            gboolean good;
        } rows[] = {{right_key, has & 1}, {second_key, has & 2}, {zeros, FALSE}};

        f->store.no_primary = !(has & 1);
        f->store.secondary = (has & 2) != 0;
        for (guint i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
            const guint8 *key = rows[i % 3].key;
            AuthVerdict wanted = rows[i % 3].good ? AUTH_OK : AUTH_DENIED;

            /* The cache would speak for what was stored in the round before. */
            auth_free(f->auth);
            registry_free(f->registry);
            f->registry = registry_new(&f->store.backend);
            f->auth = auth_new(f->settings, f->registry, f->admission, hosts);
            g_assert_cmpint(device_with(f, "dev1", key), ==, wanted);
            g_assert_cmpint(user_with(f, "user", key), ==, wanted);
            g_assert_cmpint(device_with(f, "dev1", key), ==, wanted);
            g_assert_cmpint(user_with(f, "user", key), ==, wanted);
        }
    }
}

/* Who is let in is asked for once, and then the cache speaks for him. */
static void
test_cache(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(device_with(f, "dev1", right_key), ==, AUTH_OK);
    g_assert_cmpuint(f->store.asked, ==, 1);
    g_assert_cmpint(device_with(f, "dev1", right_key), ==, AUTH_OK);
    g_assert_cmpuint(f->store.asked, ==, 0);
    g_assert_cmpint(user_with(f, "user", right_key), ==, AUTH_OK);
    g_assert_cmpint(user_with(f, "user", right_key), ==, AUTH_OK);
    g_assert_cmpuint(f->store.asked, ==, 0);
    /* A device that a policy speaks for: both. */
    for (guint i = 0; i < 2; i++) {
        g_autofree char *token = token_of("devices/dev1", right_key, HOUR, "owner");

        g_assert_cmpint(check_device(f, "192.0.2.1:1", "dev1", token), ==, AUTH_OK);
        g_assert_cmpuint(f->store.asked, ==, i == 0 ? 2 : 0);
    }
}

static void
test_verdicts(Fixture *f, gconstpointer data)
{
    g_autofree char *token = token_of("devices/dev1", right_key, HOUR, "user");

    /* A good signature without the right is no guess. */
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(check_device(f, "192.0.2.1:1", "dev1", token), ==, AUTH_FORBIDDEN);
    f->store.disabled = TRUE;
    g_assert_cmpint(device_with(f, "dev1", right_key), ==, AUTH_DENIED);
    g_assert_cmpstr(f->result.text, ==, "the device is disabled");
    f->store.disabled = FALSE;
    auth_forgive_device(f->auth, "dev1", NULL);
    g_assert_cmpint(device_with(f, "dev1", wrong_key), ==, AUTH_DENIED);
    f->store.broken = TRUE;
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(device_with(f, "nobody", wrong_key), ==, AUTH_BUSY);
}

/* How many connections of PEER come through, of COUNT. */
static guint
come_through(Fixture *f, const char *peer, guint count)
{
    guint taken = 0;

    for (guint i = 0; i < count; i++) {
        Slot *slot = admission_take(f->admission, -1, peer, g_get_monotonic_time(), G_MAXUINT32);

        if (!slot)
            continue;
        slot_leave(slot, g_get_monotonic_time());
        slot_unref(slot);
        taken++;
    }
    return taken;
}

static void
fail_as_many(Fixture *f, const char *peer, guint count)
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *device = g_strdup_printf("nobody%u", i);
        g_autofree char *resource = g_strconcat("devices/", device, NULL);
        g_autofree char *token = token_of(resource, wrong_key, HOUR, NULL);

        g_assert_cmpint(check_device(f, peer, device, token), ==, AUTH_DENIED);
    }
}

/* Nine identities: nothing; ten: two a second, for the /56 and the /48 as well; and nothing for a
 * source that was let in of late. */
static void
test_guessing(Fixture *f, gconstpointer data)
{
    Slot *slot = admission_take(f->admission, -1, "[2001:db8:1::1]:1", g_get_monotonic_time(), 0);

    slot_authenticated(slot, g_get_monotonic_time());
    slot_leave(slot, g_get_monotonic_time());
    slot_unref(slot);
    fail_as_many(f, "192.0.2.1:1", 9);
    g_assert_cmpuint(come_through(f, "192.0.2.1:1", 50), ==, 50);
    fail_as_many(f, "192.0.2.2:1", 10);
    g_assert_cmpuint(come_through(f, "192.0.2.2:1", 50), <=, 3);
    fail_as_many(f, "[2001:db8:1::1]:1", 12);
    g_assert_cmpuint(come_through(f, "[2001:db8:1::1]:1", 50), ==, 50);
    g_assert_cmpuint(come_through(f, "[2001:db8:1:1::1]:1", 50), ==, 50);
    fail_as_many(f, "[2001:db8:2::1]:1", 10);
    g_assert_cmpuint(come_through(f, "[2001:db8:2:1::1]:1", 50), <=, 3);
    g_assert_cmpuint(come_through(f, "[2001:db8:3:1::1]:1", 50), ==, 50);
}

/* A region of many that guess, for which there was no room one by one: all of it is slowed down,
 * but for who was let in of late. */
static void
test_guessing_region(Fixture *f, gconstpointer data)
{
    Slot *slot = admission_take(f->admission, -1, "192.0.9.9:1", g_get_monotonic_time(), 0);

    slot_authenticated(slot, g_get_monotonic_time());
    slot_leave(slot, g_get_monotonic_time());
    slot_unref(slot);
    guessing = source_of_peer("192.0.2.1:1");
    guessing = source_region(&guessing);
    fail_as_many(f, "192.0.2.1:1", 1);
    guessing = (Source){0};
    g_assert_cmpuint(come_through(f, "192.0.77.7:1", 50), <=, 3);
    g_assert_cmpuint(come_through(f, "192.0.9.9:1", 50), ==, 50);
    g_assert_cmpuint(come_through(f, "192.1.2.1:1", 50), ==, 50);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, fixture_setup, func, fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/auth/right-one-passes", test_right_one_passes);
    ADD("/auth/unknown-the-same", test_unknown_the_same);
    ADD("/auth/same-work", test_same_work);
    ADD("/auth/same-work-for-users", test_same_work_for_users);
    ADD("/auth/cache", test_cache);
    ADD("/auth/verdicts", test_verdicts);
    ADD("/auth/guessing", test_guessing);
    ADD("/auth/guessing-region", test_guessing_region);
    ADD("/auth/one-key-of-two", test_one_key_of_two);
    ADD("/auth/same-work-for-certificates", test_same_work_for_certificates);
    return g_test_run();
}
