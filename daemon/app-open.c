/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening streams, for an app or through a tunnel. */
#include "daemon/app-private.h"
#include "daemon/link/service-list.h"

#include "common/base/error.h"
#include "common/codec/device-id.h"
#include "daemon/stream/app-end.h"

#include <string.h>
#include <unistd.h>

/* Where a stream leads; the names are checked. */
typedef struct {
    Hub *hub;
    char *device, *module; /* module NULL: none */
    const char *stream;
    char *order; /* NULL: none */
    gint64 timeout, wait;
    gboolean no_resume;
} Destination;

static void
destination_clear(Destination *to)
{
    g_free(to->device);
    g_free(to->module);
    g_free(to->order);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Destination, destination_clear)

gboolean
app_check_names(const char *device, const char *stream, GError **error)
{
    const char *slash = strchr(device, '/'), *text = NULL;

    if (!device_id_is_valid(device, slash ? slash - device : -1) ||
        (slash && !device_id_is_valid(slash + 1, -1)))
        text = "a device is given as DEVICE or DEVICE/MODULE, each 1 to 128 of the characters A-Z "
               "a-z 0-9 . _ : -";
    else if (!stream_name_is_valid(stream, -1))
        text = "a stream's name is 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : -";
    if (text)
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return text == NULL;
}

gboolean
app_check_hub(const Hub *hub, GError **error)
{
    const char *unjoined = hub_unjoined(hub);

    if (unjoined)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED,
                    "the hub \"%s\" has not been joined yet: %s", hub_name(hub), unjoined);
    else if (hub_refused(hub))
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED,
                    "the hub \"%s\" cannot be used: %s", hub_name(hub), hub_refused(hub));
    return !unjoined && hub_refused(hub) == NULL;
}

static gboolean
destination_init(Destination *to, GPtrArray *hubs, const OpenOptions *options, GError **error)
{
    const char *slash = strchr(options->device, '/');

    to->hub = app_resolve_hub_of(hubs, options->hub, HUB_ROLE_SERVICE, error);
    if (!to->hub || !app_check_hub(to->hub, error))
        return FALSE;
    to->device = slash ? g_strndup(options->device, (gsize)(slash - options->device))
                       : g_strdup(options->device);
    to->module = slash ? g_strdup(slash + 1) : NULL;
    to->stream = options->stream;
    to->timeout = options->timeout > 0 ? MIN(options->timeout, OPEN_TIMEOUT_MAX) : OPEN_TIMEOUT;
    to->wait = CLAMP(options->wait, 0, OPEN_WAIT_MAX);
    to->no_resume = options->no_resume;
    return app_check_names(options->device, to->stream, error);
}

/* The hub's authority tells something, beside the answer. */
static void
app_told(Stream *stream, Slice text, void *data)
{
    Hub *hub = app_find_hub(data, stream_hub(stream));

    if (hub)
        hub_take_statement(hub, text.ptr, text.len);
}

void
app_fill_open(App *app, const Hub *hub, ServiceOpenOptions *options)
{
    options->told = app_told;
    options->told_data = app;
    hub_fill_open(hub, options);
}

static void
app_begin(App *app, const Destination *to, Stream *stream, ServiceOpenDone done, void *data)
{
    ServiceOpenOptions options = {
        .device = to->device,
        .module = to->module,
        .stream = to->stream,
        .order = to->order,
        .timeout = to->timeout,
        .wait = to->wait,
    };

    app_fill_open(app, to->hub, &options);
    if (to->no_resume)
        options.resume_time = 0;
    service_open_start(&options, stream, done, data);
}

/* The hub may have been removed in the meantime, or another one have taken its place. A disabled
 * device does not mean that our own identity is refused. Returns ERROR, or NULL, in the words that
 * its caller is to get; to be freed. */
static GError *
app_note_hub(App *app, Stream *stream, const GError *error)
{
    Hub *hub = app_find_hub(app, stream_hub(stream));

    if (!hub || !hub_opens_stream(hub, stream_id(stream)) ||
        stream_reason(stream) == REASON_REVOKED)
        return error ? g_error_copy(error) : NULL;
    hub_note(hub, error);
    return error ? hub_explain(hub, error) : NULL;
}

struct OpenRequest {
    App *app;
    Stream *stream;
    int fd;        /* the caller's end, until the caller gets it */
    OpenDone done; /* NULL: cancelled */
    void *data;
};

static void
app_stream_opened(Stream *stream, const GError *failure, void *data)
{
    OpenRequest *request = data;
    g_autoptr(GError) error = app_note_hub(request->app, stream, failure);

    if (error || !request->done)
        close(request->fd);
    if (request->done)
        request->done(stream, error ? -1 : request->fd, error, request->data);
    g_free(request);
}

