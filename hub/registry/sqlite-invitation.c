/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations in the database behind registry/sqlite.h, and those who join by them. An enrolment
 * looks, decides, makes and counts in one transaction, so two that come at the same time are one
 * after the other. */
#include "hub/registry/sqlite-private.h"

static char *
text_or_null(sqlite3_stmt *row, int column)
{
    g_autofree char *text = registry_sqlite_text(row, column);

    return text && *text ? g_steal_pointer(&text) : NULL;
}

/* NULL: the scope cannot be read. Without it the invitation would be good for more than it says. */
static RegistryInvitation *
column_invitation(sqlite3_stmt *row)
{
    g_autoptr(RegistryInvitation) invitation = g_new0(RegistryInvitation, 1);
    g_autofree char *scope = registry_sqlite_text(row, 5);
    g_autofree char *tags = registry_sqlite_text(row, 7);

    invitation->name = registry_sqlite_text(row, 0);
    invitation->kind = (RegistryInvites)sqlite3_column_int(row, 1);
    registry_sqlite_key(row, 2, &invitation->key);
    invitation->subject = text_or_null(row, 3);
    invitation->module = text_or_null(row, 4);
    invitation->rights = (RegistryRights)sqlite3_column_int(row, 6);
    invitation->tags = registry_tags_parse(tags);
    invitation->ids = text_or_null(row, 8);
    invitation->approve = sqlite3_column_int(row, 9) != 0;
    invitation->uses = (guint)sqlite3_column_int64(row, 10);
    invitation->expires = sqlite3_column_int64(row, 11);
    invitation->created = sqlite3_column_int64(row, 12);
    invitation->used = (guint)sqlite3_column_int64(row, 13);
    invitation->revoked = sqlite3_column_int(row, 14) != 0;
    return (guint)invitation->kind < REGISTRY_INVITES_KINDS &&
                   registry_scope_parse(scope ? scope : "", &invitation->scope)
               ? g_steal_pointer(&invitation)
               : NULL;
}

static RegistryCode
find_invitation(RegistrySqliteDb *self, RegistryJob *job, const char *name,
                RegistryInvitation **ret_invitation)
{
    sqlite3_stmt *statement = self->statements[SQL_GET_INVITATION];
    RegistryInvitation *found = NULL;
    int result;

    registry_sqlite_bind_text(statement, 1, name);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        found = column_invitation(statement);
    registry_sqlite_done(statement);
    if (found) {
        *ret_invitation = found;
        return REGISTRY_OK;
    }
    if (result == SQLITE_DONE)
        return REGISTRY_NOT_FOUND;
    if (result != SQLITE_ROW)
        return registry_sqlite_fail(self, job);
    job->message = g_strdup_printf("the invitation '%s' cannot be read", name);
    return REGISTRY_FAILED;
}

/* Replaces the record that only has the name by the stored one. */
RegistryCode
registry_sqlite_read_invitation(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryInvitation *found = NULL;
    RegistryCode code =
        find_invitation(self, job, ((const RegistryInvitation *)job->extra)->name, &found);

    if (code != REGISTRY_OK)
        return code;
    registry_invitation_free(job->extra);
    job->extra = found;
    return REGISTRY_OK;
}

RegistryCode
registry_sqlite_list_invitations(RegistrySqliteDb *self, RegistryJob *job)
{
    sqlite3_stmt *statement = self->statements[SQL_LIST_INVITATIONS];
    int result;

    (void)sqlite3_bind_int64(statement, 1, job->limit);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        RegistryInvitation *invitation = column_invitation(statement);

        if (invitation)
            g_ptr_array_add(job->extra, invitation);
    }
    registry_sqlite_done(statement);
    return result == SQLITE_DONE ? REGISTRY_OK : registry_sqlite_fail(self, job);
}

static gboolean
run_named(RegistrySqliteDb *self, RegistrySqlStatement which, const char *name)
{
    registry_sqlite_bind_text(self->statements[which], 1, name);
    return registry_sqlite_run(self, which);
}

static RegistryCode
remove_invitation(RegistrySqliteDb *self, RegistryJob *job, const char *name)
{
    return run_named(self, SQL_REMOVE_INVITATION, name) &&
                   run_named(self, SQL_REMOVE_INVITATION_USE, name)
               ? REGISTRY_OK
               : registry_sqlite_fail(self, job);
}

/* Frees the name where its invitation is of no use any more. */
static RegistryCode
replace_closed(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *draft)
{
    g_autoptr(RegistryInvitation) old = NULL;
    RegistryCode code = find_invitation(self, job, draft->name, &old);

    if (code == REGISTRY_NOT_FOUND)
        return REGISTRY_OK;
    if (code != REGISTRY_OK)
        return code;
    if (registry_invitation_state(old, draft->created) == REGISTRY_INVITATION_OPEN)
        return REGISTRY_EXISTS;
    return remove_invitation(self, job, draft->name);
}

