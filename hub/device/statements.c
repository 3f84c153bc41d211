/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/statements.h"

#include "common/extension/notice.h"

#include <string.h>

/* What was written last about a user: so that not each of its requests writes. */
typedef struct {
    guint64 serial;
    gboolean plain;
} UserKnown;

typedef struct {
    char *text, *notice;
    guint64 serial;
} One;

struct Statements {
    Devices *devices;
    Registry *registry;
    One ones[STATEMENT_KINDS];
    GHashTable *users; /* name: UserKnown, of the present authority's statement */
};

static void
one_clear(One *one)
{
    g_free(one->text);
    g_free(one->notice);
    *one = (One){0};
}

Statements *
statements_new(Devices *devices, Registry *registry)
{
    Statements *statements = g_new0(Statements, 1);

    statements->devices = devices;
    statements->registry = registry;
    statements->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return statements;
}

void
statements_free(Statements *statements)
{
    if (!statements)
        return;
    for (guint i = 0; i < STATEMENT_KINDS; i++)
        one_clear(&statements->ones[i]);
    g_hash_table_unref(statements->users);
    g_free(statements);
}

static char *
notice_of(const char *text)
{
    g_autoptr(JsonObject) fields = json_object_new();

    json_object_set_string_member(fields, "text", text);
    return notice_build("statement", fields);
}

static void
one_set(One *one, StatementKind kind, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) statement = text ? statement_parse(text, strlen(text), &error) : NULL;

    one_clear(one);
    if (!statement || statement->kind != kind) {
        if (text)
            g_warning("The statement about the hub's %s is not passed on: %s",
                      statement_kind_name(kind), error ? error->message : "it is of another kind");
        return;
    }
    one->text = g_strdup(text);
    one->notice = notice_of(text);
    one->serial = statement->serial;
}

void
statements_set(Statements *statements, const char *const *texts)
{
    for (guint i = 0; i < STATEMENT_KINDS; i++) {
        One *one = &statements->ones[i];

        if (g_strcmp0(one->text, texts[i]) == 0)
            continue;
        one_set(one, (StatementKind)i, texts[i]);
        if (i == STATEMENT_AUTHORITY)
            g_hash_table_remove_all(statements->users);
        if (one->notice)
            (void)devices_notify_all(statements->devices, one->notice);
    }
}

guint64
statements_serial(const Statements *statements, StatementKind kind)
{
    return statements->ones[kind].serial;
}

/* At each link: nothing else says that a notice has arrived. */
void
statements_connected(Statements *statements, const char *client_id)
{
    for (guint i = 0; i < STATEMENT_KINDS; i++)
        if (statements->ones[i].notice)
            (void)devices_notify(statements->devices, client_id, statements->ones[i].notice);
}

static void
on_noted(const RegistryResult *result, void *data G_GNUC_UNUSED)
{
    if (result->code != REGISTRY_OK && result->code != REGISTRY_CLOSED)
        g_debug("who knows the next authority was not written: %s", result->message);
}

void
statements_kept(Statements *statements, const char *client_id, StatementKind kind, guint64 serial)
{
    const char *slash = strchr(client_id, '/');
    g_autofree char *device =
        slash ? g_strndup(client_id, (gsize)(slash - client_id)) : g_strdup(client_id);

    if (kind != STATEMENT_AUTHORITY || serial == 0 ||
        serial != statements->ones[STATEMENT_AUTHORITY].serial)
        return;
    registry_note_device_known(statements->registry, device, slash ? slash + 1 : NULL, serial,
                               on_noted, NULL);
}

static void
note_user(Statements *statements, const char *policy, guint64 serial, gboolean plain)
{
    UserKnown *last = g_hash_table_lookup(statements->users, policy);

    if (!last) {
        last = g_new0(UserKnown, 1);
        g_hash_table_insert(statements->users, g_strdup(policy), last);
    }
    if (last->serial >= serial && last->plain >= plain)
        return;
    last->serial = MAX(last->serial, serial);
    last->plain |= plain;
    registry_note_user_known(statements->registry, policy, serial, plain, on_noted, NULL);
}

const char *
statements_for(Statements *statements, const char *policy, gboolean takes_notices,
               const guint64 *knows)
{
    guint64 serial = statements->ones[STATEMENT_AUTHORITY].serial;

    if (serial > 0 && !takes_notices)
        note_user(statements, policy, 0, TRUE);
    else if (serial > 0 && knows[STATEMENT_AUTHORITY] == serial)
        note_user(statements, policy, serial, FALSE);
    if (!takes_notices)
        return NULL;
    for (guint i = 0; i < STATEMENT_KINDS; i++)
        if (statements->ones[i].serial > knows[i])
            return statements->ones[i].text;
    return NULL;
}