OpenRequest *
app_open_stream(App *app, const OpenOptions *options, OpenDone done, void *data, GError **error)
{
    g_auto(Destination) to = {0};
    StreamInfo info = {
        .role = STREAM_ROLE_SERVICE,
        .device = options->device,
        .name = options->stream,
        .owner_uid = options->owner_uid,
    };
    OpenRequest *request;
    Stream *stream;
    int fds[2];

    if (!app_has_state(app, error) || !destination_init(&to, app->hubs, options, error))
        return NULL;
    info.id = app_next_stream(app);
    info.hub = hub_name(to.hub);
    info.initiator = hub_identity(to.hub);
    if (!app_end_socketpair(fds, error))
        return NULL;
    stream = stream_new(app->streams, &info, error);
    if (!stream) {
        close(fds[0]);
        close(fds[1]);
        return NULL;
    }
    stream_set_local(stream, connection_new(fds[0]));
    request = g_new0(OpenRequest, 1);
    *request = (OpenRequest){app, stream, fds[1], done, data};
    app_begin(app, &to, stream, app_stream_opened, request);
    return request;
}

ServiceList *
app_list_devices(App *app, const char *hub, const char *after, ServiceListDone done, void *data,
                 GError **error)
{
    Hub *found = app_resolve_hub(app, hub, HUB_ROLE_SERVICE, error);
    ServiceOpenOptions options = {0};

    if (!found || !app_check_hub(found, error))
        return NULL;
    hub_fill_open(found, &options);
    return service_list_new(&options, after, done, data, error);
}

void
app_cancel_open(OpenRequest *request)
{
    request->done = NULL;
    stream_close(request->stream, REASON_CANCELLED);
}

/* A connection to a tunnel. Its stream may end after the tunnel was removed. */
void
app_tunnel_stream_ended(Stream *stream, void *data)
{
    Tunnel *tunnel = app_find_tunnel(data, stream_tunnel(stream));

    if (tunnel)
        tunnel_stream_ended(tunnel, stream_id(stream));
}

static void
app_tunnel_stream_opened(Stream *stream, const GError *failure, void *data)
{
    App *app = data;
    Tunnel *tunnel = app_find_tunnel(app, stream_tunnel(stream));
    g_autoptr(GError) error = app_note_hub(app, stream, failure);

    if (tunnel)
        tunnel_opened(tunnel, stream_place(stream), error);
}

static gboolean
app_tunnel_destination(App *app, const Tunnel *tunnel, Destination *to, GError **error)
{
    const TunnelOptions options = tunnel_options(tunnel);
    const OpenOptions open = {.hub = options.hub,
                              .device = options.device,
                              .stream = options.stream,
                              .timeout = options.timeout,
                              .wait = options.wait,
                              .no_resume = options.no_resume};

    return destination_init(to, app->hubs, &open, error);
}

/* A persistent tunnel listens before it is saved, because its address is saved with it. Connections
 * that come before that are refused. */
static gboolean
app_tunnel_is_open(App *app, const Tunnel *tunnel, GError **error)
{
    if (app_find_tunnel(app, tunnel_id(tunnel)))
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_BUSY,
                        "a connection came before the tunnel was saved");
    return FALSE;
}

static guint64
app_tunnel_add(Tunnel *tunnel, Connection *local, guint64 place, void *data, GError **error)
{
    App *app = data;
    g_auto(Destination) to = {0};
    StreamInfo info = {
        .id = app_next_stream(app),
        .role = STREAM_ROLE_SERVICE,
        .hub = tunnel_hub(tunnel),
        .device = tunnel_device(tunnel),
        .name = tunnel_stream(tunnel),
        .tunnel = tunnel_id(tunnel),
        .place = place,
        .owner_uid = tunnel_owner_uid(tunnel),
        .ended = app_tunnel_stream_ended,
        .data = app,
    };
    Stream *stream = NULL;

    if (app_tunnel_is_open(app, tunnel, error) && app_tunnel_destination(app, tunnel, &to, error)) {
        info.initiator = hub_identity(to.hub);
        stream = stream_new(app->streams, &info, error);
    }
    if (!stream) {
        connection_reset(local);
        return 0;
    }
    stream_set_local(stream, local);
    return info.id;
}

static gboolean
app_tunnel_begin(Tunnel *tunnel, guint64 id, void *data)
{
    App *app = data;
    Stream *stream = app_find_stream(app, id);
    g_auto(Destination) to = {0};
    g_autoptr(GError) error = NULL;

    if (!stream || stream_has_ended(stream))
        return FALSE;
    if (app_tunnel_destination(app, tunnel, &to, &error)) {
        to.order = tunnel_next_order(tunnel);
        app_begin(app, &to, stream, app_tunnel_stream_opened, app);
        return TRUE;
    }
    stream_fail(stream, REASON_HUB_ERROR, error->message);
    return FALSE;
}

