/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left to the next process. */
#include "daemon/app-handover.h"

#include "daemon/app-private.h"
#include "daemon/handover/fd-store.h"
#include "daemon/handover/left-tunnel.h"
#include "daemon/handover/sealed.h"
#include "daemon/stream/handover.h"

#include <string.h>
#include <unistd.h>

typedef struct AppLeave AppLeave;

struct AppLeave {
    App *app;
    guint room;    /* descriptors that are kept beside the state */
    guint waiting; /* streams that are not frozen yet */
    guint beyond;  /* streams that do not fit */
    guint closed;  /* tunnels that do not */
    guint timer;
    gint64 open_by;      /* monotonic: streams that are being opened have until then */
    gboolean begun;      /* to freeze */
    guint32 descriptors; /* the last number that was given to one */
    Stored *stored;
    Left *left;
    GArray *items; /* FdStoreItem, borrowed descriptors */
    void (*done)(void *data);
    void *data;
};

static void
leave_look_at_tomb(const Tombstone *tombstone, void *data)
{
    gboolean *ret = data;

    *ret = *ret || tombstone->until > g_get_monotonic_time();
}

static gboolean
app_has_tombs(App *app)
{
    gboolean any = FALSE;

    tombstones_foreach(app_resume_tombstones(app->resumes), leave_look_at_tomb, &any);
    return any;
}

static gboolean
app_has_left_overs(App *app)
{
    g_autoptr(GPtrArray) streams = stream_table_list(app->streams);

    for (guint i = 0; i < streams->len; i++)
        if (stream_may_be_left(streams->pdata[i]))
            return TRUE;
    for (guint i = 0; i < app->tunnels->len; i++)
        if (tunnel_persistent(app->tunnels->pdata[i]))
            return TRUE;
    return app_has_tombs(app);
}

void
app_hold_tunnels(App *app)
{
    for (guint i = 0; i < app->tunnels->len; i++)
        if (tunnel_persistent(app->tunnels->pdata[i]))
            tunnel_hold(app->tunnels->pdata[i]);
}

gboolean
app_may_leave(App *app)
{
    return app->started && !app->leave && fd_store_room() > 1 && app_has_left_overs(app);
}

static void
leave_item_clear(gpointer data)
{
    g_free(((FdStoreItem *)data)->name);
}

void
app_leave_free(AppLeave *leave)
{
    if (!leave)
        return;
    if (leave->timer)
        g_source_remove(leave->timer);
    stored_free(leave->stored);
    left_free(leave->left);
    g_array_unref(leave->items);
    g_free(leave);
}

static void
leave_add_item(AppLeave *leave, const char *kind, guint64 number, int fd)
{
    const FdStoreItem item = {g_strdup_printf("%s-%" G_GUINT64_FORMAT, kind, number), fd};

    g_array_append_val(leave->items, item);
}

static void
leave_remove_item(AppLeave *leave, const char *kind, guint64 number)
{
    g_autofree char *name = g_strdup_printf("%s-%" G_GUINT64_FORMAT, kind, number);

    for (guint i = 0; i < leave->items->len; i++)
        if (g_str_equal(g_array_index(leave->items, FdStoreItem, i).name, name)) {
            g_array_remove_index(leave->items, i);
            return;
        }
}

/* Its connections wait in the kernel until somebody takes them again. */
static void
leave_tunnel(AppLeave *leave, Tunnel *tunnel)
{
    const TunnelOptions options = tunnel_options(tunnel);
    const Listener *listener = tunnel_rest(tunnel);
    ListenerFile file;
    LeftTunnel *left;

    if (!listener)
        return;
    if (leave->items->len + listener_sockets(listener) > leave->room ||
        leave->left->tunnels->len >= LEFT_TUNNELS_MAX) {
        leave->closed++;
        return;
    }
    file = listener_file(listener);
    left = left_add(leave->left);
    left->id = tunnel_id(tunnel);
    left->accepted = tunnel_accepted(tunnel);
    left->owner_uid = options.owner_uid;
    left->sockets = listener_sockets(listener);
    left->hub = g_strdup(options.hub);
    left->device = g_strdup(options.device);
    left->stream = g_strdup(options.stream);
    left->address = g_strdup(options.listen);
    left->file_device = file.device;
    left->file_inode = file.inode;
    for (guint i = 0; i < listener_sockets(listener); i++)
        leave_add_item(leave, "l", left->id, listener_fd(listener, i));
}

static void
leave_write(guint8 *out, gsize size, const void *data)
{
    stored_write(data, out, size);
}

/* One that is frozen ends here after all; a device remembers it, as the other end comes for it. */
static void
leave_drop(AppLeave *leave, guint index, Reason reason)
{
    const StoredStream *stored = leave->stored->streams->pdata[index];
    Stream *stream = app_find_stream(leave->app, stored->id);

    leave_remove_item(leave, "s", stored->descriptor);
    g_ptr_array_remove_index(leave->stored->streams, index); /* which refers to the stream */
    if (stream)
        stream_left_cut(stream, reason);
}

