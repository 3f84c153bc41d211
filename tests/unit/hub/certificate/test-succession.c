/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hub's authority and its successor: who takes what is signed, before, during and after a
 * change of either kind; and a change that was interrupted at each of its steps. */
#include "common/base/error.h"
#include "common/base/file.h"
#include "hub/certificate/certificate.h"
#include "hub/base/state.h"
#include "hub/certificate/succession.h"

#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>

#define NOW 2000000000

static const char *const names[] = {"hub.example", "10.0.0.1", NULL};

typedef struct {
    char *folder;
} Fixture;

static char *
path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

static char *
text_of(const Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);

    return file_read(path, FILE_PEM_MAX, NULL, NULL);
}

static gboolean
is_there(const Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Sets the path length of an authority's certificate, which signs itself again. */
static void
set_path_length(const Fixture *f, int length)
{
    g_autofree char *cert_path = path_of(f, STATE_CA_CERT);
    g_autofree char *cert = text_of(f, STATE_CA_CERT);
    g_autofree char *key = text_of(f, STATE_CA_KEY);
    gnutls_datum_t cert_pem = {(unsigned char *)cert, (unsigned)strlen(cert)};
    gnutls_datum_t key_pem = {(unsigned char *)key, (unsigned)strlen(key)}, made = {0};
    gnutls_x509_crt_t old, crt;
    gnutls_x509_privkey_t private;
    char name[64] = "", serial[] = "01234567890123456789";
    gsize len = sizeof name;

    g_assert_cmpint(gnutls_x509_crt_init(&old), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_import(old, &cert_pem, GNUTLS_X509_FMT_PEM), >=, 0);
    g_assert_cmpint(gnutls_x509_privkey_init(&private), >=, 0);
    g_assert_cmpint(gnutls_x509_privkey_import(private, &key_pem, GNUTLS_X509_FMT_PEM), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_init(&crt), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_version(crt, 3), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_serial(crt, serial, 16), >=, 0);
    g_assert_cmpint(
        gnutls_x509_crt_set_activation_time(crt, gnutls_x509_crt_get_activation_time(old)), >=, 0);
    g_assert_cmpint(
        gnutls_x509_crt_set_expiration_time(crt, gnutls_x509_crt_get_expiration_time(old)), >=, 0);
    g_assert_cmpint(
        gnutls_x509_crt_get_dn_by_oid(old, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len), >=, 0);
    g_assert_cmpint(
        gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)len), >=,
        0);
    g_assert_cmpint(gnutls_x509_crt_set_key(crt, private), >=, 0);
    len = sizeof name;
    g_assert_cmpint(gnutls_x509_crt_get_subject_key_id(old, name, &len, NULL), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_subject_key_id(crt, name, len), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_basic_constraints(crt, 1, length), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, private, GNUTLS_DIG_SHA256, 0), >=, 0);
    g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &made), >=, 0);
    g_assert_true(g_file_set_contents(cert_path, (char *)made.data, (gssize)made.size, NULL));
    gnutls_free(made.data);
    gnutls_x509_crt_deinit(old);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cert = NULL, *key = NULL;

    f->folder = g_dir_make_tmp("succession-XXXXXX", NULL);
    cert = path_of(f, STATE_CA_CERT);
    key = path_of(f, STATE_CA_KEY);
    g_assert_true(certificate_make_authority(CERTIFICATE_AUTHORITY_NAME, cert, key, &error));
    g_assert_no_error(error);
    if (GPOINTER_TO_INT(data) >= 0)
        set_path_length(f, GPOINTER_TO_INT(data));
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GDir) folder = g_dir_open(f->folder, 0, NULL);

    for (const char *name = g_dir_read_name(folder); name; name = g_dir_read_name(folder)) {
        g_autofree char *path = path_of(f, name);

        (void)g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
}

/* Whether a client that trusts ROOT alone takes what the pair shows, as GnuTLS sees it. */
static gboolean
takes(const char *root, const CertificatePair *pair)
{
    gnutls_x509_trust_list_t list;
    gnutls_x509_crt_t *chain = NULL;
    const char *pem = certificate_pair_pem(pair);
    gnutls_datum_t trusted = {(unsigned char *)(guintptr)root, (unsigned)strlen(root)};
    gnutls_datum_t shown = {(unsigned char *)(guintptr)pem, (unsigned)strlen(pem)};
    unsigned count = 0, status = 0;

    g_assert_cmpint(gnutls_x509_trust_list_init(&list, 0), >=, 0);
    g_assert_cmpint(
        gnutls_x509_trust_list_add_trust_mem(list, &trusted, NULL, GNUTLS_X509_FMT_PEM, 0, 0), ==,
        1);
    g_assert_cmpint(gnutls_x509_crt_list_import2(&chain, &count, &shown, GNUTLS_X509_FMT_PEM, 0),
                    >=, 0);
    g_assert_cmpint(gnutls_x509_trust_list_verify_crt(list, chain, count, 0, &status, NULL), >=, 0);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    gnutls_x509_trust_list_deinit(list, 1);
    return status == 0;
}

static Succession *
open_it(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    Succession *succession = succession_open(f->folder, &error);

    g_assert_no_error(error);
    return succession;
}

static CertificatePair *
issue(const Succession *succession)
{
    g_autoptr(GError) error = NULL;
    CertificatePair *pair = succession_issue(succession, names, &error);

    g_assert_no_error(error);
    return pair;
}

