/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that a hub is given: which are taken, which are refused and why, and that the hub
 * has one that works whatever happens in between. */
#include "common/base/error.h"
#include "hub/admin/identity.h"
#include "hub/base/state.h"

#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY (24 * 60 * 60)
#define HUB "hub.example.org"

typedef struct {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
} Made;

typedef struct {
    char *folder, *state;
    Made root, middle, other;
} Fixture;

typedef struct {
    const char *name;    /* NULL: none */
    const char *address; /* NULL: none */
    const char *purpose; /* NULL: none said */
    int begin, end;      /* days from now */
    gboolean ca;
    gnutls_pk_algorithm_t algorithm; /* 0: ECDSA */
    gboolean may_not_sign;           /* key usage */
} Plan;

static void
made_clear(Made *made)
{
    gnutls_x509_crt_deinit(made->crt);
    gnutls_x509_privkey_deinit(made->key);
}

static unsigned
bits_of(gnutls_pk_algorithm_t algorithm)
{
    if (algorithm == GNUTLS_PK_RSA)
        return 2048;
    if (algorithm == GNUTLS_PK_EDDSA_ED25519)
        return GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519);
    if (algorithm == GNUTLS_PK_EDDSA_ED448)
        return GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED448);
    return GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
}

/* ISSUER NULL: itself. */
static Made
make(const Plan *plan, const Made *issuer, const char *common_name)
{
    static guint8 serial = 1;
    Made made;
    const Made *by;
    time_t now = time(NULL);
    gnutls_pk_algorithm_t algorithm = plan->algorithm ? plan->algorithm : GNUTLS_PK_ECDSA;
    unsigned bits = bits_of(algorithm);
    unsigned usage =
        plan->may_not_sign ? GNUTLS_KEY_KEY_ENCIPHERMENT : GNUTLS_KEY_DIGITAL_SIGNATURE;

    usage |= plan->ca ? GNUTLS_KEY_KEY_CERT_SIGN : 0;
    serial++;
    g_assert_cmpint(gnutls_x509_privkey_init(&made.key), ==, 0);
    g_assert_cmpint(gnutls_x509_privkey_generate(made.key, algorithm, bits, 0), ==, 0);
    g_assert_cmpint(gnutls_x509_crt_init(&made.crt), ==, 0);
    by = issuer ? issuer : &made;
    (void)gnutls_x509_crt_set_version(made.crt, 3);
    (void)gnutls_x509_crt_set_serial(made.crt, &serial, 1);
    (void)gnutls_x509_crt_set_activation_time(made.crt, now + plan->begin * DAY);
    (void)gnutls_x509_crt_set_expiration_time(made.crt, now + plan->end * DAY);
    (void)gnutls_x509_crt_set_dn_by_oid(made.crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                        (unsigned)strlen(common_name));
    (void)gnutls_x509_crt_set_key(made.crt, made.key);
    (void)gnutls_x509_crt_set_basic_constraints(made.crt, plan->ca ? 1 : 0, -1);
    (void)gnutls_x509_crt_set_key_usage(made.crt, usage);
    if (plan->name)
        (void)gnutls_x509_crt_set_subject_alt_name(made.crt, GNUTLS_SAN_DNSNAME, plan->name,
                                                   (unsigned)strlen(plan->name),
                                                   GNUTLS_FSAN_APPEND);
    if (plan->address)
        (void)gnutls_x509_crt_set_subject_alt_name(made.crt, GNUTLS_SAN_IPADDRESS, "\x7f\0\0\1", 4,
                                                   GNUTLS_FSAN_APPEND);
    if (plan->purpose)
        (void)gnutls_x509_crt_set_key_purpose_oid(made.crt, plan->purpose, 0);
    g_assert_cmpint(gnutls_x509_crt_sign2(made.crt, by->crt, by->key, GNUTLS_DIG_SHA256, 0), ==, 0);
    return made;
}

static char *
path_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->folder, name, NULL);
}

static void
append_crt(GString *text, const Made *made)
{
    gnutls_datum_t pem = {0};

    g_assert_cmpint(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_PEM, &pem), ==, 0);
    g_string_append_len(text, (const char *)pem.data, (gssize)pem.size);
    gnutls_free(pem.data);
}

