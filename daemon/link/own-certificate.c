/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/own-certificate.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret-file.h"
#include "common/base/secret.h"
#include "common/net/tls-client.h"
#include "daemon/link/file-watch.h"

#include <string.h>

struct OwnCertificate {
    guint references;
    char *certificate_file, *key, *pin_file; /* as OwnFiles */
    char *ca, *ca_file;
    TlsNext *next; /* NULL: none */
    const char *alpn;
    char *hash; /* of what is in use */
    TlsContext *tls;
    TlsClient *shown; /* what the certificate says */
    char *fault;
    const char *cause; /* of the last refusal, for doctor */
    FileWatch *watch;
    void (*changed)(void *data);
    void *data;
};

static gboolean
files_fail(GError **error, const char *text)
{
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return FALSE;
}

static gboolean
key_is_url(const char *key)
{
    return g_str_has_prefix(key, OWN_KEY_URL);
}

gboolean
own_files_check(const OwnFiles *files, GError **error)
{
    if (!files->certificate && !files->key && !files->pin_file)
        return TRUE;
    if (!files->certificate || !files->key)
        return files_fail(error, "a certificate and its key go together");
    if (!g_path_is_absolute(files->certificate))
        return files_fail(error, "the path of the certificate must be absolute");
    if (!key_is_url(files->key) && !g_path_is_absolute(files->key))
        return files_fail(error, "the key is an absolute path, or a URL that begins with pkcs11:");
    if (strlen(files->key) > OWN_KEY_URL_MAX)
        return files_fail(error, "the URL of the key is too long");
    if (key_is_url(files->key) &&
        (strstr(files->key, "pin-value") || strstr(files->key, "pin-source")))
        return files_fail(error, "a PIN has no place in the URL of the key, where others can read "
                                 "it: put it into a file of its own (KeyPinFile)");
    if (files->pin_file && !key_is_url(files->key))
        return files_fail(error, "a PIN is for a key in a token (pkcs11:)");
    if (files->pin_file && !g_path_is_absolute(files->pin_file))
        return files_fail(error, "the path of the PIN's file must be absolute");
    return TRUE;
}

/* What was read; the texts are wiped. */
typedef struct {
    char *certificate;
    char *key; /* NULL: in a token */
    char *pin; /* NULL: none */
    char *hash;
} Contents;

static void
contents_clear(Contents *contents)
{
    g_free(contents->certificate);
    secret_free(contents->key);
    secret_free(contents->pin);
    g_free(contents->hash);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Contents, contents_clear)

static char *
contents_hash(const Contents *contents)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *const parts[] = {contents->certificate, contents->key, contents->pin};

    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i])
            g_checksum_update(sum, (const guchar *)parts[i], (gssize)strlen(parts[i]));
        g_checksum_update(sum, (const guchar *)"", 1);
    }
    return g_strdup(g_checksum_get_string(sum));
}

static gboolean
contents_read(const OwnCertificate *own, Contents *ret, GError **error)
{
    gboolean url = key_is_url(own->key);

    ret->certificate = file_read(own->certificate_file, FILE_PEM_MAX, NULL, error);
    if (!ret->certificate)
        return FALSE;
    if (!url)
        ret->key = secret_file_read(own->key, FILE_PEM_MAX, error);
    if (own->pin_file)
        ret->pin = secret_file_read(own->pin_file, OWN_PIN_MAX, error);
    if ((!url && !ret->key) || (own->pin_file && !ret->pin))
        return FALSE;
    ret->hash = contents_hash(ret);
    return TRUE;
}

static TlsContext *
make_tls(const OwnCertificate *own, const Contents *contents, GError **error)
{
    const TlsOwn shown = {
        .certificate = contents->certificate,
        .key = contents->key,
        .key_url = contents->key ? NULL : own->key,
        .pin = contents->pin,
    };
    g_autoptr(TlsContext) tls = own->ca ? tls_context_new_client_pem(own->ca, own->alpn, error)
                                        : tls_context_new_client(own->ca_file, own->alpn, error);

    if (!tls)
        return NULL;
    if (own->next)
        tls_context_set_next(tls, own->next);
    if (tls_context_show(tls, &shown, error))
        return g_steal_pointer(&tls);
    g_prefix_error(error, "certificate %s with key %s: ", own->certificate_file, own->key);
    return NULL;
}

/* Takes the files when they can be used. *RET_NEW: they are not those in use. */
static gboolean
own_read(OwnCertificate *own, gboolean *ret_new, GError **error)
{
    g_auto(Contents) contents = {0};
    g_autoptr(TlsClient) shown = NULL;
    TlsContext *tls;

    *ret_new = FALSE;
    if (!contents_read(own, &contents, error))
        return FALSE;
    if (g_strcmp0(own->hash, contents.hash) == 0)
        return TRUE;
    shown = tls_client_new_file(own->certificate_file, error);
    tls = shown ? make_tls(own, &contents, error) : NULL;
    if (!tls)
        return FALSE;
    tls_context_unref(own->tls);
    tls_client_unref(own->shown);
    g_free(own->hash);
    own->tls = tls;
    own->shown = g_steal_pointer(&shown);
    own->hash = g_steal_pointer(&contents.hash);
    *ret_new = TRUE;
    return TRUE;
}

