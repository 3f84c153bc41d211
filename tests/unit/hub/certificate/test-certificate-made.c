/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that the hub makes: what they say and nothing beyond it, the names that they may
 * bear, at each bound; what is read of those that others made; and what a failure leaves. */
#include "common/base/error.h"
#include "hub/certificate/pair.h"
#include "hub/certificate/certificate.h"
#include "hub/base/private-file.h"

#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define DAY 86400

typedef struct {
    char *folder, *ca_cert, *ca_key, *cert, *key;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("made-XXXXXX", NULL);
    f->ca_cert = g_build_filename(f->folder, "ca.pem", NULL);
    f->ca_key = g_build_filename(f->folder, "ca-key.pem", NULL);
    f->cert = g_build_filename(f->folder, "server.pem", NULL);
    f->key = g_build_filename(f->folder, "server-key.pem", NULL);
    g_assert_true(
        certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, f->ca_cert, f->ca_key, &error));
    g_assert_no_error(error);
}

static void
remove_pair(const Fixture *f)
{
    (void)g_unlink(f->cert);
    (void)g_unlink(f->key);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    remove_pair(f);
    (void)g_unlink(f->ca_cert);
    (void)g_unlink(f->ca_key);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0); /* nothing is left */
    g_free(f->folder);
    g_free(f->ca_cert);
    g_free(f->ca_key);
    g_free(f->cert);
    g_free(f->key);
}

static gboolean
make_server(const Fixture *f, const char *const *names, GError **error)
{
    return certificate_make_server(f->ca_cert, f->ca_key, names, f->cert, f->key, error);
}

static gnutls_x509_crt_t
load(const char *path)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t pem = {0};

    g_assert_cmpint(gnutls_load_file(path, &pem), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_init(&certificate), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_import(certificate, &pem, GNUTLS_X509_FMT_PEM), >=, 0);
    gnutls_free(pem.data);
    return certificate;
}

static void
expect_usage(gnutls_x509_crt_t certificate, unsigned wanted)
{
    unsigned usage = 0, critical = 0;

    g_assert_cmpint(gnutls_x509_crt_get_key_usage(certificate, &usage, &critical), >=, 0);
    g_assert_cmphex(usage, ==, wanted);
    g_assert_cmpuint(critical, !=, 0);
}

