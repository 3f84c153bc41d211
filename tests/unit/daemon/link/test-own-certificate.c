/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a device's certificate: which go together, which can be used, and when they change.
 */
#include "common/base/error.h"
#include "daemon/link/file-watch.h"
#include "daemon/link/own-certificate.h"
#include "tests/unit/common/net/client-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY (24 * 60 * 60)
#define PATIENCE (20 * G_TIME_SPAN_SECOND)

typedef struct {
    char *folder, *certificate, *key;
    guint told;
} Fixture;

static void
put(const char *path, const char *text)
{
    g_assert_true(
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

/* Another certificate that is good for DAYS; both files are renamed into their places. */
static void
renew(Fixture *f, int days)
{
    ClientPair pair =
        client_pair_new(&(ClientWish){.name = "gw", .begin = -60, .end = days * DAY}, NULL);
    g_autofree char *pem = client_pair_pem(&pair), *key = client_pair_key_pem(&pair);

    put(f->key, key);
    put(f->certificate, pem);
    client_pair_clear(&pair);
}

static void
set_up(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    f->folder = g_dir_make_tmp("streamd-own-XXXXXX", NULL);
    f->certificate = g_build_filename(f->folder, "gw.pem", NULL);
    f->key = g_build_filename(f->folder, "gw-key.pem", NULL);
    renew(f, 10);
}

static void
tear_down(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    (void)g_unlink(f->certificate);
    (void)g_unlink(f->key);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->certificate);
    g_free(f->key);
}

static void
test_check(Fixture *f G_GNUC_UNUSED, gconstpointer unused G_GNUC_UNUSED)
{
    g_autofree char *most = g_strnfill(OWN_KEY_URL_MAX - strlen(OWN_KEY_URL), 'x');
    g_autofree char *url = g_strconcat(OWN_KEY_URL, most, NULL),
                    *more = g_strconcat(url, "x", NULL);
    const struct {
        OwnFiles files;
        const char *says; /* NULL: good */
    } rows[] = {
        {{NULL, NULL, NULL}, NULL},
        {{"/c", "/k", NULL}, NULL},
        {{"/c", "pkcs11:object=x", NULL}, NULL},
        {{"/c", "pkcs11:object=x", "/p"}, NULL},
        {{"/c", url, NULL}, NULL},
        {{"/c", more, NULL}, "too long"},
        {{"/c", NULL, NULL}, "go together"},
        {{NULL, "/k", NULL}, "go together"},
        {{NULL, NULL, "/p"}, "go together"},
        {{"c", "/k", NULL}, "of the certificate must be absolute"},
        {{"/c", "k", NULL}, "absolute path, or a URL"},
        {{"/c", "tpmkey:x", NULL}, "absolute path, or a URL"},
        {{"/c", "/k", "/p"}, "a PIN is for a key in a token"},
        {{"/c", "pkcs11:object=x", "p"}, "of the PIN's file must be absolute"},
        {{"/c", "pkcs11:object=x?pin-value=1", NULL}, "a PIN has no place"},
        {{"/c", "pkcs11:object=x?pin-source=/p", NULL}, "a PIN has no place"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        if (own_files_check(&rows[i].files, &error) != (rows[i].says == NULL))
            g_error("row %u: %s", i, error ? error->message : "good");
        if (rows[i].says)
            g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

static OwnCertificate *
own_of(Fixture *f)
{
    const OwnFiles files = {f->certificate, f->key, NULL};
    g_autofree char *ca = NULL;
    g_autoptr(GError) error = NULL;
    OwnCertificate *own;

    g_assert_true(g_file_get_contents(f->certificate, &ca, NULL, NULL));
    own = own_certificate_new(&files, ca, NULL, "mqtt", &error);
    g_assert_no_error(error);
    return own;
}

/* Whatever comes in the place of files that are in use, those stay until others can be used. */
static void
test_replaced(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(OwnCertificate) own = own_of(f);
    TlsContext *first = own_certificate_tls(own), *second;
    g_autofree char *key = NULL;

    g_assert_true(own_certificate_tls(own) == first);
    g_assert_false(own_certificate_look(own));
    g_assert_true(g_file_get_contents(f->key, &key, NULL, NULL));
    put(f->certificate, "nothing");
    g_assert_true(own_certificate_tls(own) == first);
    g_assert_nonnull(strstr(own_certificate_fault(own), f->certificate));
    renew(f, 20);
    put(f->key, key);
    g_assert_true(own_certificate_tls(own) == first);
    g_assert_nonnull(strstr(own_certificate_fault(own), "not that of the certificate"));
    g_assert_cmpint(own_certificate_end(own), <, time(NULL) + 11 * DAY);
    renew(f, 20);
    g_assert_cmpint(g_chmod(f->key, 0640), ==, 0);
    g_assert_true(own_certificate_tls(own) == first);
    g_assert_nonnull(strstr(own_certificate_fault(own), "0640"));
    g_assert_cmpint(g_chmod(f->key, 0600), ==, 0);
    g_assert_true(own_certificate_look(own));
    g_assert_cmpstr(own_certificate_fault(own), ==, "");
    g_assert_cmpint(own_certificate_end(own), >, time(NULL) + 19 * DAY);
    second = own_certificate_tls(own);
    own_certificate_refused(own);
    (void)tls_context_ref(second);
    g_assert_true(own_certificate_tls(own) != second);
    tls_context_unref(second);
}

static void
on_told(void *data)
{
    ((Fixture *)data)->told++;
}

static gboolean
on_late(void *data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Until it was told TIMES; or for a while, when that must not come. */
static void
wait_told(Fixture *f, guint times, guint ms)
{
    gboolean late = FALSE;
    guint timer = g_timeout_add(ms, on_late, &late);

    while (f->told < times && !late)
        (void)g_main_context_iteration(NULL, TRUE);
    if (!late)
        g_source_remove(timer);
    g_assert_cmpuint(f->told, ==, times);
}

static void
test_watched(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const guint patience = PATIENCE / 1000;
    g_autoptr(OwnCertificate) own = own_of(f);
    g_autofree char *other = g_build_filename(f->folder, "other", NULL);

    own_certificate_watch(own, on_told, f);
    renew(f, 20);
    wait_told(f, 1, patience);
    put(f->certificate, "nothing");
    wait_told(f, 2, patience);
    g_assert_cmpstr(own_certificate_fault(own), !=, "");
    renew(f, 30);
    wait_told(f, 3, patience);
    put(other, "of another program");
    g_assert_cmpint(g_unlink(other), ==, 0);
    f->told = 0;
    {
        gboolean late = FALSE;

        (void)g_timeout_add(3 * FILE_WATCH_REST / 1000, on_late, &late);
        while (!late)
            (void)g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(f->told, ==, 0);
    own_certificate_watch(own, NULL, NULL);
}

static void
check_blame(OwnCertificate *own, const char *id, gboolean asked, const char *cause,
            const char *says)
{
    const char *told = NULL;
    g_autofree char *text = own_certificate_blame(own, id, asked, &told);

    g_assert_cmpstr(told, ==, cause);
    g_assert_cmpstr(own_certificate_cause(own), ==, cause);
    if (!strstr(text, says))
        g_error("\"%s\" without \"%s\"", text, says);
}

static void
test_blame(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(OwnCertificate) own = own_of(f);

    check_blame(own, "gw", FALSE, "own-certificate-unasked", "asked for no certificate");
    check_blame(own, "gw", TRUE, "own-certificate", "of another authority; or the device");
    check_blame(own, "gx", TRUE, "own-certificate", "or does not name gx (CN or SAN)");
    renew(f, -1);
    g_assert_true(own_certificate_look(own));
    check_blame(own, "gw", TRUE, "own-certificate-expired", "it has expired on 20");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add("/own-certificate/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("check", test_check);
    ADD("replaced", test_replaced);
    ADD("watched", test_watched);
    ADD("blame", test_blame);
    return g_test_run();
}