static void
leave_drop_closed(AppLeave *leave)
{
    for (guint i = leave->stored->streams->len; i-- > 0;) {
        const StoredStream *stored = leave->stored->streams->pdata[i];
        const Stream *stream = app_find_stream(leave->app, stored->id);

        if (stream && stream_left_closed(stream) != REASON_NONE)
            leave_drop(leave, i, stream_left_closed(stream));
    }
}

/* More bytes are kept than the state may have: the stream that has most of them is cut. */
static gboolean
leave_drop_largest(AppLeave *leave)
{
    guint64 most = 0;
    guint at = 0;

    for (guint i = 0; i < leave->stored->streams->len; i++) {
        const StoredStream *stream = leave->stored->streams->pdata[i];
        const guint64 kept = stream->saved.kept_to - stream->saved.kept_from;

        if (kept > most) {
            most = kept;
            at = i;
        }
    }
    if (most == 0)
        return FALSE;
    leave_drop(leave, at, REASON_STOPPING);
    leave->beyond++;
    return TRUE;
}

static void
leave_tomb(const Tombstone *tombstone, void *data)
{
    const gint64 left = tombstone->until - g_get_monotonic_time();
    StoredTomb *stored;

    if (left <= 0)
        return;
    stored = stored_add_tomb(data);
    stored->hub = g_strdup(tombstone->hub);
    stored->hub_id = g_strdup(tombstone->id);
    stored->role = STREAM_ROLE_DEVICE;
    memcpy(stored->digest, tombstone->digest, sizeof stored->digest);
    stored->reason = tombstone->reason;
    stored->time_left = (guint64)left;
}

static gboolean
leave_make_state(AppLeave *leave, int *ret, GError **error)
{
    leave->stored->next_stream = leave->app->last_stream + 1;
    leave->stored->next_tunnel = leave->app->last_tunnel + 1;
    leave->stored->other = left_write(leave->left);
    while (stored_size(leave->stored) == 0 && leave_drop_largest(leave))
        ;
    tombstones_foreach(app_resume_tombstones(leave->app->resumes), leave_tomb, leave->stored);
    return sealed_make(stored_size(leave->stored), leave_write, leave->stored, ret, error);
}

/* The state comes last: without it the next process uses nothing, as it is told here. */
static gboolean
leave_push(AppLeave *leave, int state, GError **error)
{
    for (guint i = 0; i < leave->items->len; i++) {
        const FdStoreItem *item = &g_array_index(leave->items, FdStoreItem, i);

        if (!fd_store_push(item->name, &item->fd, 1, error))
            return FALSE;
    }
    return fd_store_push("state", &state, 1, error);
}

static char *
leave_detail(const AppLeave *leave, const GError *error)
{
    g_autofree char *cut = leave->beyond > 0 ? g_strdup_printf("%u more are cut", leave->beyond)
                                             : g_strdup("none is cut");

    if (error)
        return g_strdup_printf("they are cut: %s", error->message);
    if (leave->closed > 0)
        return g_strdup_printf("%s, and %u tunnels do not listen meanwhile, for want of room", cut,
                               leave->closed);
    return g_strconcat(cut, leave->beyond > 0 ? ", for want of room" : "", NULL);
}

static void
leave_tell(AppLeave *leave, const GError *error)
{
    g_autofree char *detail = leave_detail(leave, error);

    event_log(EVENT_STREAMS_LEFT,
              &(EventData){.count = error ? 0 : leave->stored->streams->len, .detail = detail});
}

static void
leave_finish(AppLeave *leave)
{
    g_autoptr(GError) error = NULL;
    int state = -1;

    if (leave->timer)
        g_source_remove(leave->timer);
    leave->timer = 0;
    leave->beyond += leave->waiting;
    leave_drop_closed(leave);
    if (leave_make_state(leave, &state, &error))
        (void)leave_push(leave, state, &error);
    if (state >= 0)
        close(state);
    if (leave->stored->streams->len > 0 || leave->beyond > 0 || leave->closed > 0)
        leave_tell(leave, error);
    while (error && leave->stored->streams->len > 0)
        leave_drop(leave, leave->stored->streams->len - 1, REASON_STOPPING);
    g_clear_pointer(&leave->stored, stored_free); /* it refers to streams */
    leave->done(leave->data);
}

static gboolean
leave_waited(gpointer data)
{
    AppLeave *leave = data;

    leave->timer = 0;
    leave_finish(leave);
    return G_SOURCE_REMOVE;
}