/* TRUE: another certificate; or *RET_TOLD, another fault. */
static gboolean
own_look(OwnCertificate *own, gboolean *ret_told)
{
    g_autoptr(GError) error = NULL;
    gboolean is_new = FALSE;
    const char *fault;

    (void)own_read(own, &is_new, &error);
    fault = error ? error->message : "";
    *ret_told = strcmp(own->fault, fault) != 0;
    if (*ret_told) {
        g_free(own->fault);
        own->fault = g_strdup(fault);
        if (error)
            g_warning("The certificate that was used before stays in use: %s", fault);
    }
    return is_new;
}

gboolean
own_certificate_look(OwnCertificate *own)
{
    gboolean told;

    return own_look(own, &told);
}

static void
own_files_changed(void *data)
{
    OwnCertificate *own = data;
    gboolean told;

    if ((own_look(own, &told) || told) && own->changed)
        own->changed(own->data);
}

OwnCertificate *
own_certificate_new(const OwnFiles *files, const char *ca, const char *ca_file, const char *alpn,
                    GError **error)
{
    g_autoptr(OwnCertificate) own = g_new0(OwnCertificate, 1);
    gboolean is_new;

    own->references = 1;
    own->certificate_file = g_strdup(files->certificate);
    own->key = g_strdup(files->key);
    own->pin_file = g_strdup(files->pin_file);
    own->ca = g_strdup(ca);
    own->ca_file = g_strdup(ca_file);
    own->alpn = alpn;
    own->fault = g_strdup("");
    if (!own_files_check(files, error) || !own_read(own, &is_new, error))
        return NULL;
    return g_steal_pointer(&own);
}

OwnCertificate *
own_certificate_ref(OwnCertificate *own)
{
    own->references++;
    return own;
}

void
own_certificate_unref(OwnCertificate *own)
{
    if (!own || --own->references > 0)
        return;
    file_watch_free(own->watch);
    tls_context_unref(own->tls);
    tls_next_unref(own->next);
    tls_client_unref(own->shown);
    g_free(own->certificate_file);
    g_free(own->key);
    g_free(own->pin_file);
    g_free(own->ca);
    g_free(own->ca_file);
    g_free(own->hash);
    g_free(own->fault);
    g_free(own);
}

void
own_certificate_watch(OwnCertificate *own, void (*func)(void *data), void *data)
{
    const char *const files[] = {own->certificate_file, key_is_url(own->key) ? NULL : own->key,
                                 NULL};

    file_watch_free(own->watch);
    own->watch = func ? file_watch_new(files, own_files_changed, own) : NULL;
    own->changed = func;
    own->data = data;
}

TlsContext *
own_certificate_tls(OwnCertificate *own)
{
    (void)own_certificate_look(own);
    return own->tls;
}

void
own_certificate_refused(OwnCertificate *own)
{
    g_clear_pointer(&own->hash, g_free);
}

gint64
own_certificate_end(const OwnCertificate *own)
{
    return own->shown->not_after;
}

const char *
own_certificate_fault(const OwnCertificate *own)
{
    return own->fault;
}

static char *
moment_text(gint64 moment)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(moment);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("another time");
}

static char *
sha256_text(const TlsClient *shown)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < TLS_SHA256_SIZE; i++)
        g_string_append_printf(text, "%02X", shown->sha256[i]);
    return g_string_free(text, FALSE);
}

const char *
own_certificate_cause(const OwnCertificate *own)
{
    return own->cause ? own->cause : "own-certificate";
}

char *
own_certificate_blame(OwnCertificate *own, const char *client_id, gboolean asked,
                      const char **ret_cause)
{
    gint64 now = g_get_real_time() / G_TIME_SPAN_SECOND;
    gboolean late = now > own->shown->not_after, early = now < own->shown->not_before;
    g_autofree char *moment = moment_text(late ? own->shown->not_after : own->shown->not_before);
    g_autofree char *thumbprint = sha256_text(own->shown);

    *ret_cause = !asked            ? "own-certificate-unasked"
                 : (late || early) ? "own-certificate-expired"
                                   : "own-certificate";
    own->cause = *ret_cause;
    if (!asked)
        return g_strdup("the hub asked for no certificate: there, client certificates are switched "
                        "off (client-certificates)");
    if (late)
        return g_strdup_printf("the hub refused the certificate: it has expired on %s", moment);
    if (early)
        return g_strdup_printf("the hub refused the certificate: it is not valid before %s, or "
                               "this machine's clock is behind",
                               moment);
    return g_strdup_printf(
        "the hub refused the certificate with the SHA-256 %s: it is not known there, has been "
        "revoked, or is of another authority%s%s%s; or the device is unknown, disabled or has keys",
        thumbprint, tls_client_has_name(own->shown, client_id) ? "" : ", or does not name ",
        tls_client_has_name(own->shown, client_id) ? "" : client_id,
        tls_client_has_name(own->shown, client_id) ? "" : " (CN or SAN)");
}

void
own_certificate_set_next(OwnCertificate *own, TlsNext *next)
{
    tls_next_unref(own->next);
    own->next = next ? tls_next_ref(next) : NULL;
    if (own->tls)
        tls_context_set_next(own->tls, next);
}
