/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/certificate/pair.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "hub/certificate/private.h"
#include "hub/base/state.h"
#include "hub/base/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGED ".new"

struct CertificatePair {
    char *cert_text, *key_text;
    gnutls_x509_crt_t *chain; /* COUNT of them, the server's first */
    unsigned count;
    GStrv names;
    char *issuer, *fingerprint;
};

void
certificate_pair_free(CertificatePair *pair)
{
    if (!pair)
        return;
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_x509_crt_deinit(pair->chain[i]);
    gnutls_free(pair->chain);
    secret_free(pair->key_text);
    secret_free(pair->cert_text);
    g_strfreev(pair->names);
    g_free(pair->issuer);
    g_free(pair->fingerprint);
    g_free(pair);
}

static char *
issuer_of(gnutls_x509_crt_t certificate)
{
    gnutls_datum_t dn = {0};
    char *text;

    if (gnutls_x509_crt_get_issuer_dn3(certificate, &dn, 0) < 0)
        return g_strdup("");
    text = g_strndup((const char *)dn.data, dn.size);
    gnutls_free(dn.data);
    return text;
}

static char *
fingerprint_of(gnutls_x509_crt_t certificate)
{
    gnutls_datum_t der = {0};
    char *text;

    if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0)
        return g_strdup("");
    text = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der.data, der.size);
    gnutls_free(der.data);
    return text;
}

/* Keeps only the certificates: this text is public, and some keep the key in the same file. */
static void
pair_strip(CertificatePair *pair)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < pair->count; i++) {
        gnutls_datum_t pem = {0};

        if (gnutls_x509_crt_export2(pair->chain[i], GNUTLS_X509_FMT_PEM, &pem) >= 0)
            g_string_append_len(text, (const char *)pem.data, (gssize)pem.size);
        gnutls_free(pem.data);
    }
    secret_free(pair->cert_text);
    pair->cert_text = g_string_free(text, FALSE);
}

/* Parses the certificates, and reads what the first one says. */
static gboolean
pair_parse(CertificatePair *pair, const char *cert_file, GError **error)
{
    const gnutls_datum_t text = {(unsigned char *)pair->cert_text,
                                 (unsigned)strlen(pair->cert_text)};
    int r = gnutls_x509_crt_list_import2(&pair->chain, &pair->count, &text, GNUTLS_X509_FMT_PEM, 0);

    if (r < 0 || pair->count == 0) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: not a certificate: %s",
                    cert_file, r < 0 ? gnutls_strerror(r) : "there is none in it");
        return FALSE;
    }
    if (pair->count > CERTIFICATE_CHAIN_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "%s: more than %d certificates",
                    cert_file, CERTIFICATE_CHAIN_MAX);
        return FALSE;
    }
    pair_strip(pair);
    pair->names = certificate_names_in(pair->chain[0]);
    pair->issuer = issuer_of(pair->chain[0]);
    pair->fingerprint = fingerprint_of(pair->chain[0]);
    return TRUE;
}

/* GnuTLS checks the key, and that it fits the certificate, only when it loads both for use. */
static gboolean
pair_check_key(const CertificatePair *pair, const char *cert_file, const char *key_file,
               GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(TlsContext) tls = tls_context_new_server_pem(pair->cert_text, pair->key_text, &cause);

    if (!tls)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "certificate %s with key %s cannot be used: %s", cert_file, key_file,
                    cause->message);
    return tls != NULL;
}

/* When the hub cannot read a file of its own, mostly root has made it. */
static void
explain_owner(const char *path, GError **error)
{
    struct stat info;

    if (geteuid() == 0 || stat(path, &info) < 0 || info.st_uid == geteuid())
        return;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: it belongs to user %u with mode %04o, and the hub runs as user %u: "
                "'streamhub certificate install CERT KEY' puts files where the hub can read them",
                path, info.st_uid, info.st_mode & 07777, geteuid());
}

