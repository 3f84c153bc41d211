/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/registry/invitation.h"

#include "common/codec/device-id.h"
#include "hub/registry/job.h"

#include <string.h>

static const char *const state_names[] = {
    [REGISTRY_INVITATION_OPEN] = "open",
    [REGISTRY_INVITATION_USED_UP] = "used-up",
    [REGISTRY_INVITATION_EXPIRED] = "expired",
    [REGISTRY_INVITATION_REVOKED] = "revoked",
};

static const char *const kind_names[REGISTRY_INVITES_KINDS] = {
    [REGISTRY_INVITES_DEVICE] = "device",
    [REGISTRY_INVITES_USER] = "user",
    [REGISTRY_INVITES_GROUP] = "group",
};

RegistryInvitationState
registry_invitation_state(const RegistryInvitation *invitation, gint64 now)
{
    if (invitation->revoked)
        return REGISTRY_INVITATION_REVOKED;
    if (invitation->expires > 0 && now > invitation->expires)
        return REGISTRY_INVITATION_EXPIRED;
    return invitation->used >= invitation->uses ? REGISTRY_INVITATION_USED_UP
                                                : REGISTRY_INVITATION_OPEN;
}

const char *
registry_invitation_state_name(RegistryInvitationState state)
{
    return state_names[state];
}

const char *
registry_invites_name(RegistryInvites kind)
{
    return kind_names[kind];
}

gboolean
registry_invites_parse(const char *name, RegistryInvites *ret_kind)
{
    for (guint i = 0; i < REGISTRY_INVITES_KINDS; i++)
        if (g_strcmp0(name, kind_names[i]) == 0) {
            *ret_kind = (RegistryInvites)i;
            return TRUE;
        }
    return FALSE;
}

/* LIST has a line for each id, and every line ends. */
static gboolean
ids_have(const char *list, const char *id)
{
    gsize len = strlen(id);

    for (const char *line = list; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, id, len) == 0 && line[len] == '\n')
            return TRUE;
    return FALSE;
}

gboolean
registry_invitation_fits(const RegistryInvitation *invitation, gboolean user, const char *id,
                         const char *module)
{
    if (user != (invitation->kind == REGISTRY_INVITES_USER))
        return FALSE;
    if (invitation->kind != REGISTRY_INVITES_GROUP)
        return g_strcmp0(invitation->subject, id) == 0 &&
               g_strcmp0(invitation->module, module) == 0;
    return !module && registry_scope_has_device(invitation->scope, id, NULL) &&
           (!invitation->ids || ids_have(invitation->ids, id));
}

RegistryInvitation *
registry_invitation_copy(const RegistryInvitation *invitation)
{
    RegistryInvitation *copy = g_memdup2(invitation, sizeof *invitation);

    copy->name = g_strdup(invitation->name);
    copy->subject = g_strdup(invitation->subject);
    copy->module = g_strdup(invitation->module);
    copy->ids = g_strdup(invitation->ids);
    copy->scope = registry_scope_ref(invitation->scope);
    copy->tags = registry_tags_ref(invitation->tags);
    return copy;
}

void
registry_invitation_free(RegistryInvitation *invitation)
{
    if (!invitation)
        return;
    g_free(invitation->name);
    g_free(invitation->subject);
    g_free(invitation->module);
    g_free(invitation->ids);
    registry_scope_unref(invitation->scope);
    registry_tags_unref(invitation->tags);
    explicit_bzero(invitation, sizeof *invitation);
    g_free(invitation);
}

const RegistryInvitation *
registry_result_invitation(const RegistryResult *result)
{
    return result->extra;
}

const GPtrArray *
registry_result_invitations(const RegistryResult *result)
{
    return result->extra;
}

const RegistryEnrollment *
registry_result_enrollment(const RegistryResult *result)
{
    return result->extra;
}

static RegistryJob *
invitation_job(Registry *registry, RegistryJobKind kind, RegistryInvitation *invitation,
               RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, kind, done, data);

    job->extra = invitation;
    job->extra_free = (GDestroyNotify)registry_invitation_free;
    return job;
}

/* One that is named and must be there. */
static void
submit_named(Registry *registry, RegistryJobKind kind, const char *name, RegistryDone done,
             void *data)
{
    RegistryInvitation *invitation = g_new0(RegistryInvitation, 1);
    RegistryJob *job = invitation_job(registry, kind, invitation, done, data);

    invitation->name = g_strdup(name);
    if (device_id_is_valid(name, -1))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}

void
registry_fetch_invitation(Registry *registry, const char *name, RegistryDone done, void *data)
{
    submit_named(registry, REGISTRY_LOOKUP_INVITATION, name, done, data);
}

void
registry_revoke_invitation(Registry *registry, const char *name, RegistryDone done, void *data)
{
    submit_named(registry, REGISTRY_REVOKE_INVITATION, name, done, data);
}

void
registry_list_invitations(Registry *registry, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_INVITATIONS, done, data);

    job->extra = g_ptr_array_new_with_free_func((GDestroyNotify)registry_invitation_free);
    job->extra_free = (GDestroyNotify)g_ptr_array_unref;
    job->limit = REGISTRY_INVITATIONS_MAX;
    registry_job_submit(registry, job);
}

