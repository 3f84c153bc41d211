/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a former process has left. */
#include "daemon/app-handover.h"

#include "common/base/error.h"
#include "daemon/app-private.h"
#include "daemon/handover/fd-store.h"
#include "daemon/handover/left-tunnel.h"
#include "daemon/handover/sealed.h"
#include "daemon/stream/handover.h"

#include <string.h>
#include <unistd.h>

/* The state with all that may be in it. */
#define INHERIT_MOST ((gsize)(STORED_KEPT_MAX + 64 * 1024 * 1024))

static void
inherit_let_go(GArray *items)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < items->len; i++) {
        const char *name = g_array_index(items, FdStoreItem, i).name;

        if (g_hash_table_add(names, (gpointer)name))
            (void)fd_store_remove(name, NULL);
    }
    if (!fd_store_sync(&error))
        g_warning("The service manager keeps what was left to this process: %s", error->message);
}

/* The descriptor, which is the caller's then; -1: there is none of this name, or no more. */
static int
inherit_take(GArray *items, const char *kind, guint64 number)
{
    g_autofree char *name = g_strdup_printf("%s-%" G_GUINT64_FORMAT, kind, number);

    for (guint i = 0; i < items->len; i++) {
        FdStoreItem *item = &g_array_index(items, FdStoreItem, i);
        const int fd = item->fd;

        if (fd >= 0 && g_str_equal(item->name, name)) {
            item->fd = -1;
            return fd;
        }
    }
    return -1;
}

static GBytes *
inherit_state(GArray *items, GError **error)
{
    for (guint i = 0; i < items->len; i++) {
        const FdStoreItem *item = &g_array_index(items, FdStoreItem, i);

        if (g_str_equal(item->name, "state"))
            return sealed_read(item->fd, INHERIT_MOST, error);
    }
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, "there is no state of them");
    return NULL;
}

static Stored *
inherit_parse(GBytes *bytes, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    Stored *stored = NULL;
    StoredResult result = stored_parse(data, size, &stored);

    if (result == STORED_OK)
        return stored;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        result == STORED_OTHER_VERSION ? "their state is of another version"
                                                       : "their state is damaged");
    return NULL;
}

static void
inherit_target_ended(Stream *stream G_GNUC_UNUSED, void *data)
{
    Target *target = data;

    target->active--;
    target_unref(target);
}

/* What counts it hears of its end. */
static void
inherit_owner(App *app, Stream *stream)
{
    const gboolean device = stream_role(stream) == STREAM_ROLE_DEVICE;
    Target *target = device ? app_find_target(app, stream_target(stream)) : NULL;

    if (!device && stream_tunnel(stream) > 0)
        stream_set_ended(stream, app_tunnel_stream_ended, app);
    if (!target)
        return;
    target->active++;
    stream_set_ended(stream, inherit_target_ended, target_ref(target));
}

static gboolean
inherit_stream(App *app, const StoredStream *from, GArray *items)
{
    const int fd = inherit_take(items, "s", from->descriptor);
    const gboolean taken = app->left && left_is_taken(app->left, from->id);
    const Hub *hub = app_find_hub(app, from->hub);
    Stream *stream;

    if (fd < 0)
        return FALSE;
    stream = stream_restore(app->streams, from, fd, taken);
    if (!stream)
        return FALSE;
    inherit_owner(app, stream);
    if (!hub || (hub_role(hub) == HUB_ROLE_DEVICE) != (stream_role(stream) == STREAM_ROLE_DEVICE))
        stream_close(stream, REASON_CLOSED_BY_USER); /* as when it is removed */
    return TRUE;
}

static guint
inherit_streams(App *app, const Stored *stored, GArray *items)
{
    guint count = 0;

    for (guint i = 0; i < stored->streams->len; i++)
        if (inherit_stream(app, stored->streams->pdata[i], items))
            count++;
    return count;
}

static void
inherit_tombs(App *app, const Stored *stored)
{
    for (guint i = 0; i < stored->tombs->len; i++) {
        const StoredTomb *tomb = stored->tombs->pdata[i];
        Tombstone tombstone = {
            .hub = tomb->hub,
            .id = tomb->hub_id,
            .reason = tomb->reason,
            .until =
                g_get_monotonic_time() + (gint64)MIN(tomb->time_left, (guint64)G_TIME_SPAN_DAY),
        };

        G_STATIC_ASSERT(sizeof tombstone.digest == sizeof tomb->digest);
        memcpy(tombstone.digest, tomb->digest, sizeof tombstone.digest);
        tombstones_add(app_resume_tombstones(app->resumes), &tombstone);
    }
}

static void
inherit_tell(guint count, guint lost, const GError *error)
{
    g_autofree char *detail = NULL;

    if (error)
        detail = g_strdup(error->message);
    else if (lost > 0)
        detail = g_strdup_printf("%u more are cut", lost);
    event_log(error ? EVENT_STREAMS_LOST : EVENT_STREAMS_INHERITED,
              &(EventData){.count = count, .detail = detail ? detail : "none is cut"});
}

