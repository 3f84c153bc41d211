/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Penalties: who has shown wrong credentials of late (requirement R4). Nobody is kept out by one:
 * credentials are verified in any case, and right ones are let in. A penalty only decides how wrong
 * ones are refused, and tells which sources are guessing.
 *
 * They fall on a source together with the identity that it claims. The first lasts `penalty`, each
 * further one twice as long, up to `penalty-max`; for as long again it is remembered. Of a source
 * PENALTIES_APART identities are kept apart, any more count as one. Bounded: when PENALTIES_MAX
 * are in force, new ones are shared by all sources of an IPv4 /16 or IPv6 /32. Main thread; pure.
 */
#pragma once

#include "hub/base/settings.h"
#include "hub/edge/source.h"

#define PENALTIES_MAX 65536
#define PENALTIES_APART 16

typedef struct Penalties Penalties;

Penalties *penalties_new(const Settings *settings); /* kept by reference */
void penalties_free(Penalties *penalties);

/* For how long (µs) wrong credentials of this identity come too soon; 0: they do not. It costs
 * nothing further. NOW: µs, monotonic. */
gint64 penalties_wait(Penalties *penalties, const Source *source, const char *identity, gint64 now);

/* The credentials were wrong, and not too soon. */
void penalties_failed(Penalties *penalties, const Source *source, const char *identity, gint64 now);
void penalties_passed(Penalties *penalties, const Source *source, const char *identity);

/* SOURCE, at any level or a region, has failed as `penalty-identities` different ones. */
gboolean penalties_guesses(Penalties *penalties, const Source *source);

/* The operator has changed it. */
void penalties_forgive(Penalties *penalties, const char *identity);

guint penalties_size(const Penalties *penalties);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Penalties, penalties_free)
