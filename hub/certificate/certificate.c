/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/certificate/certificate.h"

#include "common/base/error.h"
#include "hub/certificate/private.h"

#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

gboolean
certificate_is_signed_by(const char *cert_file, const char *ca_file, GError **error)
{
    g_auto(Certificate) certificate = NULL;
    g_auto(Certificate) authority = NULL;
    unsigned problems = 0;

    return certificate_load(cert_file, &certificate, error) &&
           certificate_load(ca_file, &authority, error) &&
           gnutls_x509_crt_verify(certificate, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
                                  &problems) >= 0 &&
           problems == 0;
}

static char *
address_to_text(const guint8 *bytes, gsize len)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (len == 4)
        (void)inet_ntop(AF_INET, bytes, text, sizeof text);
    else if (len == 16)
        (void)inet_ntop(AF_INET6, bytes, text, sizeof text);
    return *text ? g_strdup(text) : NULL;
}

/* The name at INDEX; NULL when it is of another kind. FALSE after the last one. */
static gboolean
name_at(Certificate certificate, guint index, char **ret_name)
{
    guint8 bytes[256];
    gsize len = sizeof bytes - 1;
    unsigned type = 0;
    int result =
        gnutls_x509_crt_get_subject_alt_name2(certificate, index, bytes, &len, &type, NULL);

    *ret_name = NULL;
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return FALSE;
    if (result < 0)
        return TRUE;
    if (type == GNUTLS_SAN_IPADDRESS)
        *ret_name = address_to_text(bytes, len);
    else if (type == GNUTLS_SAN_DNSNAME && !memchr(bytes, '\0', len))
        *ret_name = g_ascii_strdown((const char *)bytes, (gssize)len);
    return TRUE;
}

char **
certificate_names_in(gnutls_x509_crt_t certificate)
{
    GPtrArray *names = g_ptr_array_new();
    char *name;

    for (guint i = 0; i < CERTIFICATE_NAMES_MAX && name_at(certificate, i, &name); i++)
        if (name)
            g_ptr_array_add(names, name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char **
certificate_names(const char *cert_file, GError **error)
{
    g_auto(Certificate) certificate = NULL;

    return certificate_load(cert_file, &certificate, error) ? certificate_names_in(certificate)
                                                            : NULL;
}

static gboolean
label_is_valid(const char *label, gsize len)
{
    if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(label[i]) && label[i] != '-' && label[i] != '_')
            return FALSE;
    return TRUE;
}

gboolean
certificate_name_is_valid(const char *name)
{
    const char *rest = g_str_has_prefix(name, "*.") ? name + 2 : name;

    if (g_hostname_is_ip_address(name))
        return strchr(name, '%') == NULL;
    if (strlen(name) > 253)
        return FALSE;
    for (;;) {
        gsize len = strcspn(rest, ".");

        if (!label_is_valid(rest, len))
            return FALSE;
        if (rest[len] == '\0')
            return TRUE;
        rest += len + 1;
    }
}
