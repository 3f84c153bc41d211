/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admission: which connections get a slot at the edge (requirements R3, R4, R10). Until a
 * connection authenticates, its slot counts as waiting. Here are the limits of how many slots may
 * wait, in all and from one source, and of how fast new ones may come (compare MaxStartups of
 * sshd). After that the slot counts for its user, if it has one, and for all connections.
 *
 * A source from which somebody has authenticated within `known-source-time` is known: its limits
 * are `known-source-factor` times higher, and unknown sources cannot take its share (places.h). At
 * most ADMISSION_KNOWN_MAX sources are remembered. After that, new ones share the entry of their
 * region, and no entry is dropped. Any thread. */
#pragma once

#include "hub/base/settings.h"
#include "hub/edge/source.h"

#define ADMISSION_KNOWN_MAX 65536

typedef struct Admission Admission;
typedef struct Slot Slot;

Admission *admission_new(const Settings *settings); /* kept by reference */
void admission_free(Admission *admission);          /* slots that linger may do so */

/* For the connection of PEER (as connection_peer gives it) with the socket FD, which the admission
 * may shut down to make room, until slot_leave; FD negative: it may not. RANDOM: a fresh random
 * number. NULL: close the connection and send nothing. The caller gets a reference. */
Slot *admission_take(Admission *admission, int fd, const char *peer, gint64 now, guint32 random);

/* For a connection that comes through BALANCER, which has yet to say for whom: it counts only
 * among the ADMISSION_BALANCER_MAX of its balancer that have not, until slot_name. */
#define ADMISSION_BALANCER_MAX 256
Slot *admission_greet(Admission *admission, int fd, const char *balancer, gint64 now);

/* It has said so: SLOT counts for PEER, as if it were taken now. FALSE: close the connection. Once,
 * before anybody else sees SLOT. */
gboolean slot_name(Slot *slot, int fd, const char *peer, gint64 now, guint32 random);

/* SOURCE, at one of its levels or its region, guesses identities: until then it gets
 * `guessing-per-second` new connections. Known sources are not slowed down. */
void admission_slow(Admission *admission, const Source *source, gint64 until, gint64 now);

/* Somebody from SOURCE has authenticated recently, or from its region when the entry is shared. */
gboolean admission_knows(Admission *admission, const Source *source, gint64 now);

guint admission_waiting(Admission *admission);
guint admission_total(Admission *admission);
guint admission_most(Admission *admission); /* at once, since it was last asked */

Slot *slot_ref(Slot *slot);
void slot_unref(Slot *slot); /* NULL is fine */

/* Its connection is about to be closed; once is enough. */
void slot_leave(Slot *slot, gint64 now);

Source slot_source(const Slot *slot);
void slot_authenticated(Slot *slot, gint64 now); /* once is enough */

typedef enum {
    USER_HAS_ROOM,
    USER_IS_CROWDED, /* half of its share: none of its connections may idle any more */
    USER_IS_FULL,
} UserRoom;

/* Counts the slot for USER until it leaves. FALSE when the user already has its share of
 * `connections-max` or of the descriptors; with FORCE it is counted in any case. */
UserRoom slot_take_user(Slot *slot, const char *user, gboolean force);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Admission, admission_free)
