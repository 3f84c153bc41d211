/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's authority and certificate, and the state folder that init makes of them. */
#include "hub/certificate/certificate.h"

#include "common/base/error.h"
#include "common/net/tls-context.h"
#include "hub/admin/init.h"
#include "tests/unit/hub/registry/registry-helper.h"

#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"hub.example", "localhost", "127.0.0.1", "2001:db8::1", NULL};

static char *
file_in(const Scratch *s, const char *name)
{
    return g_build_filename(s->folder, name, NULL);
}

static void
set_up(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    s->folder = g_dir_make_tmp("init-XXXXXX", NULL);
    s->path = file_in(s, STATE_REGISTRY);
    g_assert_true(init_run(s->folder, names, &error));
    g_assert_no_error(error);
}

static void
tear_down(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(s);
}

static gnutls_x509_crt_t
load(const Scratch *s, const char *name)
{
    g_autofree char *path = file_in(s, name);
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t pem = {0};

    g_assert_cmpint(gnutls_load_file(path, &pem), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_init(&certificate), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), >=, 0);
    gnutls_free(pem.data);
    return certificate;
}

/* What a client would say of the server's certificate when it trusts TRUSTED alone. */
static unsigned
verify(gnutls_x509_crt_t server, gnutls_x509_crt_t trusted, const char *host)
{
    gnutls_x509_trust_list_t list = NULL;
    gnutls_typed_vdata_st wanted[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)(guintptr)host, 0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(guintptr)GNUTLS_KP_TLS_WWW_SERVER, 0},
    };
    unsigned status = 0;

    g_assert_cmpint(gnutls_x509_trust_list_init(&list, 0), >=, 0);
    g_assert_cmpint(gnutls_x509_trust_list_add_cas(list, &trusted, 1, 0), ==, 1);
    g_assert_cmpint(
        gnutls_x509_trust_list_verify_crt2(list, &server, 1, wanted, 2, 0, &status, NULL), >=, 0);
    gnutls_x509_trust_list_deinit(list, 0);
    return status;
}

/* Of the same name, with another key. */
static gnutls_x509_crt_t
other_authority(const Scratch *s)
{
    g_autofree char *cert = file_in(s, "other.pem");
    g_autofree char *key = file_in(s, "other-key.pem");

    g_assert_true(certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, cert, key, NULL));
    return load(s, "other.pem");
}

static void
test_chain(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    gnutls_x509_crt_t authority = load(s, STATE_CA_CERT);
    gnutls_x509_crt_t server = load(s, STATE_SERVER_CERT);
    gnutls_x509_crt_t other = other_authority(s);
    unsigned critical = 0, ca = 0;
    int pathlen = -1;

    g_assert_cmpuint(verify(server, authority, "hub.example"), ==, 0);
    g_assert_cmpuint(verify(server, authority, "LOCALHOST"), ==, 0);
    g_assert_cmpuint(verify(server, authority, "127.0.0.1"), ==, 0);
    g_assert_cmpuint(verify(server, authority, "2001:db8::1"), ==, 0);
    g_assert_cmpuint(verify(server, authority, "other.example") & GNUTLS_CERT_UNEXPECTED_OWNER, !=,
                     0);
    g_assert_cmpuint(verify(server, other, "hub.example"), !=, 0);
    g_assert_cmpint(gnutls_x509_crt_get_pk_algorithm(server, NULL), ==, GNUTLS_PK_ECDSA);
    g_assert_cmpint(gnutls_x509_crt_get_basic_constraints(authority, &critical, &ca, &pathlen), >=,
                    0);
    g_assert_true(ca && pathlen == -1); /* it may sign its successor */
    g_assert_cmpint(gnutls_x509_crt_get_basic_constraints(server, &critical, &ca, &pathlen), >=, 0);
    g_assert_false(ca);
    gnutls_x509_crt_deinit(authority);
    gnutls_x509_crt_deinit(server);
    gnutls_x509_crt_deinit(other);
}