/* One purpose, or with NULL none. */
static void
expect_purpose(gnutls_x509_crt_t certificate, const char *wanted)
{
    char oid[128] = "";
    gsize len = sizeof oid;
    int first = gnutls_x509_crt_get_key_purpose_oid(certificate, 0, oid, &len, NULL);

    if (!wanted) {
        g_assert_cmpint(first, ==, GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
        return;
    }
    g_assert_cmpint(first, >=, 0);
    g_assert_cmpstr(oid, ==, wanted);
    len = sizeof oid;
    g_assert_cmpint(gnutls_x509_crt_get_key_purpose_oid(certificate, 1, oid, &len, NULL), ==,
                    GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}

static void
expect_life(gnutls_x509_crt_t certificate, gint64 days)
{
    gint64 now = time(NULL);
    gint64 begin = gnutls_x509_crt_get_activation_time(certificate);
    gint64 end = gnutls_x509_crt_get_expiration_time(certificate);

    g_assert_cmpint(begin, <=, now - DAY);
    g_assert_cmpint(begin, >=, now - DAY - 60);
    g_assert_cmpint(end - begin, ==, (days + 1) * DAY);
}

/* The key may do what it is for and nothing else; a server's is no authority's and no client's. */
static void
test_usage(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"hub.example", NULL};
    gnutls_x509_crt_t authority, server;
    guint8 id[64], issuer[64], serial[64], other[64];
    gsize id_len = sizeof id, issuer_len = sizeof issuer, serial_len = sizeof serial;
    gsize other_len = sizeof other;

    g_assert_true(make_server(f, names, NULL));
    authority = load(f->ca_cert);
    server = load(f->cert);
    expect_usage(authority, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    expect_usage(server, GNUTLS_KEY_DIGITAL_SIGNATURE);
    expect_purpose(authority, NULL);
    expect_purpose(server, GNUTLS_KP_TLS_WWW_SERVER);
    g_assert_cmpint(gnutls_x509_crt_check_key_purpose(server, GNUTLS_KP_TLS_WWW_CLIENT, 0), ==, 0);
    expect_life(authority, CERTIFICATE_AUTHORITY_DAYS);
    expect_life(server, CERTIFICATE_SERVER_DAYS);
    g_assert_cmpint(gnutls_x509_crt_get_version(server), ==, 3);
    g_assert_cmpint(gnutls_x509_crt_get_subject_key_id(authority, id, &id_len, NULL), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_get_authority_key_id(server, issuer, &issuer_len, NULL), >=, 0);
    g_assert_true(id_len == issuer_len && memcmp(id, issuer, id_len) == 0);
    g_assert_cmpint(gnutls_x509_crt_get_serial(authority, serial, &serial_len), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_get_serial(server, other, &other_len), >=, 0);
    g_assert_cmpuint(serial_len, ==, 16);
    g_assert_cmpuint(other_len, ==, 16);
    g_assert_true(serial[0] >= 0x40 && serial[0] < 0x80);
    g_assert_true(memcmp(serial, other, 16) != 0);
    gnutls_x509_crt_deinit(authority);
    gnutls_x509_crt_deinit(server);
}

/* LEN characters: labels of 63 with dots between them. */
static char *
name_of(int len)
{
    char *name = g_strnfill((gsize)len, 'a');

    for (int i = 63; i + 1 < len; i += 64)
        name[i] = '.';
    return name;
}

static void
test_name_bounds(void)
{
    static const char *const good[] = {
        "a",  "a.b",         "A-1.b",           "_sip.b",          "*.b", "*.b.c", "1.2",
        "::", "2001:DB8::1", "255.255.255.255", "::ffff:192.0.2.7"};
    static const char *const bad[] = {
        "",    ".",     "a.",    ".a",         "a..b",       "*",          "*.",  "**.a", "*.*.a",
        "a.*", "a.*.b", "*a.b",  "-.a",        "a.-b",       "a.b-",       "a b", "a\tb", "a,b",
        "a@b", "a:1",   "[::1]", "fe80::1%lo", "1.2.3.4%lo", "\xc3\xa4.b", "a\n"};
    struct {
        int label, total;
        gboolean good;
    } const rows[] = {{63, 63, TRUE}, {64, 64, FALSE}, {63, 253, TRUE}, {63, 254, FALSE}};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_test_message("%s", good[i]);
        g_assert_true(certificate_name_is_valid(good[i]));
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(certificate_name_is_valid(bad[i]));
    }
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name =
            rows[i].total > 64 ? name_of(rows[i].total) : g_strnfill((gsize)rows[i].label, 'a');
        g_autofree char *below = g_strconcat("b.", name, NULL);
        g_autofree char *wild = g_strconcat("*.", name, NULL);

        g_assert_cmpint((int)strlen(name), ==, rows[i].total);
        g_assert_cmpint(certificate_name_is_valid(name), ==, rows[i].good);
        if (rows[i].total > 64)
            continue;
        g_assert_cmpint(certificate_name_is_valid(below), ==, rows[i].good);
        g_assert_cmpint(certificate_name_is_valid(wild), ==, rows[i].good);
    }
}

/* What a client says that trusts the authority alone. */
static gboolean
is_taken_for(const Fixture *f, const char *host)
{
    gnutls_x509_crt_t authority = load(f->ca_cert), server = load(f->cert);
    gnutls_x509_trust_list_t list = NULL;
    gnutls_typed_vdata_st wanted[] = {
        {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)(guintptr)host, 0},
        {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(guintptr)GNUTLS_KP_TLS_WWW_SERVER, 0},
    };
    unsigned status = 0;

    g_assert_cmpint(gnutls_x509_trust_list_init(&list, 0), >=, 0);
    g_assert_cmpint(gnutls_x509_trust_list_add_cas(list, &authority, 1, 0), ==, 1);
    g_assert_cmpint(
        gnutls_x509_trust_list_verify_crt2(list, &server, 1, wanted, 2, 0, &status, NULL), >=, 0);
    gnutls_x509_trust_list_deinit(list, 0);
    gnutls_x509_crt_deinit(server);
    gnutls_x509_crt_deinit(authority);
    return status == 0;
}

/* Addresses are addresses in it and not names; a wildcard stands for one label. */
static void
test_names_match(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *longest = name_of(253);
    const char *const names[] = {longest,     "hub.example", "*.wild.example",
                                 "192.0.2.7", "2001:DB8::1", NULL};
    static const char *const taken[] = {"hub.example", "HUB.Example", "a.wild.example",
                                        "192.0.2.7",   "2001:db8::1", "2001:db8:0:0::1"};
    static const char *const refused[] = {"example",          "a.hub.example", "wild.example",
                                          "a.b.wild.example", "192.0.2.8",     "2001:db8::2",
                                          "192.0.2.7.example"};
    static const char *const read[] = {"hub.example", "*.wild.example", "192.0.2.7", "2001:db8::1",
                                       NULL};
    g_auto(GStrv) found = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(make_server(f, names, &error));
    g_assert_no_error(error);
    g_assert_true(is_taken_for(f, longest));
    for (guint i = 0; i < G_N_ELEMENTS(taken); i++)
        g_assert_true(is_taken_for(f, taken[i]));
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
        g_assert_false(is_taken_for(f, refused[i]));
    found = certificate_names(f->cert, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found[0], ==, longest);
    g_assert_true(g_strv_equal((const char *const *)found + 1, read));
}