void
app_inherit(App *app, GArray *items)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(Stored) stored = NULL;
    guint count = 0, all = 0;

    app->left_items = items;
    if (items->len == 0)
        return;
    inherit_let_go(items);
    bytes = inherit_state(items, &error);
    stored = bytes ? inherit_parse(bytes, &error) : NULL;
    if (stored) {
        app->left = stored->other ? left_parse(stored->other) : NULL;
        app->last_stream = MAX(app->last_stream, stored->next_stream - 1);
        app->last_tunnel = MAX(app->last_tunnel, stored->next_tunnel - 1);
        all = stored->streams->len;
        count = inherit_streams(app, stored, items);
        inherit_tombs(app, stored);
    }
    if (all > 0 || error)
        inherit_tell(count, all - count, error);
}

static gboolean
inherit_is_same(const LeftTunnel *left, const TunnelOptions *options)
{
    return left->owner_uid == options->owner_uid &&
           g_strcmp0(left->address, options->listen) == 0 &&
           g_strcmp0(left->hub, options->hub) == 0 &&
           g_strcmp0(left->device, options->device) == 0 &&
           g_strcmp0(left->stream, options->stream) == 0;
}

/* The tunnel of a former process that this one goes on with. */
static const LeftTunnel *
inherit_find(App *app, const TunnelOptions *options)
{
    for (guint i = 0; app->left && i < app->left->tunnels->len; i++) {
        const LeftTunnel *left = app->left->tunnels->pdata[i];

        if (inherit_is_same(left, options) && !app_find_tunnel(app, left->id))
            return left;
    }
    return NULL;
}

/* Whether sockets of this name are those of a tunnel that is kept. */
static gboolean
inherit_is_wanted(App *app, const char *name)
{
    for (guint i = 0; app->loaded && i < store_state_tunnels(app->loaded); i++) {
        const TunnelOptions options = store_state_tunnel(app->loaded, i);
        const LeftTunnel *left = inherit_find(app, &options);
        g_autofree char *wanted = left ? g_strdup_printf("l-%" G_GUINT64_FORMAT, left->id) : NULL;

        if (g_strcmp0(wanted, name) == 0)
            return TRUE;
    }
    return FALSE;
}

/* What nobody goes on with must not listen when the tunnels do: their addresses would be taken. */
static void
inherit_close_others(App *app)
{
    for (guint i = 0; app->left_items && i < app->left_items->len; i++) {
        FdStoreItem *item = &g_array_index(app->left_items, FdStoreItem, i);

        if (item->fd < 0 || !g_str_has_prefix(item->name, "l-") ||
            inherit_is_wanted(app, item->name))
            continue;
        close(item->fd);
        item->fd = -1;
    }
}

/* NULL: its sockets have not all come, or cannot be used any more. */
static Listener *
inherit_listener(App *app, const LeftTunnel *left)
{
    const ListenerFile file = {left->file_device, left->file_inode};
    g_autoptr(GError) error = NULL;
    Listener *listener;
    int fds[LISTENER_SOCKETS_MAX];
    guint count = 0;

    while (count < LISTENER_SOCKETS_MAX &&
           (fds[count] = inherit_take(app->left_items, "l", left->id)) >= 0)
        count++;
    if (count < left->sockets) { /* on one address of two it would seem to work */
        g_warning("Of %u sockets that were kept for %s only %u have come", left->sockets,
                  left->address, count);
        while (count > 0)
            close(fds[--count]);
        return NULL;
    }
    listener = listener_adopt(left->address, &file, fds, count, &error);
    if (!listener)
        g_warning("%s", error->message);
    return listener;
}

static guint
inherit_count(App *app, guint64 tunnel)
{
    g_autoptr(GPtrArray) streams = stream_table_list(app->streams);
    guint count = 0;

    for (guint i = 0; i < streams->len; i++)
        count += stream_tunnel(streams->pdata[i]) == tunnel && !stream_has_ended(streams->pdata[i]);
    return count;
}

static Tunnel *
inherit_tunnel(App *app, const TunnelOptions *options)
{
    const TunnelContext context = app_tunnel_context(app);
    const LeftTunnel *left = inherit_find(app, options);

    if (!left)
        return tunnel_new(&context, ++app->last_tunnel, options, TRUE, NULL);
    return tunnel_restore(&context, left->id, options, inherit_listener(app, left), left->accepted,
                          inherit_count(app, left->id));
}

void
app_restore_tunnels(App *app)
{
    inherit_close_others(app);
    for (guint i = 0; app->loaded && i < store_state_tunnels(app->loaded); i++) {
        const TunnelOptions options = store_state_tunnel(app->loaded, i);
        Tunnel *tunnel = inherit_tunnel(app, &options);

        app_place_tunnel(app, tunnel);
        if (app->draft)
            g_ptr_array_add(app->draft->tunnels, tunnel);
    }
    g_clear_pointer(&app->loaded, store_state_free);
    g_clear_pointer(&app->left, left_free);
    g_clear_pointer(&app->left_items, g_array_unref);
}