/* CHAIN: NULL-terminated. */
static void
write_chain(const char *path, const Made *const *chain)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (; *chain; chain++)
        append_crt(text, *chain);
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
}

static void
write_key(const char *path, const Made *made)
{
    gnutls_datum_t pem = {0};

    g_assert_cmpint(gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_PEM, NULL,
                                                      GNUTLS_PKCS_PLAIN, &pem),
                    ==, 0);
    g_assert_true(g_file_set_contents_full(path, (const char *)pem.data, (gssize)pem.size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    gnutls_free(pem.data);
}

static void
write_state(const Fixture *fixture, const Made *leaf)
{
    const Made *const chain[] = {leaf, &fixture->middle, NULL};
    g_autofree char *cert = g_build_filename(fixture->state, STATE_SERVER_CERT, NULL);
    g_autofree char *key = g_build_filename(fixture->state, STATE_SERVER_KEY, NULL);

    write_chain(cert, chain);
    write_key(key, leaf);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    const Plan ca = {.begin = -10, .end = 1000, .ca = TRUE};

    fixture->folder = g_dir_make_tmp("pair-XXXXXX", NULL);
    fixture->state = path_of(fixture, "state");
    g_assert_cmpint(g_mkdir(fixture->state, 0700), ==, 0);
    fixture->root = make(&ca, NULL, "root");
    fixture->middle = make(&ca, &fixture->root, "middle");
    fixture->other = make(&ca, NULL, "other");
}

static void
remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        remove_all(file);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    made_clear(&fixture->root);
    made_clear(&fixture->middle);
    made_clear(&fixture->other);
    remove_all(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->state);
}

typedef enum { CHAIN, LEAF_ONLY, WITH_ROOT, MIDDLE_LEFT_OUT, BACKWARDS, OF_ANOTHER } Order;

static void
write_order(const Fixture *fixture, const char *path, const Made *leaf, Order order)
{
    const Made *const orders[][4] = {
        [CHAIN] = {leaf, &fixture->middle},
        [LEAF_ONLY] = {leaf},
        [WITH_ROOT] = {leaf, &fixture->middle, &fixture->root},
        [MIDDLE_LEFT_OUT] = {leaf, &fixture->root},
        [BACKWARDS] = {&fixture->middle, leaf},
        [OF_ANOTHER] = {leaf, &fixture->other},
    };

    write_chain(path, orders[order]);
}

/* Each against a hub that is called hub.example.org. WORD NULL: it is taken. */
static const struct {
    const char *what;
    Plan plan;
    Order order;
    const char *word;
} rows[] = {
    {"good", {HUB, .begin = -1, .end = 90}, CHAIN, NULL},
    {"without its issuer, which clients may know", {HUB, .begin = -1, .end = 90}, LEAF_ONLY, NULL},
    {"with the root", {HUB, .begin = -1, .end = 90}, WITH_ROOT, NULL},
    {"for servers", {HUB, NULL, GNUTLS_KP_TLS_WWW_SERVER, -1, 90}, CHAIN, NULL},
    {"by a wildcard", {"*.example.org", .begin = -1, .end = 90}, CHAIN, NULL},
    {"in capitals", {"HUB.example.org", .begin = -1, .end = 90}, CHAIN, NULL},
    {"RSA", {HUB, .begin = -1, .end = 90, .algorithm = GNUTLS_PK_RSA}, CHAIN, NULL},
    {"Ed25519", {HUB, .begin = -1, .end = 90, .algorithm = GNUTLS_PK_EDDSA_ED25519}, CHAIN, NULL},
    {"Ed448", {HUB, .begin = -1, .end = 90, .algorithm = GNUTLS_PK_EDDSA_ED448}, CHAIN, "and not"},
    {"with a key that may not sign",
     {HUB, .begin = -1, .end = 90, .may_not_sign = TRUE},
     CHAIN,
     "may not sign handshakes (key usage)"},
    {"for one more day", {HUB, .begin = -90, .end = 1}, CHAIN, NULL},
    {"expired", {HUB, .begin = -90, .end = -1}, CHAIN, "has expired: it was valid until 20"},
    {"expired now", {HUB, .begin = -90, .end = 0}, CHAIN, "has expired"},
    {"not yet valid", {HUB, .begin = 1, .end = 90}, CHAIN, "is not valid before 20"},
    {"of another name",
     {"other.example", .begin = -1, .end = 90},
     CHAIN,
     "not for the hub's name " HUB},
    {"of a name below",
     {"x.hub.example.org", .begin = -1, .end = 90},
     CHAIN,
     "not for the hub's name"},
    {"of no name", {NULL, .begin = -1, .end = 90}, CHAIN, "name"},
    {"of an address", {NULL, "127.0.0.1", .begin = -1, .end = 90}, CHAIN, "but for: 127.0.0.1"},
    {"for clients", {HUB, NULL, GNUTLS_KP_TLS_WWW_CLIENT, -1, 90}, CHAIN, "is not for servers"},
    {"its issuer left out",
     {HUB, .begin = -1, .end = 90},
     MIDDLE_LEFT_OUT,
     "issued by 'CN=middle'"},
    {"with an issuer that is none of it",
     {HUB, .begin = -1, .end = 90},
     OF_ANOTHER,
     "the chain is broken"},
    {"backwards", {HUB, .begin = -1, .end = 90}, BACKWARDS, "key"},
    {"expired, and of another name", {"other.example", .begin = -90, .end = -1}, CHAIN, "; "},
};