/* Where as many as may be are there, the oldest that is of no use any more goes. */
static RegistryCode
make_room(RegistrySqliteDb *self, RegistryJob *job, gint64 now)
{
    sqlite3_stmt *count = self->statements[SQL_COUNT_INVITATIONS];
    sqlite3_stmt *closed = self->statements[SQL_CLOSED_INVITATION];
    g_autofree char *name = NULL;
    gboolean counted = sqlite3_step(count) == SQLITE_ROW;
    gint64 stored = counted ? sqlite3_column_int64(count, 0) : 0;

    registry_sqlite_done(count);
    if (!counted)
        return registry_sqlite_fail(self, job);
    if (stored < REGISTRY_INVITATIONS_MAX)
        return REGISTRY_OK;
    (void)sqlite3_bind_int64(closed, 1, now);
    if (sqlite3_step(closed) == SQLITE_ROW)
        name = registry_sqlite_text(closed, 0);
    registry_sqlite_done(closed);
    return name ? remove_invitation(self, job, name) : REGISTRY_LIMIT;
}

static RegistryCode
insert_invitation(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *draft)
{
    sqlite3_stmt *statement = self->statements[SQL_ADD_INVITATION];
    g_autofree char *scope = registry_scope_format(draft->scope);
    g_autofree char *tags = registry_tags_format(draft->tags);

    registry_sqlite_bind_text(statement, 1, draft->name);
    (void)sqlite3_bind_int(statement, 2, (int)draft->kind);
    registry_sqlite_bind_key(statement, 3, &draft->key);
    registry_sqlite_bind_text(statement, 4, draft->subject);
    registry_sqlite_bind_text(statement, 5, draft->module);
    registry_sqlite_bind_text(statement, 6, scope);
    (void)sqlite3_bind_int(statement, 7, (int)draft->rights);
    registry_sqlite_bind_text(statement, 8, tags);
    registry_sqlite_bind_text(statement, 9, draft->ids);
    (void)sqlite3_bind_int(statement, 10, draft->approve ? 1 : 0);
    (void)sqlite3_bind_int64(statement, 11, draft->uses);
    (void)sqlite3_bind_int64(statement, 12, draft->expires);
    (void)sqlite3_bind_int64(statement, 13, draft->created);
    return registry_sqlite_run(self, SQL_ADD_INVITATION) &&
                   run_named(self, SQL_ADD_INVITATION_USE, draft->name)
               ? REGISTRY_OK
               : registry_sqlite_fail(self, job);
}

RegistryCode
registry_sqlite_add_invitation(RegistrySqliteDb *self, RegistryJob *job)
{
    const RegistryInvitation *draft = job->extra;
    RegistryCode code = replace_closed(self, job, draft);

    if (code == REGISTRY_OK)
        code = make_room(self, job, draft->created);
    return code == REGISTRY_OK ? insert_invitation(self, job, draft) : code;
}

RegistryCode
registry_sqlite_revoke_invitation(RegistrySqliteDb *self, RegistryJob *job)
{
    g_autofree char *name = g_strdup(((const RegistryInvitation *)job->extra)->name);

    if (!run_named(self, SQL_REVOKE_INVITATION, name))
        return registry_sqlite_fail(self, job);
    return registry_sqlite_read_invitation(self, job); /* NOT_FOUND: then nothing was updated */
}

RegistryCode
registry_sqlite_approve_device(RegistrySqliteDb *self, RegistryJob *job)
{
    guint64 etag = job->device->etag;
    RegistryCode code = registry_sqlite_read_device(self, job);

    if (code != REGISTRY_OK)
        return code;
    if (!job->device->waiting) {
        job->message = g_strdup("it does not wait for approval");
        return REGISTRY_INVALID;
    }
    job->device->etag = etag;
    job->device->enabled = TRUE;
    return registry_sqlite_set_enabled(self,
                                       job); /* which ends its waiting, as the schema has it */
}

/* Takes the same time wherever they differ. */
static gboolean
key_equals(const RegistryKey *a, const RegistryKey *b)
{
    guint8 differ = a->len != b->len;

    for (gsize i = 0; i < REGISTRY_KEY_MAX; i++)
        differ |= (guint8)((i < a->len ? a->bytes[i] : 0) ^ (i < b->len ? b->bytes[i] : 0));
    return differ == 0;
}

static gboolean
is_own_key(const RegistryKey *key, const RegistryKey *primary, const RegistryKey *secondary)
{
    gboolean first = key_equals(key, primary), second = key_equals(key, secondary);

    return first || second;
}

