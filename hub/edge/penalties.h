/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Penalties: who may not try credentials again yet (requirement R4).
 *
 * They fall on a source together with the identity that it claims, so that one device with a wrong
 * key does not shut out those behind the same address. The first lasts `penalty`, each further one
 * twice as long, up to `penalty-max`; for as long again it is remembered. A source that failed as
 * `penalty-identities` different ones is guessing, and penalised as a whole. Bounded: of
 * PENALTIES_MAX the oldest goes first. Main thread; pure. */
#pragma once

#include "hub/edge/admission.h"

#define PENALTIES_MAX 16384

typedef struct Penalties Penalties;

Penalties *penalties_new(const Settings *settings); /* kept by reference */
void penalties_free(Penalties *penalties);

/* NOW: µs, monotonic. Whether an attempt is to be refused whatever it brings; it costs nothing
 * further. */
gboolean penalties_hold(Penalties *penalties, const AdmissionSource *source, const char *identity,
                        gint64 now);

/* The credentials were refused. How long the whole source is to be kept out, in µs; 0: it is not.
 */
gint64 penalties_failed(Penalties *penalties, const AdmissionSource *source, const char *identity,
                        gint64 now);
void penalties_passed(Penalties *penalties, const AdmissionSource *source, const char *identity);

/* The operator has changed it: whatever its credentials are now, they may be tried. */
void penalties_forgive(Penalties *penalties, const char *identity);

guint penalties_size(const Penalties *penalties);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Penalties, penalties_free)