static void
test_matrix(Fixture *fixture, gconstpointer data)
{
    const char *const names[] = {HUB, NULL};
    g_autofree char *cert = path_of(fixture, "cert.pem"), *key = path_of(fixture, "key.pem");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Made leaf = make(&rows[i].plan, &fixture->middle, "leaf");
        g_autoptr(GError) error = NULL;
        g_autoptr(CertificatePair) pair = NULL;
        gboolean taken;

        write_order(fixture, cert, &leaf, rows[i].order);
        write_key(key, &leaf);
        pair = certificate_pair_read(cert, key, &error);
        taken = pair && identity_check(pair, NULL, names, &error);
        g_test_message("%s: %s", rows[i].what, error ? error->message : "taken");
        g_assert_true(taken == !rows[i].word);
        if (rows[i].word) {
            g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
            g_assert_nonnull(strstr(error->message, rows[i].word));
        }
        made_clear(&leaf);
    }
}

/* The hub's own key is its own: readable by its owner and by nobody else. */
static void
test_key_of_others(Fixture *fixture, gconstpointer data)
{
    static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
    Made leaf = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "leaf");
    g_autofree char *key = g_build_filename(fixture->state, STATE_SERVER_KEY, NULL);
    g_autoptr(CertificatePair) pair = NULL;

    write_state(fixture, &leaf);
    for (guint i = 0; i < G_N_ELEMENTS(open_modes); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(chmod(key, open_modes[i]), ==, 0);
        g_assert_null(certificate_pair_open(fixture->state, &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_DENIED);
    }
    g_assert_cmpint(chmod(key, 0600), ==, 0);
    pair = certificate_pair_open(fixture->state, NULL);
    g_assert_nonnull(pair);
    made_clear(&leaf);
}

/* An issuer in the file that has expired breaks the chain as well. */
static void
test_expired_issuer(Fixture *fixture, gconstpointer data)
{
    Made issuer = make(&(Plan){.begin = -90, .end = -1, .ca = TRUE}, &fixture->root, "old");
    Made leaf = make(&(Plan){HUB, .begin = -1, .end = 90}, &issuer, "leaf");
    const Made *const chain[] = {&leaf, &issuer, NULL};
    const char *const names[] = {HUB, NULL};
    g_autofree char *cert = path_of(fixture, "cert.pem"), *key = path_of(fixture, "key.pem");
    g_autoptr(GError) error = NULL;
    g_autoptr(CertificatePair) pair = NULL;

    write_chain(cert, chain);
    write_key(key, &leaf);
    pair = certificate_pair_read(cert, key, &error);
    g_assert_no_error(error);
    g_assert_false(identity_check(pair, NULL, names, &error));
    g_assert_nonnull(strstr(error->message, "issuer 2 in the file has expired"));
    made_clear(&leaf);
    made_clear(&issuer);
}

