/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identity: the certificate that a hub shows, and the names that it goes by. Main thread; waits for
 * the disk.
 *
 * At its start a hub takes whatever works, and says what is wrong with it: a hub that does not run
 * helps nobody, and its administrator can reach one that does. While it runs it takes only what
 * clients will take, and what it could start with again. */
#pragma once

#include "hub/admin/certificate-pair.h"

typedef struct Identity Identity;

#define IDENTITY_WARN_DAYS 30

/* HOST_NAMES: given by the administrator, before those of the certificate; outlive it. NULL with an
 * error: the files of the state folder cannot be used, or there is no name. */
Identity *identity_new(const char *state_dir, const char *const *host_names, GError **error);
void identity_free(Identity *identity); /* NULL is fine */

/* Of the start: what was given, then what the certificate said, each once. */
const char *const *identity_names(const Identity *identity);
TlsContext *identity_tls(const Identity *identity);
const CertificatePair *identity_pair(const Identity *identity);
gint64 identity_days(const Identity *identity); /* left; 0 and less: expired */

/* Reads the files again; takes what was staged. FALSE: nothing has changed, and
 * STREAMD_ERROR_INVALID says all that is wrong. The pair that is taken shows in identity_tls. */
gboolean identity_reload(Identity *identity, GError **error);
gboolean identity_install(Identity *identity, GError **error);

/* What an administrator should know although it works: a text, or NULL. */
char *identity_warning(const Identity *identity);

/* Whether PAIR could be installed for a hub with these HOST_NAMES whose certificate said CERTIFIED
 * until now. */
gboolean identity_check(const CertificatePair *pair, const char *const *host_names,
                        const char *const *certified, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_free)
