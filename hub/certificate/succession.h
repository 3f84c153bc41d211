/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Succession: the hub's authority in its state folder, with its key, and how another one comes
 * after it. The verbs that root runs use this; the running hub can read none of the keys.
 *
 * A change has three steps. *Begun*: there is a next authority, and a statement about it that the
 * present one signed. Where the present one may sign authorities, the hub shows a certificate of
 * the next one from then on, with the link from the present one behind it, and every client takes
 * that. Where it may not (those that 0.1.0 made), the hub goes on with the present one. *Finished*:
 * only the next one is shown. Each step can be taken again after it was interrupted. Any thread;
 * waits for the disk. */
#pragma once

#include "hub/certificate/authority.h"

typedef struct Succession Succession;

typedef enum {
    SUCCESSION_NONE,   /* no change */
    SUCCESSION_LINKED, /* begun, and the next authority is in use: old clients take it */
    SUCCESSION_TOLD,   /* begun, and the present authority is in use until the end */
} SuccessionKind;

Succession *succession_open(const char *state_dir, GError **error);
void succession_free(Succession *succession); /* NULL is fine; wipes the keys */

SuccessionKind succession_kind(const Succession *succession);
const CertificateAuthority *succession_present(const Succession *succession);
const CertificateAuthority *succession_next(const Succession *succession); /* NULL: no change */

/* Whether the present authority, or the next one, has signed the certificate. */
gboolean succession_has_signed(const Succession *succession, const CertificatePair *pair);

/* The pair that the hub has to show now. */
CertificatePair *
succession_issue(const Succession *succession, const char *const *names, GError **error);

/* Makes the next authority and the statement for the hub with these NAMES. NOW: s since 1970, the
 * statement's serial, or the next one after that of the last statement. */
gboolean
succession_begin(Succession *succession, const char *const *names, gint64 now, GError **error);

/* The pair of the next authority alone. The caller installs it, and then ends the change. */
CertificatePair *
succession_issue_last(const Succession *succession, const char *const *names, GError **error);
gboolean succession_finish(Succession *succession, GError **error);

/* Makes the statement that the hub NAMES will be found at HOST and PORT. */
gboolean succession_announce(const Succession *succession, const char *const *names,
                             const char *host, guint16 port, gint64 now, GError **error);
/* TRUE: there was one. */
gboolean succession_withdraw_address(const Succession *succession);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Succession, succession_free)