static void
test_files(Fixture *fixture, gconstpointer data)
{
    Made leaf = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "leaf");
    Made stranger = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "stranger");
    g_autofree char *cert = path_of(fixture, "cert.pem"), *key = path_of(fixture, "key.pem");
    g_autofree char *bad = path_of(fixture, "bad.pem"), *fifo = path_of(fixture, "fifo");
    g_autofree char *strangers = path_of(fixture, "stranger.pem");
    g_autofree char *none = path_of(fixture, "none.pem");
    const struct {
        const char *cert, *key, *word;
    } files[] = {
        {none, key, "No such file"},
        {cert, none, "No such file"},
        {bad, key, "not a certificate"},
        {cert, bad, "cannot be used"},
        {key, key, "not a certificate"},
        {cert, cert, "cannot be used"},
        {cert, strangers, "match"},
        {fifo, key, "FIFO"},
        {cert, fifo, "FIFO"},
        {cert, "/dev/zero", "device"},
        {fixture->folder, key, "directory"},
    };

    write_order(fixture, cert, &leaf, CHAIN);
    write_key(key, &leaf);
    write_key(strangers, &stranger);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_true(g_file_set_contents(bad, "nonsense\n", -1, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(certificate_pair_read(files[i].cert, files[i].key, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, files[i].word));
    }
    made_clear(&leaf);
    made_clear(&stranger);
}

static CertificatePair *
read_leaf(const Fixture *fixture, const Made *leaf)
{
    g_autofree char *cert = path_of(fixture, "cert.pem"), *key = path_of(fixture, "key.pem");
    CertificatePair *pair;

    write_order(fixture, cert, leaf, CHAIN);
    write_key(key, leaf);
    pair = certificate_pair_read(cert, key, NULL);
    g_assert_nonnull(pair);
    return pair;
}

static void
assert_shows(const Identity *identity, const CertificatePair *pair)
{
    g_assert_cmpstr(certificate_pair_fingerprint(identity_pair(identity)), ==,
                    certificate_pair_fingerprint(pair));
}

/* What is installed is shown and is there at the next start; what is refused changes nothing. */
static void
test_install(Fixture *fixture, gconstpointer data)
{
    Made first = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "first");
    Made second = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "second");
    Made expired = make(&(Plan){HUB, .begin = -9, .end = -1}, &fixture->middle, "expired");
    g_autoptr(CertificatePair) good = read_leaf(fixture, &second);
    g_autoptr(CertificatePair) bad = read_leaf(fixture, &expired);
    g_autoptr(Identity) identity = NULL, next = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *key = g_build_filename(fixture->state, STATE_SERVER_KEY, NULL);
    struct stat info;

    write_state(fixture, &first);
    identity = identity_new(fixture->state, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(identity_install(identity, &error)); /* nothing is staged */
    g_clear_error(&error);
    g_assert_true(certificate_pair_stage(bad, fixture->state, &error));
    g_assert_false(identity_install(identity, &error));
    g_assert_nonnull(strstr(error->message, "has expired"));
    g_clear_error(&error);
    g_assert_true(identity_reload(identity, NULL, &error)); /* the old one, which stayed */
    g_assert_true(certificate_pair_stage(good, fixture->state, &error));
    g_assert_true(identity_install(identity, &error));
    assert_shows(identity, good);
    next = identity_new(fixture->state, NULL, NULL, &error);
    assert_shows(next, good);
    g_assert_cmpint(stat(key, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 07777, ==, 0600);
    made_clear(&first);
    made_clear(&second);
    made_clear(&expired);
}

/* A hub starts with an expired one, and says so; it takes none while it runs. */
static void
test_start_with_expired(Fixture *fixture, gconstpointer data)
{
    Made expired = make(&(Plan){HUB, .begin = -9, .end = -1}, &fixture->middle, "expired");
    Made soon =
        make(&(Plan){HUB, .begin = -9, .end = IDENTITY_WARN_DAYS - 1}, &fixture->middle, "soon");
    Made later =
        make(&(Plan){HUB, .begin = -9, .end = IDENTITY_WARN_DAYS + 1}, &fixture->middle, "later");
    const Made *const leaves[] = {&expired, &soon, &later};
    const char *const words[] = {"has expired", "expires in", NULL};

    for (guint i = 0; i < G_N_ELEMENTS(leaves); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Identity) identity = NULL;
        g_autofree char *warning = NULL;

        write_state(fixture, leaves[i]);
        identity = identity_new(fixture->state, NULL, NULL, &error);
        g_assert_no_error(error);
        warning = identity_warning(identity);
        g_assert_true(words[i] ? warning && strstr(warning, words[i]) : !warning);
        g_assert_true(identity_reload(identity, NULL, NULL) == (i > 0));
    }
    made_clear(&expired);
    made_clear(&soon);
    made_clear(&later);
}

