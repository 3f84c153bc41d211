/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only for registry/sqlite-db.c and the files that do its jobs. */
#pragma once

#include "hub/registry/invitation.h"
#include "hub/registry/sqlite-db.h"

typedef enum {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_GET_DEVICE,
    SQL_LIST_DEVICES,
    SQL_LIST_TAGGED,
    SQL_COUNT_MODULES,
    SQL_ADD_DEVICE,
    SQL_REMOVE_DEVICE,
    SQL_SET_ENABLED,
    SQL_EDIT_DEVICE,
    SQL_IMPORT_DEVICE,
    SQL_WRITE_DEVICE,
    SQL_COUNT_DEVICES,
    SQL_ADD_TAG,
    SQL_CLEAR_TAGS,
    SQL_PUT_AUTH,
    SQL_CLEAR_AUTH,
    SQL_SET_ETAG,
    SQL_GET_POLICY,
    SQL_LIST_POLICIES,
    SQL_COUNT_POLICIES,
    SQL_ADD_POLICY,
    SQL_REMOVE_POLICY,
    SQL_EDIT_POLICY,
    SQL_SET_DEVICE_KEYS,
    SQL_SET_POLICY_KEYS,
    SQL_PUT_REKEY,
    SQL_GET_FORMER,
    SQL_LIST_REKEYS,
    SQL_GET_INVITATION,
    SQL_LIST_INVITATIONS,
    SQL_COUNT_INVITATIONS,
    SQL_CLOSED_INVITATION,
    SQL_ADD_INVITATION,
    SQL_ADD_INVITATION_USE,
    SQL_REMOVE_INVITATION,
    SQL_REMOVE_INVITATION_USE,
    SQL_REVOKE_INVITATION,
    SQL_USE_INVITATION,
    SQL_ADD_WAITING,
    SQL_LIST_SEEN,
    SQL_WRITE_FACTS,
    SQL_NOTE_DEVICE_KNOWN,
    SQL_NOTE_USER_KNOWN,
    SQL_LIST_DEVICES_KNOWN,
    SQL_LIST_USERS_KNOWN,
    SQL_STATEMENTS,
} RegistrySqlStatement;

struct RegistrySqliteDb {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    gboolean writing; /* the present job writes */
};

/* Why the last call failed; puts its message into JOB. */
RegistryCode registry_sqlite_fail(RegistrySqliteDb *self, RegistryJob *job);

/* Resets the statement, and forgets what was bound: keys must not stay there. */
void registry_sqlite_done(sqlite3_stmt *statement);

/* Runs a statement that gives no rows. */
gboolean registry_sqlite_run(RegistrySqliteDb *self, RegistrySqlStatement which);

/* TEXT must stay until the statement is done; NULL: empty. */
void registry_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text);
void registry_sqlite_bind_key(sqlite3_stmt *statement, int index, const RegistryKey *key);

char *registry_sqlite_text(sqlite3_stmt *row, int column);
void registry_sqlite_key(sqlite3_stmt *row, int column, RegistryKey *ret);

/* Part of adding a device and of setting its auth: writes that of the record. */
RegistryCode registry_sqlite_write_auth(RegistrySqliteDb *self, RegistryJob *job);
/* Parts of it: the tags of the job's device in the table that is searched. */
RegistryCode registry_sqlite_clear_tags(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_write_tags(RegistrySqliteDb *self, RegistryJob *job);

/* The work of each job. Inside a transaction when it writes. */
RegistryCode registry_sqlite_read_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_devices(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_add_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_remove_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_set_enabled(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_edit_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_set_auth(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_import_devices(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_write_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_count_devices(RegistrySqliteDb *self, RegistryJob *job);
/* Part of those: writes comment, tags and etag of the device in JOB. */
RegistryCode registry_sqlite_write_labels(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_write_facts(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_read_policy(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_policies(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_add_policy(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_remove_policy(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_edit_policy(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_new_device_keys(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_new_policy_keys(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_rekey(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_rekeys(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_read_invitation(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_invitations(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_add_invitation(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_revoke_invitation(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_enroll(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_approve_device(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_note_device_known(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_note_user_known(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_devices_known(RegistrySqliteDb *self, RegistryJob *job);
RegistryCode registry_sqlite_list_users_known(RegistrySqliteDb *self, RegistryJob *job);
