/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admission: the slots of connections that have not authenticated yet, as sshd has them with
 * MaxStartups: how many there may be at the edge, in all and from one source, and how fast new ones
 * may come (requirement R3). A slot is given back on authentication, so a site behind one address
 * is not held down by its own success.
 *
 * Any thread. Memory is bounded by ADMISSION_SOURCES_MAX sources: an idle one is forgotten first.
 */
#pragma once

#include "hub/base/settings.h"

#define ADMISSION_SOURCES_MAX 65536

typedef struct Admission Admission;

/* IPv4 /32, IPv6 /64. All zero: not an Internet address, one source for all of them. */
typedef struct {
    guint8 bytes[9];
} AdmissionSource;

typedef enum {
    SLOT_NONE,
    SLOT_WAITING, /* not authenticated yet */
    SLOT_AUTHENTICATED,
} SlotState;

/* Embedded in a connection. */
typedef struct {
    AdmissionSource source;
    SlotState state;
} Slot;

Admission *admission_new(const Settings *settings); /* kept by reference */
void admission_free(Admission *admission);

/* Of an ADDRESS as connection_peer gives it. */
AdmissionSource admission_source(const char *address);

/* ADDRESS as connection_peer gives it. RANDOM: a fresh random number, for the early drop that
 * begins when half of the slots are taken. FALSE: close the connection without a word. */
gboolean
admission_take(Admission *admission, Slot *slot, const char *address, gint64 now, guint32 random);

void
admission_authenticated(Admission *admission, Slot *slot, gint64 now); /* nothing when it was */
/* Whether it has an authenticated connection. */
gboolean admission_knows(Admission *admission, const AdmissionSource *source);
/* It gets no slot until then, unless it was known in the last ADMISSION_KNOWN (requirement R4). */
#define ADMISSION_KNOWN (10 * G_TIME_SPAN_MINUTE)
void admission_ban(Admission *admission, const AdmissionSource *source, gint64 until, gint64 now);

void admission_leave(Admission *admission, Slot *slot); /* the connection is gone; once is enough */

guint admission_waiting(Admission *admission);
guint admission_total(Admission *admission);
guint admission_most(Admission *admission); /* at once, since it was last asked */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Admission, admission_free)
