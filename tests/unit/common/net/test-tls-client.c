/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/error.h"
#include "common/net/tls-client.h"
#include "tests/unit/common/net/client-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define HOUR 3600

typedef struct {
    char *folder, *ca, *crl;
    ClientPair root, other;
} Fixture;

static void
put(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autofree char *pem = NULL;

    f->folder = g_dir_make_tmp("streamd-client-XXXXXX", NULL);
    f->ca = g_build_filename(f->folder, "ca.pem", NULL);
    f->crl = g_build_filename(f->folder, "crl.pem", NULL);
    f->root = client_pair_new(
        &(ClientWish){.name = "root", .begin = -HOUR, .end = HOUR, .authority = TRUE}, NULL);
    f->other = client_pair_new(
        &(ClientWish){.name = "other", .begin = -HOUR, .end = HOUR, .authority = TRUE}, NULL);
    pem = client_pair_pem(&f->root);
    put(f->ca, pem);
}

static void
tear_down(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    client_pair_clear(&f->root);
    client_pair_clear(&f->other);
    (void)g_unlink(f->ca);
    (void)g_unlink(f->crl);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->ca);
    g_free(f->crl);
}

static TlsTrust *
trust_of(const char *ca, const char *crl, GError **error)
{
    const char *const cas[] = {ca, NULL};
    const char *const crls[] = {crl, NULL};

    return tls_trust_new(cas, crls, error);
}

static TlsClient *
client_of(const ClientPair *pair, TlsTrust *trust)
{
    const ClientPair *const one[] = {pair};

    return tls_client_new(client_chain(one, 1), trust);
}

#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"

