/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificate: the hub's own small authority, the certificate it makes for the hub, and the names
 * in a certificate. Keys are ECDSA P-256; files are PEM, mode 0600 and never overwritten. Any
 * thread; waits for the disk. */
#pragma once

#include <glib.h>

#define CERTIFICATE_AUTHORITY_DAYS 3650
#define CERTIFICATE_SERVER_DAYS 825
#define CERTIFICATE_NAMES_MAX 64

#define CERTIFICATE_AUTHORITY_NAME "streamhub CA"

/* Makes a key and a self-signed authority for it. A successor needs a NAME of its own. */
gboolean certificate_make_authority(const char *name, const char *cert_file, const char *key_file,
                                    GError **error);

/* Makes a key and a certificate for a server named NAMES, signed by the authority. NAMES: host
 * names and IP addresses as text, at least one; the first is also the common name.
 * STREAMD_ERROR_INVALID when a name is neither. */
gboolean
certificate_make_server(const char *ca_cert_file, const char *ca_key_file, const char *const *names,
                        const char *cert_file, const char *key_file, GError **error);

/* The host names and addresses in the first certificate of the file, in its order, lower-case.
 * NULL with an error when it cannot be read. Free with g_strfreev. */
char **certificate_names(const char *cert_file, GError **error);

/* Whether the first certificate of CERT_FILE is signed by the first one of CA_FILE. Also FALSE,
 * with an error, when one of them cannot be read. */
gboolean certificate_is_signed_by(const char *cert_file, const char *ca_file, GError **error);

/* Whether NAME can be put in a certificate: a host name (also "*.example.com") or an IP address. */
gboolean certificate_name_is_valid(const char *name);