static char *
read_text(const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    char *text = file_read(path, FILE_PEM_MAX, NULL, &failure);

    if (text)
        return text;
    if (access(path, R_OK) < 0 && errno == EACCES)
        explain_owner(path, error);
    if (!error || !*error)
        g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

CertificatePair *
certificate_pair_read(const char *cert_file, const char *key_file, GError **error)
{
    g_autoptr(CertificatePair) pair = g_new0(CertificatePair, 1);

    pair->cert_text = read_text(cert_file, error);
    pair->key_text = pair->cert_text ? read_text(key_file, error) : NULL;
    if (!pair->key_text || !pair_parse(pair, cert_file, error) ||
        !pair_check_key(pair, cert_file, key_file, error))
        return NULL;
    return g_steal_pointer(&pair);
}

CertificatePair *
certificate_pair_new(const char *cert, const char *key, GError **error)
{
    g_autoptr(CertificatePair) pair = g_new0(CertificatePair, 1);

    pair->cert_text = g_strdup(cert);
    pair->key_text = g_strdup(key);
    if (!pair_parse(pair, "what was made", error) ||
        !pair_check_key(pair, "that was made", "that was made", error))
        return NULL;
    return g_steal_pointer(&pair);
}

const char *
certificate_pair_pem(const CertificatePair *pair)
{
    return pair->cert_text;
}

static void G_GNUC_PRINTF(2, 3) problem(GString *problems, const char *format, ...)
{
    va_list args;

    if (problems->len > 0)
        g_string_append(problems, "; ");
    va_start(args, format);
    g_string_append_vprintf(problems, format, args);
    va_end(args);
}

static char *
moment_text(gint64 moment)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(moment);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : g_strdup("?");
}

/* NUMBER: the place in the chain; 1 is the server's certificate. */
static void
check_times(gnutls_x509_crt_t certificate, guint number, gint64 now, GString *problems)
{
    gint64 begin = gnutls_x509_crt_get_activation_time(certificate);
    gint64 end = gnutls_x509_crt_get_expiration_time(certificate);
    g_autofree char *what = number == 1 ? g_strdup("the certificate")
                                        : g_strdup_printf("issuer %u in the file", number);
    g_autofree char *text = moment_text(now < begin ? begin : end);

    if (now < begin)
        problem(problems, "%s is not valid before %s", what, text);
    else if (now >= end)
        problem(problems, "%s has expired: it was valid until %s", what, text);
}

static void
check_purpose(gnutls_x509_crt_t certificate, GString *problems)
{
    unsigned usage = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, NULL);
    int r = gnutls_x509_crt_get_key_usage(certificate, &usage, NULL);

    if (!gnutls_x509_crt_check_key_purpose(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0))
        problem(problems, "the certificate is not for servers (extended key usage)");
    if (r >= 0 && !(usage & GNUTLS_KEY_DIGITAL_SIGNATURE))
        problem(problems, "the certificate's key may not sign handshakes (key usage)");
    if (algorithm != GNUTLS_PK_RSA && algorithm != GNUTLS_PK_RSA_PSS &&
        algorithm != GNUTLS_PK_ECDSA && algorithm != GNUTLS_PK_EDDSA_ED25519)
        problem(problems, "clients take keys of ECDSA, RSA and Ed25519, and not %s",
                gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm));
}

static void
check_names(const CertificatePair *pair, const char *const *names, GString *problems)
{
    g_autofree char *has = g_strjoinv(", ", pair->names);

    for (; names && *names; names++)
        if (!gnutls_x509_crt_check_hostname2(pair->chain[0], *names, 0))
            problem(problems, "the certificate is not for the hub's name %s, but for: %s", *names,
                    *has ? has : "no name");
}

static void
check_chain(const CertificatePair *pair, GString *problems)
{
    for (unsigned i = 0; i + 1 < pair->count; i++) {
        unsigned why = 0;
        int r = gnutls_x509_crt_verify(
            pair->chain[i], &pair->chain[i + 1], 1,
            GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS, &why);
        g_autofree char *issuer = issuer_of(pair->chain[i]);

        if (r < 0 || why != 0)
            problem(problems,
                    "the chain is broken: certificate %u of the file was issued by '%s', and not "
                    "by certificate %u",
                    i + 1, issuer, i + 2);
    }
}