/* Before, during and after: who takes what is shown. */
static void
test_change(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    gboolean linked = GPOINTER_TO_INT(data) != 0;
    g_autoptr(Succession) succession = open_it(f);
    g_autofree char *old = text_of(f, STATE_CA_CERT);
    g_autofree char *old_key = text_of(f, STATE_CA_KEY);
    g_autoptr(CertificatePair) before = issue(succession);
    g_autoptr(CertificatePair) during = NULL, last = NULL, after = NULL;
    g_autofree char *next = NULL, *present = NULL, *kept = NULL, *kept_key = NULL;

    g_assert_cmpint(succession_kind(succession), ==, SUCCESSION_NONE);
    g_assert_true(takes(old, before));
    g_assert_true(succession_begin(succession, names, NOW, &error));
    g_assert_no_error(error);
    g_assert_cmpint(succession_kind(succession), ==, linked ? SUCCESSION_LINKED : SUCCESSION_TOLD);
    next = text_of(f, STATE_CA_NEXT_CERT);
    during = issue(succession);
    g_assert_true(takes(old, during));
    g_assert_true(takes(next, during) == linked);
    g_assert_true(succession_has_signed(succession, before));
    g_assert_true(succession_has_signed(succession, during));
    last = succession_issue_last(succession, names, &error);
    g_assert_no_error(error);
    g_assert_true(succession_finish(succession, &error));
    g_assert_no_error(error);
    g_assert_cmpint(succession_kind(succession), ==, SUCCESSION_NONE);
    after = issue(succession);
    g_assert_true(takes(next, last) && takes(next, after));
    g_assert_false(takes(old, last) || takes(old, after));
    present = text_of(f, STATE_CA_CERT);
    kept = text_of(f, STATE_CA_OLD_CERT);
    kept_key = text_of(f, STATE_CA_OLD_KEY);
    g_assert_cmpstr(present, ==, next);
    g_assert_cmpstr(kept, ==, old);
    g_assert_cmpstr(kept_key, ==, old_key);
    g_assert_false(is_there(f, STATE_CA_NEXT_CERT) || is_there(f, STATE_CA_NEXT_KEY) ||
                   is_there(f, STATE_CA_CROSS) || is_there(f, STATE_STATEMENT_AUTHORITY) ||
                   is_there(f, STATE_CA_FINISHING));
}

/* What is begun twice is the same change; what was left before anybody was told is made anew. */
static void
test_begin_again(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Succession) first = open_it(f);
    g_autoptr(Succession) second = NULL, third = NULL;
    g_autofree char *statement_path = path_of(f, STATE_STATEMENT_AUTHORITY);
    g_autofree char *one = NULL, *two = NULL, *three = NULL;

    g_assert_true(succession_begin(first, names, NOW, &error));
    one = text_of(f, STATE_CA_NEXT_CERT);
    second = open_it(f);
    g_assert_true(succession_begin(second, names, NOW + 1, &error));
    two = text_of(f, STATE_CA_NEXT_CERT);
    g_assert_cmpstr(one, ==, two);
    g_assert_cmpint(g_unlink(statement_path), ==, 0);
    third = open_it(f);
    g_assert_cmpint(succession_kind(third), ==, SUCCESSION_NONE);
    g_assert_true(succession_begin(third, names, NOW + 2, &error));
    g_assert_no_error(error);
    three = text_of(f, STATE_CA_NEXT_CERT);
    g_assert_cmpstr(one, !=, three);
}

static void
rename_in(const Fixture *f, const char *from, const char *to)
{
    g_autofree char *from_path = path_of(f, from);
    g_autofree char *to_path = path_of(f, to);

    g_assert_cmpint(g_rename(from_path, to_path), ==, 0);
}

/* The machine dies after each step of the end; the next one who looks brings it to its end. */
static void
test_interrupted(Fixture *f, gconstpointer data)
{
    static const char *const steps[][2] = {{STATE_CA_CERT, STATE_CA_OLD_CERT},
                                           {STATE_CA_NEXT_CERT, STATE_CA_CERT},
                                           {STATE_CA_KEY, STATE_CA_OLD_KEY},
                                           {STATE_CA_NEXT_KEY, STATE_CA_KEY}};

    for (gsize done = 0; done <= G_N_ELEMENTS(steps); done++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Succession) begun = open_it(f);
        g_autoptr(Succession) again = NULL;
        g_autofree char *mark = path_of(f, STATE_CA_FINISHING);
        g_autofree char *next = NULL, *present = NULL;

        g_assert_true(succession_begin(begun, names, NOW, &error));
        next = text_of(f, STATE_CA_NEXT_CERT);
        g_assert_true(g_file_set_contents(mark, "", 0, NULL));
        for (gsize i = 0; i < done; i++)
            rename_in(f, steps[i][0], steps[i][1]);
        again = open_it(f);
        g_assert_cmpint(succession_kind(again), ==, SUCCESSION_NONE);
        present = text_of(f, STATE_CA_CERT);
        g_assert_cmpstr(present, ==, next);
        g_assert_false(is_there(f, STATE_CA_FINISHING) || is_there(f, STATE_CA_NEXT_KEY) ||
                       is_there(f, STATE_STATEMENT_AUTHORITY));
    }
    (void)data;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/succession/change/linked", Fixture, GINT_TO_POINTER(-1), set_up, test_change,
               tear_down);
    g_test_add("/succession/change/linked-by-length", Fixture, GINT_TO_POINTER(1), set_up,
               test_change, tear_down);
    g_test_add("/succession/change/told", Fixture, GINT_TO_POINTER(0), set_up, test_change,
               tear_down);
    g_test_add("/succession/begin-again", Fixture, GINT_TO_POINTER(-1), set_up, test_begin_again,
               tear_down);
    g_test_add("/succession/interrupted", Fixture, GINT_TO_POINTER(-1), set_up, test_interrupted,
               tear_down);
    return g_test_run();
}