static void
app_tunnel_changed(Tunnel *tunnel, void *data)
{
    App *app = data;

    if (app_find_tunnel(app, tunnel_id(tunnel)))
        APP_TELL_LOGGED(app, tunnel_changed, tunnel);
}

static void
app_tunnel_closed(Tunnel *tunnel, void *data)
{
    App *app = data;

    stream_table_close_tunnel(app->streams, tunnel_id(tunnel), REASON_CLOSED_BY_USER);
    APP_TELL_LOGGED(app, tunnel_removed, tunnel);
    g_ptr_array_remove(app->tunnels, tunnel);
}

TunnelContext
app_tunnel_context(App *app)
{
    return (TunnelContext){
        .runtime = app->runtime,
        .add = app_tunnel_add,
        .begin = app_tunnel_begin,
        .changed = app_tunnel_changed,
        .closed = app_tunnel_closed,
        .data = app,
    };
}

static gboolean
app_tunnel_has_room(App *app, guint32 uid, GError **error)
{
    guint count = app_count_unopened(app, uid);

    for (guint i = 0; i < app->tunnels->len; i++)
        count += tunnel_owner_uid(app->tunnels->pdata[i]) == uid;
    if (count < app->listeners_per_uid)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                "user %u has %u tunnels already, which is the limit (ListenersPerUser)", uid,
                count);
    return FALSE;
}

/* Makes a tunnel that listens and is in no list yet. Its hub is one of HUBS. */
static Tunnel *
app_make_tunnel(App *app, GPtrArray *hubs, const TunnelOptions *options, GError **error)
{
    const TunnelContext context = app_tunnel_context(app);
    const OpenOptions open = {
        .hub = options->hub, .device = options->device, .stream = options->stream};
    g_auto(Destination) to = {0};
    TunnelOptions resolved = *options;

    if (!destination_init(&to, hubs, &open, error) ||
        !app_tunnel_has_room(app, options->owner_uid, error))
        return NULL;
    resolved.hub = hub_name(to.hub);
    return tunnel_new(&context, ++app->last_tunnel, &resolved, FALSE, error);
}

void
app_place_tunnel(App *app, Tunnel *tunnel)
{
    g_ptr_array_add(app->tunnels, tunnel);
    APP_TELL_LOGGED(app, tunnel_added, tunnel);
}

Tunnel *
app_open_tunnel(App *app, const TunnelOptions *options, GError **error)
{
    Tunnel *tunnel =
        app_has_state(app, error) ? app_make_tunnel(app, app->hubs, options, error) : NULL;

    if (tunnel)
        app_place_tunnel(app, tunnel);
    return tunnel;
}

static gboolean
keep_tunnel_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    const TunnelOptions options = store_state_tunnel(change->asked, 0);

    if (!change->tunnel)
        change->tunnel = app_make_tunnel(app, draft->hubs, &options, error);
    else if (!app_resolve_hub_of(draft->hubs, tunnel_hub(change->tunnel), HUB_ROLE_SERVICE, error))
        return FALSE;
    if (!change->tunnel)
        return FALSE;
    g_ptr_array_add(draft->tunnels, change->tunnel);
    return TRUE;
}

static gpointer
keep_tunnel_apply(App *app, AppChange *change)
{
    Tunnel *tunnel = g_steal_pointer(&change->tunnel);

    app_place_tunnel(app, tunnel);
    app_record_tunnel(app, change, EVENT_TUNNEL_KEPT, tunnel);
    return tunnel;
}

static const ChangeKind keep_tunnel_kind = {keep_tunnel_check, keep_tunnel_apply};

AppChange *
app_keep_tunnel(App *app, const TunnelOptions *options, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&keep_tunnel_kind, done, data);

    change->asked = store_state_new();
    store_state_add_tunnel(change->asked, options);
    return app_submit(app, change, error);
}

static gboolean
drop_tunnel_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    Tunnel *tunnel = app_draft_find_tunnel(draft, change->id);

    if (tunnel)
        return g_ptr_array_remove(draft->tunnels, tunnel);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_NOT_FOUND,
                "there is no tunnel %" G_GUINT64_FORMAT, change->id);
    return FALSE;
}

/* Its hub may have been removed, with all of its tunnels. */
static gpointer
drop_tunnel_apply(App *app, AppChange *change)
{
    Tunnel *tunnel = app_find_tunnel(app, change->id);

    if (!tunnel)
        return NULL;
    app_record_tunnel(app, change, EVENT_CLOSED_BY, tunnel);
    tunnel_close(tunnel);
    return NULL;
}

static const ChangeKind drop_tunnel_kind = {drop_tunnel_check, drop_tunnel_apply};

AppChange *
app_drop_tunnel(App *app, guint64 id, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&drop_tunnel_kind, done, data);

    change->id = id;
    return app_submit(app, change, error);
}