/* The names are in the job's records; REGISTRY_OK: `found`. Then *ret_same: it has that key. */
static RegistryCode
look(RegistrySqliteDb *self, RegistryJob *job, RegistryEnrollment *asked, gboolean *ret_same)
{
    RegistryJob other = {.device = registry_device_named(asked->id, asked->module),
                         .policy = registry_policy_named(asked->id)};
    RegistryCode code = asked->user ? registry_sqlite_read_policy(self, &other)
                                    : registry_sqlite_read_device(self, &other);

    if (code == REGISTRY_OK && asked->user)
        *ret_same = is_own_key(&asked->key, &other.policy->primary, &other.policy->secondary);
    else if (code == REGISTRY_OK)
        *ret_same = is_own_key(&asked->key, &other.device->primary, &other.device->secondary);
    if (code == REGISTRY_OK && *ret_same) {
        asked->enabled = asked->user || other.device->enabled;
        asked->waiting = !asked->user && other.device->waiting;
    }
    job->message = g_steal_pointer(&other.message);
    registry_device_free(other.device);
    registry_policy_free(other.policy);
    return code;
}

static RegistryEnrollOutcome
outcome_of_state(RegistryInvitationState state)
{
    switch (state) {
    case REGISTRY_INVITATION_REVOKED:
        return ENROLL_REVOKED;
    case REGISTRY_INVITATION_EXPIRED:
        return ENROLL_EXPIRED;
    case REGISTRY_INVITATION_USED_UP:
        return ENROLL_USED_UP;
    case REGISTRY_INVITATION_OPEN:
        break;
    }
    return ENROLLED_NEW;
}

static RegistryCode
make_device(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *invitation)
{
    RegistryEnrollment *asked = job->extra;
    RegistryDevice *device = job->device;
    sqlite3_stmt *wait = self->statements[SQL_ADD_WAITING];
    RegistryCode code;

    asked->waiting = invitation->approve;
    asked->enabled = device->enabled = !invitation->approve;
    device->tags = device->module ? NULL : registry_tags_ref(invitation->tags);
    code = registry_sqlite_add_device(self, job);
    if (code != REGISTRY_OK || !invitation->approve)
        return code;
    registry_sqlite_bind_text(wait, 1, asked->id);
    registry_sqlite_bind_text(wait, 2, invitation->name);
    return registry_sqlite_run(self, SQL_ADD_WAITING) ? REGISTRY_OK
                                                      : registry_sqlite_fail(self, job);
}

static RegistryCode
make_user(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *invitation)
{
    RegistryEnrollment *asked = job->extra;
    RegistryPolicy *policy = job->policy;

    asked->enabled = TRUE;
    policy->rights = invitation->rights;
    policy->scope = registry_scope_ref(invitation->scope);
    policy->created = asked->now;
    policy->primary = asked->key;
    policy->secondary = job->device->secondary; /* random, and no device needs it */
    return registry_sqlite_add_policy(self, job);
}

static RegistryCode
make_and_count(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *invitation)
{
    RegistryEnrollment *asked = job->extra;
    RegistryCode code =
        asked->user ? make_user(self, job, invitation) : make_device(self, job, invitation);

    if (code == REGISTRY_NOT_FOUND) { /* only a module needs something else */
        asked->outcome = ENROLL_NO_DEVICE;
        return REGISTRY_OK;
    }
    if (code != REGISTRY_OK)
        return code;
    asked->outcome = ENROLLED_NEW;
    registry_sqlite_bind_text(self->statements[SQL_USE_INVITATION], 1, invitation->name);
    return registry_sqlite_run(self, SQL_USE_INVITATION) ? REGISTRY_OK
                                                         : registry_sqlite_fail(self, job);
}

/* Who asks with the key of the device or user that is there is told so, whatever has become of the
 * invitation: nothing changes by it. For others, one that is closed tells nothing of who is there.
 */
static RegistryCode
decide(RegistrySqliteDb *self, RegistryJob *job, const RegistryInvitation *invitation)
{
    RegistryEnrollment *asked = job->extra;
    gboolean same = FALSE;
    RegistryCode code;

    if (!registry_invitation_fits(invitation, asked->user, asked->id, asked->module)) {
        asked->outcome = ENROLL_NOT_FOR_IT;
        return REGISTRY_OK;
    }
    code = look(self, job, asked, &same);
    if (code != REGISTRY_OK && code != REGISTRY_NOT_FOUND)
        return code;
    asked->outcome = outcome_of_state(registry_invitation_state(invitation, asked->now));
    if (same)
        asked->outcome = ENROLLED_BEFORE;
    else if (asked->outcome == ENROLLED_NEW && code == REGISTRY_OK)
        asked->outcome = ENROLL_TAKEN;
    return asked->outcome == ENROLLED_NEW ? make_and_count(self, job, invitation) : REGISTRY_OK;
}

RegistryCode
registry_sqlite_enroll(RegistrySqliteDb *self, RegistryJob *job)
{
    RegistryEnrollment *asked = job->extra;
    g_autoptr(RegistryInvitation) invitation = NULL;
    RegistryCode code = find_invitation(self, job, asked->invitation, &invitation);

    if (code == REGISTRY_NOT_FOUND) {
        asked->outcome = ENROLL_NO_INVITATION;
        return REGISTRY_OK;
    }
    return code == REGISTRY_OK ? decide(self, job, invitation) : code;
}