/* FALSE: what is known of it cannot be written, and would keep all others from being written. */
static gboolean
leave_save(AppLeave *leave, const Stream *stream)
{
    g_autoptr(Stored) alone = stored_new();
    StoredStream *stored = stored_add_stream(alone);
    const guint64 id = stream_id(stream);

    stream_save(stream, stored);
    stored->descriptor = ++leave->descriptors;
    if (stored_size(alone) == 0)
        return FALSE;
    g_ptr_array_add(leave->stored->streams, g_ptr_array_steal_index(alone->streams, 0));
    leave_add_item(leave, "s", stored->descriptor, stream_left_fd(stream));
    if (stream_is_taken(stream))
        g_array_append_val(leave->left->taken, id);
    return TRUE;
}

static void
leave_stream(AppLeave *leave, Stream *stream)
{
    app_resume_left(leave->app->resumes, stream);
    if (leave_save(leave, stream))
        return;
    g_warning("Stream %s of %s is cut: its state is beyond what can be kept", stream_name(stream),
              stream_device(stream));
    stream_left_cut(stream, REASON_STOPPING);
}

static void
leave_frozen(Stream *stream, gboolean left, void *data)
{
    AppLeave *leave = data;

    if (!leave->stored || leave->timer == 0) { /* too late */
        if (left)
            stream_left_cut(stream, REASON_STOPPING);
        return;
    }
    if (left)
        leave_stream(leave, stream);
    if (--leave->waiting == 0)
        leave_finish(leave);
}

static guint
leave_freeze(AppLeave *leave)
{
    g_autoptr(GPtrArray) streams = stream_table_list(leave->app->streams);
    const guint most = MIN(leave->room - leave->items->len, STORED_STREAMS_MAX);
    guint count = 0;

    for (guint i = 0; i < streams->len; i++) {
        if (!stream_may_be_left(streams->pdata[i]))
            continue;
        if (count < most) {
            stream_freeze(streams->pdata[i], leave_frozen, leave);
            count++;
        } else {
            leave->beyond++;
        }
    }
    return count;
}

static void
leave_begin(AppLeave *leave)
{
    if (leave->timer)
        g_source_remove(leave->timer);
    leave->begun = TRUE;
    for (guint i = 0; i < leave->app->tunnels->len; i++)
        if (tunnel_persistent(leave->app->tunnels->pdata[i]))
            leave_tunnel(leave, leave->app->tunnels->pdata[i]);
    leave->waiting = leave_freeze(leave);
    leave->timer = g_timeout_add(leave->waiting > 0 ? LEAVE_WAIT / 1000 : 0, leave_waited, leave);
}

/* A connection to a tunnel that is left has become a stream that cannot be left yet. */
static gboolean
leave_is_opening(App *app, const Stream *stream)
{
    const Tunnel *tunnel = app_find_tunnel(app, stream_tunnel(stream));

    if (stream_role(stream) != STREAM_ROLE_SERVICE || !tunnel || !tunnel_persistent(tunnel))
        return FALSE;
    return stream_state(stream) < STREAM_OPEN ||
           (stream_state(stream) == STREAM_OPEN && stream_reactor(stream) &&
            !stream_is_resumable(stream));
}

/* Whether the other end has talked is no event, and this is short. */
static gboolean
leave_look(gpointer data)
{
    AppLeave *leave = data;
    g_autoptr(GPtrArray) streams = stream_table_list(leave->app->streams);

    for (guint i = 0; g_get_monotonic_time() < leave->open_by && i < streams->len; i++)
        if (leave_is_opening(leave->app, streams->pdata[i]))
            return G_SOURCE_CONTINUE;
    leave->timer = 0;
    leave_begin(leave);
    return G_SOURCE_REMOVE;
}

gboolean
app_leave(App *app, guint store, void (*done)(void *data), void *data)
{
    const guint room = MIN(fd_store_room(), store);
    AppLeave *leave;

    if (room <= 1) /* the state and nothing */
        return FALSE;
    leave = g_new0(AppLeave, 1);
    app_finish_changes(app); /* which tunnels there are changes no more */
    app_hold_tunnels(app);
    app->leave = leave;
    stream_table_leave(app->streams);
    app_resume_stop(app->resumes);
    leave->app = app;
    leave->room = room - 1;
    leave->stored = stored_new();
    leave->left = left_new();
    leave->items = g_array_new(FALSE, FALSE, sizeof(FdStoreItem));
    g_array_set_clear_func(leave->items, leave_item_clear);
    leave->done = done;
    leave->data = data;
    leave->open_by = g_get_monotonic_time() + LEAVE_OPENING;
    leave->timer = g_timeout_add(LEAVE_LOOK / 1000, leave_look, leave);
    return TRUE;
}

gboolean
app_leave_now(App *app)
{
    AppLeave *leave = app->leave;

    if (!leave)
        return FALSE;
    if (!leave->begun)
        leave_begin(leave);
    else if (leave->stored)
        leave_finish(leave);
    return TRUE;
}