/* What is wrong with a list of ids, one in each line; NULL: nothing. */
static char *
ids_fault(const char *ids)
{
    gsize len = strlen(ids);

    if (len > REGISTRY_INVITATION_IDS_MAX)
        return g_strdup_printf("a list of ids has at most %d bytes", REGISTRY_INVITATION_IDS_MAX);
    if (len == 0)
        return g_strdup("the list of ids is empty");
    for (const char *line = ids; *line;) {
        const char *end = strchr(line, '\n');

        if (!end || !device_id_is_valid(line, end - line))
            return g_strdup_printf("'%.*s' in the list of ids is no id: 1 to 128 of letters, "
                                   "digits, '.', '_', ':', '-'",
                                   (int)MIN(end ? (gsize)(end - line) : strlen(line), 128), line);
        line = end + 1;
    }
    return NULL;
}

static char *
group_fault(const RegistryInvitation *group)
{
    if (group->subject || group->module)
        return g_strdup("a group has no device of its own");
    if (!registry_scope_is_narrow(group->scope))
        return g_strdup("a group names which ids may join, * for any");
    return group->ids ? ids_fault(group->ids) : NULL;
}

static char *
user_fault(const RegistryInvitation *user)
{
    if (!device_id_is_valid(user->subject, -1) || user->module)
        return g_strdup("the user's name is 1 to 128 of letters, digits, '.', '_', ':', '-'");
    if (user->rights == 0 || (user->rights & ~(guint)REGISTRY_RIGHTS_ALL) != 0)
        return g_strdup("the user's rights are missing");
    return NULL;
}

/* What is wrong with it, for people; the caller frees it. NULL: nothing. */
static char *
invitation_fault(const RegistryInvitation *invitation)
{
    if (!invitation->name || !device_id_is_valid(invitation->name, -1))
        return g_strdup("its name is 1 to 128 of letters, digits, '.', '_', ':', '-'");
    if (invitation->uses < 1 || invitation->uses > REGISTRY_INVITATION_USES_MAX)
        return g_strdup_printf("it is good for 1 to %d uses", REGISTRY_INVITATION_USES_MAX);
    if (invitation->kind != REGISTRY_INVITES_GROUP && !invitation->subject)
        return g_strdup("it names nobody");
    if (invitation->kind == REGISTRY_INVITES_GROUP)
        return group_fault(invitation);
    if (invitation->kind == REGISTRY_INVITES_USER)
        return user_fault(invitation);
    if (!registry_device_names_are_valid(invitation->subject, invitation->module))
        return g_strdup("the device's id is 1 to 128 of letters, digits, '.', '_', ':', '-'");
    return invitation->module && invitation->tags ? g_strdup("a module has the tags of its device")
                                                  : NULL;
}

void
registry_add_invitation(Registry *registry, const RegistryInvitation *draft, RegistryDone done,
                        void *data)
{
    RegistryInvitation *invitation = registry_invitation_copy(draft);
    RegistryJob *job = invitation_job(registry, REGISTRY_ADD_INVITATION, invitation, done, data);
    char *why = invitation_fault(draft);

    invitation->used = 0;
    invitation->revoked = FALSE;
    invitation->created = g_get_real_time();
    if (!why && !registry_key_complete(&invitation->key))
        why = g_strdup("its key has an impossible length");
    if (why)
        registry_job_finish(job, REGISTRY_INVALID, why);
    else
        registry_job_submit(registry, job);
}

static void
enrollment_free(void *data)
{
    RegistryEnrollment *asked = data;

    g_free(asked->invitation);
    g_free(asked->id);
    g_free(asked->module);
    registry_key_clear(&asked->key);
    g_free(asked);
}

static gboolean
enrollment_is_valid(const RegistryEnrollment *asked)
{
    return device_id_is_valid(asked->invitation, -1) &&
           registry_device_names_are_valid(asked->id, asked->module) &&
           asked->key.len >= REGISTRY_ENROLLED_KEY_MIN && asked->key.len <= REGISTRY_KEY_MAX;
}

void
registry_enroll(Registry *registry, const RegistryEnrollment *asked, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_ENROLL, done, data);
    RegistryEnrollment *copy = g_memdup2(asked, sizeof *asked);

    copy->invitation = g_strdup(asked->invitation);
    copy->id = g_strdup(asked->id);
    copy->module = g_strdup(asked->module);
    job->extra = copy;
    job->extra_free = enrollment_free;
    /* What it needs if it is the first: made here, where random numbers are. */
    job->device = registry_device_named(asked->user ? NULL : asked->id, asked->module);
    job->policy = asked->user ? registry_policy_named(asked->id) : NULL;
    registry_device_renew(job->device);
    job->device->created = asked->now;
    job->device->primary = asked->key;
    (void)registry_key_complete(&job->device->secondary);
    if (enrollment_is_valid(asked))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_INVALID, NULL);
}

void
registry_approve_device(Registry *registry, const char *id, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_APPROVE_DEVICE, done, data);

    job->device = registry_device_named(id, NULL);
    registry_device_renew(job->device);
    if (registry_device_names_are_valid(id, NULL))
        registry_job_submit(registry, job);
    else
        registry_job_finish(job, REGISTRY_NOT_FOUND, NULL);
}
