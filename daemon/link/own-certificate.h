/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Own certificate: what a device shows to its hub instead of a token (docs/wire-protocol.md,
 * section 1.7): files, and a key that may be in a token (PKCS #11), which then never leaves it.
 *
 * The files are watched, and read again at every connection. So a certificate that was renewed is
 * used by the next control link, while the present one and the streams go on. Files that cannot be
 * used just now leave what was read before in use. Main thread; reads from the disk, and a token
 * may take its time. */
#pragma once

#include "common/net/tls-context.h"

#include <glib.h>

typedef struct OwnCertificate OwnCertificate;

#define OWN_KEY_URL "pkcs11:"
#define OWN_KEY_URL_MAX 1024
#define OWN_PIN_MAX 255 /* bytes */
#define OWN_CERTIFICATE_WARN_DAYS 30

/* Paths are absolute. */
typedef struct {
    const char *certificate; /* PEM: its own first, then those above it; NULL: there is none */
    const char *key;         /* PEM, that nobody else may read; or a URL, "pkcs11:..." */
    const char *pin_file;    /* of the token, that nobody else may read; NULL: it wants none */
} OwnFiles;

/* What of them is wrong without looking at the files: STREAMD_ERROR_INVALID. */
gboolean own_files_check(const OwnFiles *files, GError **error);

/* CA (PEM, or NULL) or CA_FILE, and ALPN, as in tls-context.h. STREAMD_ERROR_INVALID: what is wrong
 * with which file. Reference counted. */
OwnCertificate *own_certificate_new(const OwnFiles *files, const char *ca, const char *ca_file,
                                    const char *alpn, GError **error);
OwnCertificate *own_certificate_ref(OwnCertificate *own);
void own_certificate_unref(OwnCertificate *own); /* NULL is fine */

/* FUNC is called when other files that can be used have come, or when what is wrong with them has
 * changed. */
void own_certificate_watch(OwnCertificate *own, void (*func)(void *data), void *data);

/* Looks at the files now. TRUE: there is another certificate than before. */
gboolean own_certificate_look(OwnCertificate *own);

/* What is trusted beside, or in the place of, CA, from the next handshake on (tls-context.h). */
void own_certificate_set_next(OwnCertificate *own, TlsNext *next);

/* For the next connection; looks at the files. Borrowed. */
TlsContext *own_certificate_tls(OwnCertificate *own);

/* The hub has refused it: the next connection begins without what earlier ones have left. */
void own_certificate_refused(OwnCertificate *own);

gint64 own_certificate_end(const OwnCertificate *own);        /* s since 1970 */
const char *own_certificate_fault(const OwnCertificate *own); /* of new files; "": they are used */

/* Why the hub may have refused it, as far as can be seen from here, for a device called CLIENT_ID;
 * the caller frees it. ASKED: the hub asked for a certificate. *RET_CAUSE: a code for doctor. */
char *own_certificate_blame(OwnCertificate *own, const char *client_id, gboolean asked,
                            const char **ret_cause);

/* The last such code. */
const char *own_certificate_cause(const OwnCertificate *own);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OwnCertificate, own_certificate_unref)
