/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations: who may join the hub with a key of their own making (docs/wire-protocol.md,
 * section 9).
 *
 * An invitation has a key, too. It opens the enrolment of what the invitation is for, and nothing
 * else. It is for one device or module, for one user, or for a group: all devices whose ids fit.
 * Used up, expired or revoked, it stays until its name is taken again or its place is needed: who
 * lost the answer to an enrolment that counted asks again and is told so.
 *
 * As registry.h: asynchronous, main thread, each completion once. */
#pragma once

#include "hub/registry/registry.h"

#define REGISTRY_INVITATIONS_MAX 1000        /* one more open one is refused with REGISTRY_LIMIT */
#define REGISTRY_INVITATION_USES_MAX 1000000 /* of one */
#define REGISTRY_INVITATION_IDS_MAX 60000    /* bytes of a list of ids */
#define REGISTRY_ENROLLED_KEY_MIN 32         /* bytes of a key that is enrolled */

typedef enum {
    REGISTRY_INVITES_DEVICE,
    REGISTRY_INVITES_USER,
    REGISTRY_INVITES_GROUP,
    REGISTRY_INVITES_KINDS,
} RegistryInvites;

/* Wiped when it is freed. */
typedef struct {
    char *name;
    RegistryInvites kind;
    RegistryKey key;
    char *subject; /* the device or user; NULL for a group */
    char *module;  /* NULL: the device itself */
    /* Of a user: what it will reach. Of a group: its `devices` are the patterns that an id has to
     * fit, and the rest is not used. */
    RegistryScope *scope;
    RegistryRights rights; /* the user's */
    RegistryTags *tags;    /* the devices' */
    char *ids;             /* of a group: the ids that may join, a line each; NULL: all that fit */
    gboolean approve;      /* of a group: each device waits for registry_approve_device */
    guint uses, used;
    gboolean revoked;
    gint64 expires; /* µs since the epoch, wall clock; 0: never */
    gint64 created;
} RegistryInvitation;

typedef enum {
    REGISTRY_INVITATION_OPEN,
    REGISTRY_INVITATION_USED_UP,
    REGISTRY_INVITATION_EXPIRED,
    REGISTRY_INVITATION_REVOKED,
} RegistryInvitationState;

/* NOW: µs since the epoch. At its last microsecond an invitation is still open. */
RegistryInvitationState registry_invitation_state(const RegistryInvitation *invitation, gint64 now);
const char *registry_invitation_state_name(RegistryInvitationState state); /* "used-up", ... */
const char *registry_invites_name(RegistryInvites kind); /* "device", "user", "group" */
gboolean registry_invites_parse(const char *name, RegistryInvites *ret_kind);

/* Whether this device (MODULE may be NULL), or with USER this user, may join by it. */
gboolean registry_invitation_fits(const RegistryInvitation *invitation, gboolean user,
                                  const char *id, const char *module);

RegistryInvitation *registry_invitation_copy(const RegistryInvitation *invitation);
void registry_invitation_free(RegistryInvitation *invitation); /* NULL is fine */

/* What a completion gets with REGISTRY_OK: the invitation (look-up, add, revoke), or all of them,
 * ordered by name. */
const RegistryInvitation *registry_result_invitation(const RegistryResult *result);
const GPtrArray *registry_result_invitations(const RegistryResult *result);

/* From the database; no cache has invitations. */
void registry_fetch_invitation(Registry *registry, const char *name, RegistryDone done, void *data);
void registry_list_invitations(Registry *registry, RegistryDone done, void *data);

/* Of DRAFT it uses all but used, revoked and created. Without a key it makes one. One of that name
 * which is not open any more is replaced; REGISTRY_EXISTS: one that is open. REGISTRY_INVALID: with
 * the reason. */
void registry_add_invitation(Registry *registry, const RegistryInvitation *draft, RegistryDone done,
                             void *data);
void
registry_revoke_invitation(Registry *registry, const char *name, RegistryDone done, void *data);

/* How an enrolment ended. Only ENROLLED_NEW has changed anything. */
typedef enum {
    ENROLLED_NEW,
    ENROLLED_BEFORE, /* with this very key: not counted again */
    ENROLL_NO_INVITATION,
    ENROLL_NOT_FOR_IT, /* the invitation is for others */
    ENROLL_REVOKED,
    ENROLL_EXPIRED,
    ENROLL_USED_UP,
    ENROLL_TAKEN,     /* there is one of that name with another key */
    ENROLL_NO_DEVICE, /* of which it would be a module */
} RegistryEnrollOutcome;

typedef struct {
    char *invitation;
    gboolean user;
    char *id; /* of the device or user */
    char *module;
    RegistryKey key; /* its own, of REGISTRY_ENROLLED_KEY_MIN bytes or more */
    gint64 now;      /* µs since the epoch */
    /* Answered: */
    RegistryEnrollOutcome outcome;
    gboolean waiting; /* for approval */
    gboolean enabled; /* of a device: may connect */
} RegistryEnrollment;

const RegistryEnrollment *registry_result_enrollment(const RegistryResult *result);

/* Makes the device or user with that key and counts the use, both or neither. REGISTRY_OK also when
 * it was refused: `outcome` says why. */
void
registry_enroll(Registry *registry, const RegistryEnrollment *asked, RegistryDone done, void *data);

/* A device that waits may connect from now on. REGISTRY_INVALID: it does not wait. */
void registry_approve_device(Registry *registry, const char *id, RegistryDone done, void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RegistryInvitation, registry_invitation_free)
