/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Penalties: who has sent wrong credentials recently (requirement R4). A penalty keeps nobody out:
 * credentials are always verified, and correct ones are accepted. It only decides how wrong ones
 * are refused, and shows which sources are guessing.
 *
 * A penalty belongs to a source and the identity that it claims. The first one lasts `penalty`,
 * each further one twice as long, up to `penalty-max`. It is remembered for the same time again.
 * PENALTIES_APART identities of a source have a penalty each; all others share one. When
 * PENALTIES_MAX penalties are in force, new ones are shared by all sources of an IPv4 /16 or IPv6
 * /32. Main thread; no I/O. */
#pragma once

#include "hub/base/settings.h"
#include "hub/edge/source.h"

#define PENALTIES_MAX 65536
#define PENALTIES_APART 16

typedef struct Penalties Penalties;

Penalties *penalties_new(const Settings *settings); /* kept by reference */
void penalties_free(Penalties *penalties);

/* For how long (µs) the next wrong credentials of this identity are too soon; 0: they are not.
 * Asking does not change the penalty. NOW: µs, monotonic. */
gint64 penalties_wait(Penalties *penalties, const Source *source, const char *identity, gint64 now);

/* The credentials were wrong, and not too soon. */
void penalties_failed(Penalties *penalties, const Source *source, const char *identity, gint64 now);
void penalties_passed(Penalties *penalties, const Source *source, const char *identity);

/* SOURCE, at any level or a region, has failed as `penalty-identities` different ones. */
gboolean penalties_guesses(Penalties *penalties, const Source *source);

/* The operator has changed it. */
void penalties_forgive(Penalties *penalties, const char *identity);

guint penalties_size(const Penalties *penalties); /* also of those that are only remembered */
guint penalties_in_force(const Penalties *penalties, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Penalties, penalties_free)