/* 64 names, and not one more. */
static void
test_names_max(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(GStrv) names = g_new0(char *, CERTIFICATE_NAMES_MAX + 2);
    g_auto(GStrv) found = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < CERTIFICATE_NAMES_MAX + 1; i++)
        names[i] = g_strdup_printf("h%u.example", i);
    g_assert_false(make_server(f, (const char *const *)names, &error));
    g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "'h64.example' is one name too many"));
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_clear_pointer(&names[CERTIFICATE_NAMES_MAX], g_free);
    g_assert_true(make_server(f, (const char *const *)names, NULL));
    found = certificate_names(f->cert, NULL);
    g_assert_true(g_strv_equal((const char *const *)found, (const char *const *)names));
}

typedef struct {
    guint8 tag;
    const char *bytes;
    gsize len;
} San;

#define SAN_MAIL 0x81
#define SAN_NAME 0x82
#define SAN_URI 0x86
#define SAN_ADDRESS 0x87

/* GnuTLS would refuse some of them, so the extension is put together here: a sequence of names. */
static void
append_der(GByteArray *der, guint8 tag, const void *bytes, gsize len)
{
    const guint8 head[] = {tag, 0x82, (guint8)(len >> 8), (guint8)len};
    const guint8 short_head[] = {tag, (guint8)len};
    const guint8 middle_head[] = {tag, 0x81, (guint8)len};

    if (len < 128)
        g_byte_array_append(der, short_head, sizeof short_head);
    else if (len < 256)
        g_byte_array_append(der, middle_head, sizeof middle_head);
    else
        g_byte_array_append(der, head, sizeof head);
    g_byte_array_append(der, bytes, (guint)len);
}

static void
set_names(gnutls_x509_crt_t crt, const San *sans, guint count)
{
    g_autoptr(GByteArray) names = g_byte_array_new(), der = g_byte_array_new();

    for (guint i = 0; i < count; i++)
        append_der(names, sans[i].tag, sans[i].bytes, sans[i].len);
    append_der(der, 0x30, names->data, names->len);
    g_assert_cmpint(gnutls_x509_crt_set_extension_by_oid(crt, "2.5.29.17", der->data, der->len, 0),
                    >=, 0);
}

/* A certificate of its own key with the names as they are, whatever they are. */
static void
write_with(const Fixture *f, const San *sans, guint count)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    const guint8 serial = 1;

    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&crt);
    g_assert_cmpint(gnutls_x509_privkey_generate(
                        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                    ==, 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, &serial, 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - DAY);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + DAY);
    gnutls_x509_crt_set_key(crt, key);
    set_names(crt, sans, count);
    g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), ==, 0);
    g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
    g_assert_true(g_file_set_contents(f->cert, (const char *)pem.data, (gssize)pem.size, NULL));
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

/* Names with a NUL in them, of other kinds, too long, addresses that are none: passed over, and
 * what stands behind them is read. */
static void
test_names_of_others(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *longer = g_strnfill(300, 'a');
    const San sans[] = {
        {SAN_NAME, "one.example", 11},
        {SAN_NAME, "hub.example\0.evil.example", 25},
        {SAN_NAME, "\0", 1},
        {SAN_MAIL, "hub@example", 11},
        {SAN_URI, "https://hub.example", 19},
        {SAN_NAME, longer, 300},
        {SAN_ADDRESS, "\1\2\3\4\5", 5},
        {SAN_ADDRESS, "\1\2\3\4", 4},
        {SAN_NAME, "TWO.example", 11},
    };
    static const char *const wanted[] = {"one.example", "1.2.3.4", "two.example", NULL};
    g_auto(GStrv) found = NULL;

    write_with(f, sans, G_N_ELEMENTS(sans));
    found = certificate_names(f->cert, NULL);
    g_assert_nonnull(found);
    g_assert_true(g_strv_equal((const char *const *)found, wanted));
}

/* Of any more names 64 are read. */
static void
test_many_names_of_others(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    San sans[CERTIFICATE_NAMES_MAX + 10];
    g_auto(GStrv) found = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(sans); i++)
        sans[i] = (San){SAN_NAME, "a.example", 9};
    write_with(f, sans, CERTIFICATE_NAMES_MAX);
    found = certificate_names(f->cert, NULL);
    g_assert_cmpuint(g_strv_length(found), ==, CERTIFICATE_NAMES_MAX);
    g_strfreev(found);
    write_with(f, sans, CERTIFICATE_NAMES_MAX + 10);
    found = certificate_names(f->cert, NULL);
    g_assert_cmpuint(g_strv_length(found), ==, CERTIFICATE_NAMES_MAX);
}