/* The machine dies between the two renames: the next start finishes them. */
static void
test_interrupted(Fixture *fixture, gconstpointer data)
{
    Made first = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "first");
    Made second = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "second");
    g_autoptr(CertificatePair) good = read_leaf(fixture, &second);
    g_autofree char *key = g_build_filename(fixture->state, STATE_SERVER_KEY, NULL);
    g_autofree char *staged = g_strconcat(key, ".new", NULL);
    g_autofree char *cert = g_build_filename(fixture->state, STATE_SERVER_CERT ".new", NULL);
    g_autoptr(Identity) identity = NULL;
    g_autoptr(GError) error = NULL;

    write_state(fixture, &first);
    g_assert_true(certificate_pair_stage(good, fixture->state, NULL));
    g_assert_cmpint(g_rename(staged, key), ==, 0);
    identity = identity_new(fixture->state, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_shows(identity, good);
    g_assert_false(g_file_test(cert, G_FILE_TEST_EXISTS));
    made_clear(&first);
    made_clear(&second);
}

/* Names that the administrator gave have to stay, and so does the first one; others may go. */
static void
test_names(Fixture *fixture, gconstpointer data)
{
    Made leaf = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "leaf");
    g_autoptr(CertificatePair) pair = read_leaf(fixture, &leaf);
    const char *const hub[] = {HUB, NULL}, *const two[] = {HUB, "old.example", NULL};
    const char *const other[] = {"old.example", HUB, NULL}, *const odd[] = {"a b", NULL};
    const char *const none[] = {NULL};

    g_assert_true(identity_check(pair, NULL, two, NULL));
    g_assert_false(identity_check(pair, NULL, other, NULL));
    g_assert_true(identity_check(pair, hub, other, NULL));
    g_assert_false(identity_check(pair, two, hub, NULL));
    g_assert_false(identity_check(pair, odd, hub, NULL));
    g_assert_true(identity_check(pair, NULL, none, NULL));
    made_clear(&leaf);
}

/* A file that holds key and certificate: no key goes into the one that everybody may read. */
static void
test_combined(Fixture *fixture, gconstpointer data)
{
    Made leaf = make(&(Plan){HUB, .begin = -1, .end = 90}, &fixture->middle, "leaf");
    g_autofree char *key = path_of(fixture, "key.pem"), *both = path_of(fixture, "both.pem");
    g_autofree char *staged = g_build_filename(fixture->state, STATE_SERVER_CERT ".new", NULL);
    g_autofree char *text = NULL, *written = NULL;
    g_autoptr(GString) all = g_string_new(NULL);
    g_autoptr(CertificatePair) pair = NULL;

    write_key(key, &leaf);
    g_assert_true(g_file_get_contents(key, &text, NULL, NULL));
    g_string_append(all, text);
    append_crt(all, &leaf);
    g_assert_true(g_file_set_contents(both, all->str, -1, NULL));
    pair = certificate_pair_read(both, both, NULL);
    g_assert_nonnull(pair);
    g_assert_true(certificate_pair_stage(pair, fixture->state, NULL));
    g_assert_true(g_file_get_contents(staged, &written, NULL, NULL));
    g_assert_null(strstr(written, "PRIVATE"));
    made_clear(&leaf);
}

#define ADD(name, func)                                                                            \
    g_test_add("/certificate-pair/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("matrix", test_matrix);
    ADD("key-of-others", test_key_of_others);
    ADD("expired-issuer", test_expired_issuer);
    ADD("files", test_files);
    ADD("install", test_install);
    ADD("start-with-expired", test_start_with_expired);
    ADD("interrupted", test_interrupted);
    ADD("names", test_names);
    ADD("combined", test_combined);
    return g_test_run();
}