static void
test_names(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *server = file_in(s, STATE_SERVER_CERT);
    g_autofree char *key = file_in(s, STATE_SERVER_KEY);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) found = certificate_names(server, &error);

    g_assert_no_error(error);
    g_assert_true(g_strv_equal((const char *const *)found, names));
    g_assert_null(certificate_names(key, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
}

static void
test_signed_by(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *server = file_in(s, STATE_SERVER_CERT), *ca = file_in(s, STATE_CA_CERT);
    g_autofree char *other = file_in(s, "other.pem"), *other_key = file_in(s, "other-key.pem");
    g_autofree char *missing = file_in(s, "missing.pem");
    g_autoptr(GError) error = NULL;

    g_assert_true(certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, other, other_key, &error));
    g_assert_true(certificate_is_signed_by(server, ca, &error));
    g_assert_false(certificate_is_signed_by(server, other, &error));
    g_assert_no_error(error);
    g_assert_false(certificate_is_signed_by(server, missing, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_unlink(other);
    g_unlink(other_key);
}

static void
test_modes(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    const struct {
        const char *name;
        mode_t mode;
    } files[] = {
        {STATE_CA_CERT, 0644},    {STATE_CA_KEY, 0600},   {STATE_SERVER_CERT, 0644},
        {STATE_SERVER_KEY, 0600}, {STATE_REGISTRY, 0600},
    };
    struct stat info;

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = file_in(s, files[i].name);

        g_assert_cmpint(stat(path, &info), ==, 0);
        g_assert_cmpuint(info.st_mode & 0777, ==, files[i].mode);
    }
}

static void
test_server_context(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *cert = file_in(s, STATE_SERVER_CERT);
    g_autofree char *key = file_in(s, STATE_SERVER_KEY);
    g_autofree char *ca = file_in(s, STATE_CA_CERT);
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsContext) server = tls_context_new_server(cert, key, &error);
    g_autoptr(TlsContext) client = tls_context_new_client(ca, NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(server);
    g_assert_nonnull(client);
}

static void
test_policies(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        const char *name;
        RegistryRights rights;
    } expected[] = {
        {"iothubowner", REGISTRY_RIGHTS_ALL},
        {"service", REGISTRY_RIGHT_SERVICE_CONNECT},
        {"device", REGISTRY_RIGHT_DEVICE_CONNECT},
        {"registryRead", REGISTRY_RIGHT_READ},
        {"registryReadWrite", REGISTRY_RIGHT_READ | REGISTRY_RIGHT_WRITE},
    };
    g_auto(Answer) answer = {0};
    RegistryKey last = {0};

    scratch_open(s);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        (void)ANSWER(answer, registry_lookup_policy, s->registry, expected[i].name);
        g_assert_cmpint(answer.code, ==, REGISTRY_OK);
        g_assert_cmpint(answer.policy->rights, ==, expected[i].rights);
        g_assert_cmpuint(answer.policy->primary.len, ==, 32);
        g_assert_true(memcmp(answer.policy->primary.bytes, last.bytes, 32) != 0);
        g_assert_true(memcmp(answer.policy->secondary.bytes, answer.policy->primary.bytes, 32) !=
                      0);
        last = answer.policy->primary;
    }
    (void)ANSWER(answer, registry_list_policies, s->registry);
    g_assert_cmpuint(answer.names->len, ==, G_N_ELEMENTS(expected));
}

/* The second init changes nothing, whichever of the files is there. */
static void
test_no_overwriting(Scratch *s, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *key = file_in(s, STATE_CA_KEY);
    g_autofree char *server = file_in(s, STATE_SERVER_CERT);
    g_autofree char *before = NULL, *after = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_get_contents(key, &before, NULL, NULL));
    g_assert_false(init_run(s->folder, names, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    g_assert_nonnull(strstr(error->message, s->folder));
    g_clear_error(&error);
    (void)g_unlink(server);
    g_assert_false(init_run(s->folder, names, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS);
    g_assert_true(g_file_get_contents(key, &after, NULL, NULL));
    g_assert_cmpstr(before, ==, after);
    g_assert_false(g_file_test(server, G_FILE_TEST_EXISTS));
}

/* Root makes the state of a hub that runs as somebody else: all is his but the authority's key. Not
 * run by root, nothing is given away. */
static void
test_owner(void)
{
    const uid_t user = geteuid() == 0 ? 65534 : geteuid();
    Scratch s = {.folder = g_dir_make_tmp("init-XXXXXX", NULL)};
    g_autofree char *key = file_in(&s, STATE_CA_KEY);
    g_autofree char *server_key = file_in(&s, STATE_SERVER_KEY);
    g_autoptr(GError) error = NULL;
    struct stat info;

    g_assert_cmpint(chown(s.folder, user, (gid_t)-1), ==, 0);
    s.path = file_in(&s, STATE_REGISTRY);
    g_assert_true(init_run(s.folder, names, &error));
    g_assert_no_error(error);
    g_assert_cmpint(stat(key, &info), ==, 0);
    g_assert_cmpuint(info.st_uid, ==, geteuid());
    g_assert_cmpint(stat(server_key, &info), ==, 0);
    g_assert_cmpuint(info.st_uid, ==, user);
    g_assert_cmpint(stat(s.path, &info), ==, 0);
    g_assert_cmpuint(info.st_uid, ==, user);
    scratch_clear(&s);
}

/* A failure leaves nothing behind. */
static void
test_bad_name(void)
{
    g_autofree char *folder = g_dir_make_tmp("init-XXXXXX", NULL);
    const char *const bad[] = {"hub.example", "not a name", NULL};
    g_autoptr(GError) error = NULL;

    g_assert_false(init_run(folder, bad, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "not a name"));
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void
test_name_rules(void)
{
    static const char *const good[] = {"a",           "hub.example", "*.example.com",
                                       "x-1.example", "::1",         "10.0.0.1"};
    static const char *const bad[] = {"",    ".",     "a..b", "-a",           "a-",  "a b",
                                      "a/b", "a:443", "*",    "fe80::1%eth0", "b*.c"};

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(certificate_name_is_valid(good[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(certificate_name_is_valid(bad[i]));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/certificate/" name, Scratch, NULL, set_up, func, tear_down)
    ADD("chain", test_chain);
    ADD("names", test_names);
    ADD("signed-by", test_signed_by);
    ADD("modes", test_modes);
    ADD("server-context", test_server_context);
    ADD("usual-policies", test_policies);
    ADD("no-overwriting", test_no_overwriting);
    g_test_add_func("/certificate/owner", test_owner);
    g_test_add_func("/certificate/bad-name", test_bad_name);
    g_test_add_func("/certificate/name-rules", test_name_rules);
    return g_test_run();
}