gboolean
certificate_pair_check(const CertificatePair *pair, const char *const *names, gint64 now,
                       GError **error)
{
    g_autoptr(GString) problems = g_string_new(NULL);

    for (unsigned i = 0; i < pair->count; i++)
        check_times(pair->chain[i], i + 1, now, problems);
    check_purpose(pair->chain[0], problems);
    check_names(pair, names, problems);
    check_chain(pair, problems);
    if (problems->len == 0)
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, problems->str);
    return FALSE;
}

static CertificatePair *
open_in(const char *state_dir, const char *cert, const char *key, GError **error)
{
    g_autofree char *cert_file = g_build_filename(state_dir, cert, NULL);
    g_autofree char *key_file = g_build_filename(state_dir, key, NULL);
    g_autoptr(CertificatePair) pair = certificate_pair_read(cert_file, key_file, error);

    return pair && private_file_check(key_file, error) ? g_steal_pointer(&pair) : NULL;
}

CertificatePair *
certificate_pair_open_staged(const char *state_dir, GError **error)
{
    return open_in(state_dir, STATE_SERVER_CERT STAGED, STATE_SERVER_KEY STAGED, error);
}

static gboolean
rename_in(const char *state_dir, const char *name, GError **error)
{
    g_autofree char *to = g_build_filename(state_dir, name, NULL);
    g_autofree char *from = g_strconcat(to, STAGED, NULL);
    int number = g_rename(from, to) < 0 ? errno : 0;

    if (number != 0)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", to, g_strerror(number));
    return number == 0;
}

static gboolean
sync_folder(const char *state_dir, GError **error)
{
    int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_FAILED, "%s: %s", state_dir,
                    g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Renames the key first. If the machine dies then, certificate_pair_open finds a staged certificate
 * for the key that is there, and knows what to finish. */
gboolean
certificate_pair_commit(const char *state_dir, GError **error)
{
    return rename_in(state_dir, STATE_SERVER_KEY, error) && sync_folder(state_dir, error) &&
           rename_in(state_dir, STATE_SERVER_CERT, error) && sync_folder(state_dir, error);
}

CertificatePair *
certificate_pair_open(const char *state_dir, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(CertificatePair) half = NULL;
    CertificatePair *pair = open_in(state_dir, STATE_SERVER_CERT, STATE_SERVER_KEY, &failure);

    if (pair)
        return pair;
    half = open_in(state_dir, STATE_SERVER_CERT STAGED, STATE_SERVER_KEY, NULL);
    if (half && rename_in(state_dir, STATE_SERVER_CERT, NULL))
        return g_steal_pointer(&half);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

void
certificate_pair_unstage(const char *state_dir)
{
    static const char *const names[] = {STATE_SERVER_CERT STAGED, STATE_SERVER_KEY STAGED};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(state_dir, names[i], NULL);

        (void)g_unlink(path);
    }
}

gboolean
certificate_pair_stage(const CertificatePair *pair, const char *state_dir, GError **error)
{
    g_autofree char *cert = g_build_filename(state_dir, STATE_SERVER_CERT STAGED, NULL);
    g_autofree char *key = g_build_filename(state_dir, STATE_SERVER_KEY STAGED, NULL);

    certificate_pair_unstage(state_dir);
    if (private_file_write(key, pair->key_text, strlen(pair->key_text), error) &&
        state_give(state_dir, key, error) &&
        public_file_write(cert, pair->cert_text, strlen(pair->cert_text), error) &&
        state_give(state_dir, cert, error))
        return TRUE;
    certificate_pair_unstage(state_dir);
    return FALSE;
}

TlsContext *
certificate_pair_tls(const CertificatePair *pair, GError **error)
{
    return tls_context_new_server_pem(pair->cert_text, pair->key_text, error);
}

const char *const *
certificate_pair_names(const CertificatePair *pair)
{
    return (const char *const *)pair->names;
}

const char *
certificate_pair_issuer(const CertificatePair *pair)
{
    return pair->issuer;
}

const char *
certificate_pair_fingerprint(const CertificatePair *pair)
{
    return pair->fingerprint;
}

gint64
certificate_pair_begin(const CertificatePair *pair)
{
    return gnutls_x509_crt_get_activation_time(pair->chain[0]);
}

gint64
certificate_pair_end(const CertificatePair *pair)
{
    return gnutls_x509_crt_get_expiration_time(pair->chain[0]);
}