/* Both files or none, and what was there stays: a key without its certificate would make the next
 * attempt fail for ever. */
static void
test_failure_leaves_nothing(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"hub.example", NULL};
    g_autofree char *kept = NULL, *elsewhere = g_build_filename(f->folder, "no", "x", NULL);
    g_autoptr(GError) error = NULL;

    /* The certificate cannot be written: it is there, or its folder is not. */
    g_assert_true(g_file_set_contents(f->cert, "mine", -1, NULL));
    g_assert_false(make_server(f, names, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_get_contents(f->cert, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "mine");
    g_assert_false(certificate_make_server(f->ca_cert, f->ca_key, names, elsewhere, f->key, NULL));
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_assert_false(certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, elsewhere, f->key, NULL));
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    /* The key is there: it stays, and there is no certificate. */
    remove_pair(f);
    g_assert_true(g_file_set_contents(f->key, "my key", -1, NULL));
    g_assert_false(make_server(f, names, NULL));
    g_assert_false(g_file_test(f->cert, G_FILE_TEST_EXISTS));
    g_clear_pointer(&kept, g_free);
    g_assert_true(g_file_get_contents(f->key, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "my key");
}

/* A disk that takes a part: the file that was begun is gone again. */
static void
test_disk_full(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"hub.example", NULL};
    struct rlimit usual, little;
    g_autoptr(GError) error = NULL;
    guint8 bytes[100] = {0};
    sigset_t past;

    sigemptyset(&past);
    sigaddset(&past, SIGXFSZ);
    g_assert_cmpint(sigprocmask(SIG_BLOCK, &past, NULL), ==, 0);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &usual), ==, 0);
    little = (struct rlimit){.rlim_cur = 99, .rlim_max = usual.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &little), ==, 0);
    g_assert_true(private_file_write(f->key, bytes, 99, NULL));
    (void)g_unlink(f->key);
    g_assert_false(private_file_write(f->key, bytes, 100, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED);
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_assert_false(make_server(f, names, NULL));
    g_assert_false(g_file_test(f->key, G_FILE_TEST_EXISTS));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &usual), ==, 0);
}

/* Taken from its first second to the last before its end. */
static void
test_time_bounds(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"hub.example", NULL};
    g_autoptr(CertificatePair) pair = NULL;
    gint64 begin, end;

    g_assert_true(make_server(f, names, NULL));
    pair = certificate_pair_read(f->cert, f->key, NULL);
    g_assert_nonnull(pair);
    begin = certificate_pair_begin(pair);
    end = certificate_pair_end(pair);
    g_assert_false(certificate_pair_check(pair, names, begin - 1, NULL));
    g_assert_true(certificate_pair_check(pair, names, begin, NULL));
    g_assert_true(certificate_pair_check(pair, names, end - 1, NULL));
    g_assert_false(certificate_pair_check(pair, names, end, NULL));
}

/* A file of 16 certificates, and of one more; a key that is another's. */
static void
test_chain_bounds(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const names[] = {"hub.example", NULL};
    g_autofree char *ca = NULL, *server = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(make_server(f, names, NULL));
    g_assert_true(g_file_get_contents(f->ca_cert, &ca, NULL, NULL));
    g_assert_true(g_file_get_contents(f->cert, &server, NULL, NULL));
    for (guint count = CERTIFICATE_CHAIN_MAX; count <= CERTIFICATE_CHAIN_MAX + 1; count++) {
        g_autoptr(GString) text = g_string_new(server);
        g_autoptr(CertificatePair) pair = NULL;

        for (guint i = 1; i < count; i++)
            g_string_append(text, ca);
        g_assert_true(g_file_set_contents(f->cert, text->str, -1, NULL));
        pair = certificate_pair_read(f->cert, f->key, &error);
        g_assert_cmpint(pair != NULL, ==, count == CERTIFICATE_CHAIN_MAX);
    }
    g_assert_nonnull(strstr(error->message, "more than 16 certificates"));
    g_assert_null(certificate_pair_read(f->ca_cert, f->key, NULL));
}

#define ADD(name, func)                                                                            \
    g_test_add("/certificate-made/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("usage", test_usage);
    g_test_add_func("/certificate-made/name-bounds", test_name_bounds);
    ADD("names-match", test_names_match);
    ADD("names-max", test_names_max);
    ADD("names-of-others", test_names_of_others);
    ADD("many-names-of-others", test_many_names_of_others);
    ADD("failure-leaves-nothing", test_failure_leaves_nothing);
    ADD("disk-full", test_disk_full);
    ADD("time-bounds", test_time_bounds);
    ADD("chain-bounds", test_chain_bounds);
    return g_test_run();
}
