/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identity: the certificate that a hub shows, and the hub's names. Main thread; waits for the disk.
 *
 * At its start a hub takes any certificate that works, and warns about what is wrong with it: a hub
 * that does not run helps nobody, and its administrator can reach one that runs. A running hub
 * takes a new certificate only when clients will accept it and the hub could start with it. */
#pragma once

#include "hub/certificate/pair.h"

typedef struct Identity Identity;

#define IDENTITY_WARN_DAYS 30

/* PUBLIC_NAME: the host of `public-address`, or NULL. It comes first, then HOST_NAMES, which the
 * administrator gave too and which must outlive the identity, and then those of the certificate.
 * NULL with an error: the files of the state folder cannot be used, or there is no name. */
Identity *identity_new(const char *state_dir, const char *public_name,
                       const char *const *host_names, GError **error);
void identity_free(Identity *identity); /* NULL is fine */

/* The names that are given, then those that the certificate had at the start, each once. */
const char *const *identity_names(const Identity *identity);
/* The same if PUBLIC_NAME were in force. */
GStrv identity_names_as(const Identity *identity, const char *public_name);
TlsContext *identity_tls(const Identity *identity);
const CertificatePair *identity_pair(const Identity *identity);
gint64 identity_days(const Identity *identity); /* whole days left; negative: expired */

/* Reload reads the files again, with a PUBLIC_NAME that may be another; install takes the staged
 * pair. FALSE: nothing has changed, and STREAMD_ERROR_INVALID has all problems. On success
 * identity_tls has the new pair. */
gboolean identity_reload(Identity *identity, const char *public_name, GError **error);
gboolean identity_install(Identity *identity, GError **error);

/* A warning for the administrator about a certificate that works; or NULL. */
char *identity_warning(const Identity *identity);

/* Whether PAIR may be installed for a hub with these HOST_NAMES. CERTIFIED: the names in its
 * certificate until now. */
gboolean identity_check(const CertificatePair *pair, const char *const *host_names,
                        const char *const *certified, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_free)
