/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/record/changes.h"

#include "daemon/record/user-names.h"

/* A record that waits. The texts of DATA are in TEXTS. */
typedef struct {
    EventKind kind;
    EventData data;
    GStringChunk *texts;
    gint64 until; /* monotonic */
} Change;

struct Changes {
    UserNames *names;
    GQueue waiting; /* Change */
    guint timer;
};

static void
change_free(Change *change)
{
    g_string_chunk_free(change->texts);
    g_free(change);
}

static void
change_keep(const Change *change, const char **text)
{
    if (*text)
        *text = g_string_chunk_insert(change->texts, *text);
}

static Change *
change_new(EventKind kind, const Author *author, const EventData *data)
{
    Change *change = g_new0(Change, 1);
    EventData *own = &change->data;
    const char **const texts[] = {
        &own->hub,    &own->device,   &own->stream,  &own->stream_id, &own->initiator,
        &own->target, &own->peer,     &own->address, &own->reason,    &own->rule,
        &own->detail, &own->bus_name, &own->object,  &own->before,    &own->after,
    };

    change->kind = kind;
    change->data = *data;
    change->texts = g_string_chunk_new(256);
    change->until = g_get_monotonic_time() + CHANGES_WAIT;
    own->uid = author->uid;
    own->caller_pid = author->pid;
    own->bus_name = author->bus_name;
    if (!own->object)
        own->object = author->object;
    own->user = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        change_keep(change, texts[i]);
    return change;
}

static void
changes_write(Changes *changes, const char *name)
{
    Change *change = g_queue_pop_head(&changes->waiting);

    change->data.user = name;
    event_log(change->kind, &change->data);
    change_free(change);
}

static gboolean changes_on_time(gpointer data);

/* Writes, in order, those that wait for nothing any more. */
static void
changes_pump(Changes *changes)
{
    gint64 now = g_get_monotonic_time(), left = 0;
    const Change *head;
    const char *name = NULL;

    g_clear_handle_id(&changes->timer, g_source_remove);
    while ((head = g_queue_peek_head(&changes->waiting)) != NULL) {
        name = NULL;
        left = head->until - now;
        if (!user_names_find(changes->names, head->data.uid, &name) && left > 0 &&
            changes->waiting.length <= CHANGES_MAX)
            break;
        changes_write(changes, name);
    }
    if (head)
        changes->timer = g_timeout_add((guint)(left / 1000) + 1, changes_on_time, changes);
}

static gboolean
changes_on_time(gpointer data)
{
    Changes *changes = data;

    changes->timer = 0;
    changes_pump(changes);
    return G_SOURCE_REMOVE;
}

static void
changes_found(void *data)
{
    changes_pump(data);
}

Changes *
changes_new(void)
{
    Changes *changes = g_new0(Changes, 1);

    g_queue_init(&changes->waiting);
    changes->names = user_names_new(changes_found, changes);
    return changes;
}

void
changes_free(Changes *changes)
{
    if (!changes)
        return;
    g_clear_handle_id(&changes->timer, g_source_remove);
    while (!g_queue_is_empty(&changes->waiting)) {
        const Change *head = g_queue_peek_head(&changes->waiting);
        const char *name = NULL;

        (void)user_names_find(changes->names, head->data.uid, &name);
        changes_write(changes, name);
    }
    user_names_free(changes->names);
    g_free(changes);
}

void
changes_add(Changes *changes, EventKind kind, const Author *author, const EventData *data)
{
    EventData nobody = *data;

    if (author) {
        g_queue_push_tail(&changes->waiting, change_new(kind, author, data));
        changes_pump(changes);
        return;
    }
    nobody.uid = EVENT_NO_UID;
    event_log(kind, &nobody);
}

void
changes_expect(Changes *changes, guint32 uid)
{
    const char *name;

    (void)user_names_find(changes->names, uid, &name);
}

guint
changes_waiting(const Changes *changes)
{
    return changes->waiting.length;
}