/* What counts as a name, and what does not. */
static void
test_names(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    static const char *const san[] = {"gw-2", "gw-3", NULL};
    static const char *const zero[] = {"gw", NULL};
    static const char at_most[] = LONG_64 LONG_64 LONG_64 LONG_64 "7";
    static const char too_long[] = LONG_64 LONG_64 LONG_64 LONG_64 "78";
    static const struct {
        ClientWish wish;
        const char *has, *has_not, *fault;
    } rows[] = {
        {{.name = "gw-1"}, "gw-1", "gw-2", NULL},
        {{.name = "gw-1/m"}, "gw-1/m", "gw-1", NULL},
        {{.name = "gw-1", .alternatives = san}, "gw-3", "gw", NULL},
        {{.alternatives = san}, "gw-2", "", NULL},
        {{.name = "gw-1", .second_name = "gw-2"}, NULL, "gw-1", "more than one common name"},
        {{.name = "a", .second_name = "b", .alternatives = san}, "gw-2", "b", "more than one"},
        {{.name = "gw\0x", .name_len = 4}, NULL, "gw", "zero byte"},
        {{.name = "\0gw", .name_len = 3, .alternatives = zero}, "gw", "", "zero byte"},
        {{.name = "gw\xff\xfe", .name_len = 4}, NULL, "gw", "malformed"},
        {{.name = "#6777"}, NULL, "gw", NULL},
        {{.name = "*"}, "*", "gw", NULL},
        {{.name = "gw-1,CN=gw-2"}, NULL, "gw-2", NULL},
        {{.name = " gw"}, NULL, "gw", NULL},
        {{.name = at_most}, at_most, "gw", NULL},
        {{.name = too_long}, NULL, at_most, "too long"},
        {{.many_alternatives = TLS_CLIENT_NAMES_MAX}, "15", "16", NULL},
        {{.many_alternatives = TLS_CLIENT_NAMES_MAX + 1}, "15", "16", "too many alternative"},
        {{0}, NULL, "gw", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        ClientWish wish = rows[i].wish;
        g_autoptr(TlsClient) client = NULL;
        ClientPair pair;

        wish.end = HOUR;
        pair = client_pair_new(&wish, NULL);
        client = client_of(&pair, NULL);
        g_assert_null(client->fault);
        if (rows[i].has && !tls_client_has_name(client, rows[i].has))
            g_error("row %u has no name %s", i, rows[i].has);
        if (tls_client_has_name(client, rows[i].has_not))
            g_error("row %u has the name %s", i, rows[i].has_not);
        if (!rows[i].fault)
            g_assert_null(client->name_fault);
        else if (!client->name_fault || !strstr(client->name_fault, rows[i].fault))
            g_error("row %u says %s", i, client->name_fault);
        client_pair_clear(&pair);
    }
}

static TlsClientStanding
stands(const ClientWish *wish, const ClientPair *issuer, TlsTrust *trust)
{
    ClientPair pair = client_pair_new(wish, issuer);
    g_autoptr(TlsClient) client = client_of(&pair, trust);
    TlsClientStanding standing = client->standing;

    g_assert_cmpint(standing, ==, tls_client_judge(client, trust));
    g_assert_cmpint(tls_client_judge(client, NULL), ==, TLS_CLIENT_NO_AUTHORITY);
    client_pair_clear(&pair);
    return standing;
}

static void
test_standing(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const struct {
        ClientWish wish;
        const ClientPair *issuer;
        TlsClientStanding standing;
    } rows[] = {
        {{.begin = -9, .end = HOUR}, &f->root, TLS_CLIENT_TRUSTED},
        {{.begin = -9, .end = HOUR, .purpose = GNUTLS_KP_TLS_WWW_CLIENT},
         &f->root,
         TLS_CLIENT_TRUSTED},
        {{.begin = -9, .end = HOUR, .purpose = GNUTLS_KP_TLS_WWW_SERVER},
         &f->root,
         TLS_CLIENT_PURPOSE},
        {{.begin = -9, .end = HOUR}, &f->other, TLS_CLIENT_STRANGE},
        {{.begin = -9, .end = HOUR}, NULL, TLS_CLIENT_STRANGE},
        {{.begin = -9, .end = -5}, &f->root, TLS_CLIENT_EXPIRED},
        {{.begin = 60, .end = HOUR}, &f->root, TLS_CLIENT_NOT_YET},
        {{.begin = -9, .end = -5}, &f->other, TLS_CLIENT_STRANGE},
    };
    g_autoptr(TlsTrust) trust = trust_of(f->ca, NULL, NULL);
    g_autoptr(TlsTrust) empty = tls_trust_new(NULL, NULL, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (stands(&rows[i].wish, rows[i].issuer, trust) != rows[i].standing)
            g_error("row %u stands %d", i, stands(&rows[i].wish, rows[i].issuer, trust));
    g_assert_cmpint(stands(&rows[0].wish, &f->root, empty), ==, TLS_CLIENT_NO_AUTHORITY);
}

/* A chain with certificates in between; the first end in it counts. */
static void
test_chain(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(TlsTrust) trust = trust_of(f->ca, NULL, NULL);
    ClientPair pairs[TLS_CLIENT_CHAIN_MAX + 1];
    const ClientPair *chain[TLS_CLIENT_CHAIN_MAX + 1];
    const ClientPair *above = &f->root;

    for (int i = TLS_CLIENT_CHAIN_MAX; i >= 0; i--) {
        g_autofree char *name = g_strdup_printf("level %d", i);
        const ClientWish wish = {
            .name = name, .begin = -60, .end = i == 2 ? HOUR / 2 : HOUR, .authority = i > 0};

        pairs[i] = client_pair_new(&wish, above);
        chain[i] = above = &pairs[i];
    }
    {
        g_autoptr(TlsClient) most =
            tls_client_new(client_chain(&chain[1], TLS_CLIENT_CHAIN_MAX), trust);
        g_autoptr(TlsClient) more =
            tls_client_new(client_chain(chain, TLS_CLIENT_CHAIN_MAX + 1), trust);
        g_autoptr(TlsClient) gap = tls_client_new(client_chain(chain, 1), trust);

        g_assert_null(most->fault);
        g_assert_cmpint(most->standing, ==, TLS_CLIENT_TRUSTED);
        g_assert_cmpint(most->until, <, most->not_after);
        g_assert_cmpstr(more->fault, ==, "too many certificates were sent with it");
        g_assert_cmpint(more->standing, ==, TLS_CLIENT_UNFIT);
        g_assert_cmpint(gap->standing, ==, TLS_CLIENT_STRANGE);
    }
    for (guint i = 0; i <= TLS_CLIENT_CHAIN_MAX; i++)
        client_pair_clear(&pairs[i]);
}

static void
test_revoked(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const ClientWish wish = {.name = "gw", .begin = -9, .end = HOUR};
    ClientPair good = client_pair_new(&wish, &f->root), bad = client_pair_new(&wish, &f->root);
    const ClientPair *const revoked[] = {&bad};
    g_autofree char *late = client_list_pem(&f->root, revoked, 1, -60);
    g_autofree char *fresh = client_list_pem(&f->root, revoked, 1, HOUR);
    g_autofree char *strange = client_list_pem(&f->other, revoked, 1, HOUR);
    g_autoptr(GError) error = NULL;
    const char *const texts[] = {fresh, late};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(TlsTrust) trust = NULL;
        g_autoptr(TlsClient) one = NULL, two = NULL;

        put(f->crl, texts[i]);
        trust = trust_of(f->ca, f->crl, &error);
        g_assert_no_error(error);
        one = client_of(&good, trust);
        two = client_of(&bad, trust);
        g_assert_cmpint(one->standing, ==, TLS_CLIENT_TRUSTED);
        g_assert_cmpint(two->standing, ==, TLS_CLIENT_REVOKED);
        g_assert_cmpint(tls_trust_warning(trust) != NULL, ==, i == 1);
    }
    put(f->crl, strange);
    g_assert_null(trust_of(f->ca, f->crl, &error));
    g_assert_nonnull(strstr(error->message, "none of the devices' authorities has signed"));
    client_pair_clear(&good);
    client_pair_clear(&bad);
}

static void
test_files(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    const ClientWish wish = {.name = "gw", .begin = -9, .end = HOUR};
    ClientPair leaf = client_pair_new(&wish, &f->root);
    g_autofree char *pem = client_pair_pem(&leaf), *key = client_pair_key_pem(&leaf);
    const struct {
        const char *text, *says;
    } rows[] = {
        {"nothing", "holds no certificate that can be read"},
        {key, "holds no certificate that can be read"},
        {pem, "holds a certificate that is no authority (CA)"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        put(f->ca, rows[i].text);
        g_assert_null(trust_of(f->ca, NULL, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, f->ca));
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
    {
        g_autoptr(GError) error = NULL;
        g_autoptr(TlsClient) client = NULL;

        client = tls_client_new_file(f->ca, &error);
        g_assert_no_error(error);
        g_assert_true(tls_client_has_name(client, "gw"));
        put(f->ca, key);
        g_assert_null(tls_client_new_file(f->ca, &error));
        g_assert_nonnull(strstr(error->message, "holds no certificate in PEM"));
    }
    client_pair_clear(&leaf);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func) g_test_add("/tls-client/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("names", test_names);
    ADD("standing", test_standing);
    ADD("chain", test_chain);
    ADD("revoked", test_revoked);
    ADD("files", test_files);
    return g_test_run();
}
