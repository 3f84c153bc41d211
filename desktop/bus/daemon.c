/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/bus/daemon.h"
#include "desktop/bus/bus-choice.h"
#include "desktop/bus/failure.h"
#include "desktop/base/names.h"

#include <glib/gi18n.h>

/* After this time, in s, an unavailable bus is tried again. */
#define RETRY_S 2
/* How often snapshots are taken, in ms: after an event, and without one, because the byte counters
 * are never announced. A user may make 20 calls in a second. */
#define REFRESH_SOON_MS 150
#define REFRESH_MS 1000
/* polkit answers within this time, in s, or not at all. */
#define PERSON_S 70
#define START_MS 30000

struct Daemon {
    GBusType wanted; /* NONE: where streamd is */
    GBusType bus;
    DaemonState state;
    const DaemonEvents *events;
    void *data;
    GCancellable *cancellable; /* of everything on the connection */
    GDBusConnection *connection;
    char *error, *version, *owner;
    guint name_watch, signals;
    guint retry, soon, regular; /* GLib timers; 0: not set */
    gboolean reading, again;    /* a snapshot is being read; another one was asked for */
};

static void daemon_look(Daemon *daemon);
static gboolean daemon_on_look_again(gpointer data);

static void
daemon_set_state(Daemon *daemon, DaemonState state, const char *error)
{
    g_free(daemon->error);
    daemon->error = g_strdup(error);
    daemon->state = state;
    daemon->events->state_changed(daemon->data);
}

static void
daemon_forget(Daemon *daemon)
{
    g_clear_handle_id(&daemon->soon, g_source_remove);
    g_clear_handle_id(&daemon->regular, g_source_remove);
    g_clear_pointer(&daemon->version, g_free);
    g_clear_pointer(&daemon->owner, g_free);
    daemon->again = FALSE;
    if (daemon->events->objects_changed != NULL)
        daemon->events->objects_changed(NULL, daemon->data);
}

/* Leaves the bus, and ignores the results of its own calls that are still open. */
static void
daemon_leave(Daemon *daemon)
{
    g_cancellable_cancel(daemon->cancellable);
    g_clear_object(&daemon->cancellable);
    g_clear_handle_id(&daemon->retry, g_source_remove);
    g_clear_handle_id(&daemon->name_watch, g_bus_unwatch_name);
    if (daemon->connection != NULL) {
        if (daemon->signals != 0)
            g_dbus_connection_signal_unsubscribe(daemon->connection, daemon->signals);
        daemon->signals = 0;
        (void)g_signal_handlers_disconnect_by_data(daemon->connection, daemon);
        if (!g_dbus_connection_is_closed(daemon->connection))
            g_dbus_connection_close(daemon->connection, NULL, NULL, NULL);
    }
    g_clear_object(&daemon->connection);
    daemon->reading = FALSE;
}

/* -- calls ---------------------------------------------------------------------------------- */

typedef struct {
    GCancellable *cancellable; /* the caller's; may be NULL */
    DaemonDone done;
    void *data;
} Call;

static Call *
call_new(GCancellable *cancellable, DaemonDone done, void *data)
{
    Call *call = g_new0(Call, 1);

    call->cancellable = cancellable == NULL ? NULL : g_object_ref(cancellable);
    call->done = done;
    call->data = data;
    return call;
}

static void
call_on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);

    if (error != NULL)
        (void)g_dbus_error_strip_remote_error(error);
    if (call->done != NULL && !g_cancellable_is_cancelled(call->cancellable))
        call->done(reply, fds, error, call->data);
    g_clear_object(&call->cancellable);
    g_free(call);
}

void
daemon_call(Daemon *daemon, const DaemonCall *call, GCancellable *cancellable, DaemonDone done,
            void *data)
{
    gint64 ms = (gint64)(call->wait / 1000) + PERSON_S * 1000;
    GVariant *args = call->args == NULL ? NULL : g_variant_ref_sink(call->args);

    if (daemon->state != DAEMON_PRESENT) {
        g_autoptr(GError) error =
            g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, _("streamd is not running"));

        if (done != NULL)
            done(NULL, NULL, error, data);
    } else {
        g_dbus_connection_call_with_unix_fd_list(
            daemon->connection, daemon->owner, call->path, call->interface, call->method, args,
            NULL,
            G_DBUS_CALL_FLAGS_NO_AUTO_START |
                (call->unasked ? 0 : G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION),
            (int)MIN(ms, G_MAXINT), call->fds, cancellable, call_on_reply,
            call_new(cancellable, done, data));
    }
    g_clear_pointer(&args, g_variant_unref);
}

void
daemon_start(Daemon *daemon, GCancellable *cancellable, DaemonDone done, void *data)
{
    if (daemon->connection == NULL)
        return;
    g_dbus_connection_call_with_unix_fd_list(
        daemon->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "StartServiceByName", g_variant_new("(su)", STREAMD_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE,
        START_MS, NULL, cancellable, call_on_reply, call_new(cancellable, done, data));
}

/* -- snapshots ------------------------------------------------------------------------------- */

static void
daemon_on_snapshot(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Daemon *daemon = data;
    g_autoptr(GVariant) objects = NULL;

    daemon->reading = FALSE;
    if (error != NULL) {
        g_debug("no snapshot: %s", error->message); /* the next snapshot is a second away */
    } else if (daemon->state == DAEMON_PRESENT) {
        objects = g_variant_get_child_value(result, 0);
        daemon->events->objects_changed(objects, daemon->data);
    }
    if (daemon->again)
        daemon_refresh(daemon);
}

static void
daemon_read(Daemon *daemon)
{
    const DaemonCall call = {STREAMD_ROOT, "org.freedesktop.DBus.ObjectManager",
                             "GetManagedObjects", NULL, 0};

    if (daemon->state != DAEMON_PRESENT)
        return;
    daemon->again = daemon->reading;
    if (daemon->reading)
        return;
    daemon->reading = TRUE;
    daemon_call(daemon, &call, daemon->cancellable, daemon_on_snapshot, daemon);
}

static gboolean
daemon_on_soon(gpointer data)
{
    Daemon *daemon = data;

    daemon->soon = 0;
    daemon_read(daemon);
    return G_SOURCE_REMOVE;
}

static gboolean
daemon_on_regular(gpointer data)
{
    daemon_read(data);
    return G_SOURCE_CONTINUE;
}

void
daemon_refresh(Daemon *daemon)
{
    if (daemon->soon == 0 && daemon->state == DAEMON_PRESENT)
        daemon->soon = g_timeout_add(REFRESH_SOON_MS, daemon_on_soon, daemon);
}

static void
daemon_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *name, GVariant *args, gpointer data)
{
    daemon_refresh(data);
}

static void
daemon_on_version(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Daemon *daemon = data;
    g_autoptr(GVariant) value = NULL;

    if (error != NULL)
        return;
    g_variant_get(result, "(v)", &value);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        g_free(daemon->version);
        daemon->version = g_variant_dup_string(value, NULL);
        daemon->events->state_changed(daemon->data);
    }
}

/* -- coming and going ------------------------------------------------------------------------ */

static void
daemon_on_appeared(GDBusConnection *connection, const char *name, const char *owner, gpointer data)
{
    Daemon *daemon = data;
    const DaemonCall version = {STREAMD_ROOT, "org.freedesktop.DBus.Properties", "Get",
                                g_variant_new("(ss)", STREAMD_MANAGER, "Version"), 0};

    daemon_forget(daemon); /* another streamd may have taken the name */
    g_clear_handle_id(&daemon->retry, g_source_remove);
    daemon->owner = g_strdup(owner);
    daemon_set_state(daemon, DAEMON_PRESENT, NULL);
    daemon_call(daemon, &version, daemon->cancellable, daemon_on_version, daemon);
    if (daemon->events->objects_changed == NULL)
        return;
    daemon_read(daemon);
    daemon->regular = g_timeout_add(REFRESH_MS, daemon_on_regular, daemon);
}

/* The user named no bus, so streamd may have started on the other one. */
static void
daemon_on_other_choice(GObject *source, GAsyncResult *result, gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    GBusType bus = bus_choice_find_finish(result, &error);

    if (error != NULL)
        return; /* cancelled: DATA may be gone */
    if (daemon->state != DAEMON_ABSENT)
        return;
    if (bus != daemon->bus)
        daemon_use_bus(daemon, G_BUS_TYPE_NONE);
    else
        daemon->retry = g_timeout_add_seconds(RETRY_S, daemon_on_look_again, daemon);
}

static gboolean
daemon_on_look_again(gpointer data)
{
    Daemon *daemon = data;

    daemon->retry = 0;
    bus_choice_find(daemon->cancellable, daemon_on_other_choice, daemon);
    return G_SOURCE_REMOVE;
}

static void
daemon_on_vanished(GDBusConnection *connection, const char *name, gpointer data)
{
    Daemon *daemon = data;

    daemon_forget(daemon);
    if (connection == NULL)
        return; /* the bus has gone, which is reported separately */
    daemon_set_state(daemon, DAEMON_ABSENT, NULL);
    if (daemon->wanted == G_BUS_TYPE_NONE && daemon->retry == 0)
        daemon->retry = g_timeout_add_seconds(RETRY_S, daemon_on_look_again, daemon);
}

static gboolean
daemon_on_retry(gpointer data)
{
    Daemon *daemon = data;

    daemon->retry = 0;
    daemon_look(daemon);
    return G_SOURCE_REMOVE;
}

static void
daemon_no_bus(Daemon *daemon, const char *why)
{
    daemon_leave(daemon);
    daemon_forget(daemon);
    daemon->retry = g_timeout_add_seconds(RETRY_S, daemon_on_retry, daemon);
    daemon_set_state(daemon, DAEMON_NO_BUS, why);
}

static void
daemon_on_closed(GDBusConnection *connection, gboolean peer_vanished, GError *error, gpointer data)
{
    daemon_no_bus(data, error != NULL ? error->message : _("the bus has ended the connection"));
}

static void
daemon_on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = bus_choice_connect_finish(result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA may be gone */
    if (connection == NULL) {
        daemon_no_bus(daemon, error->message);
        return;
    }
    daemon->connection = connection;
    (void)g_signal_connect(connection, "closed", G_CALLBACK(daemon_on_closed), daemon);
    if (daemon->events->objects_changed != NULL)
        daemon->signals = g_dbus_connection_signal_subscribe(connection, STREAMD_NAME, NULL, NULL,
                                                             NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                             daemon_on_signal, daemon, NULL);
    daemon->name_watch =
        g_bus_watch_name_on_connection(connection, STREAMD_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       daemon_on_appeared, daemon_on_vanished, daemon, NULL);
}

static void
daemon_on_choice(GObject *source, GAsyncResult *result, gpointer data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    GBusType bus = bus_choice_find_finish(result, &error);

    if (error != NULL)
        return; /* cancelled: DATA may be gone */
    daemon->bus = bus;
    bus_choice_connect(bus, daemon->cancellable, daemon_on_connected, daemon);
}

static void
daemon_look(Daemon *daemon)
{
    g_clear_object(&daemon->cancellable);
    daemon->cancellable = g_cancellable_new();
    daemon->bus = daemon->wanted;
    if (daemon->wanted == G_BUS_TYPE_NONE)
        bus_choice_find(daemon->cancellable, daemon_on_choice, daemon);
    else
        bus_choice_connect(daemon->wanted, daemon->cancellable, daemon_on_connected, daemon);
}

Daemon *
daemon_new(GBusType bus, const DaemonEvents *events, void *data)
{
    Daemon *daemon = g_new0(Daemon, 1);

    daemon->wanted = bus;
    daemon->events = events;
    daemon->data = data;
    (void)FAILURE; /* from now on GDBus knows the names of streamd's errors */
    daemon_look(daemon);
    return daemon;
}

void
daemon_free(Daemon *daemon)
{
    static const DaemonEvents nothing = {0};

    if (daemon == NULL)
        return;
    daemon->events = &nothing;
    daemon_leave(daemon);
    g_clear_handle_id(&daemon->soon, g_source_remove);
    g_clear_handle_id(&daemon->regular, g_source_remove);
    g_free(daemon->version);
    g_free(daemon->owner);
    g_free(daemon->error);
    g_free(daemon);
}

void
daemon_use_bus(Daemon *daemon, GBusType bus)
{
    daemon_leave(daemon);
    daemon_forget(daemon);
    daemon->wanted = bus;
    daemon_look(daemon);
    daemon_set_state(daemon, DAEMON_LOOKING, NULL);
}

void
daemon_rest(Daemon *daemon)
{
    daemon_leave(daemon);
    daemon_forget(daemon);
    daemon_set_state(daemon, DAEMON_LOOKING, NULL);
}

GBusType
daemon_bus(Daemon *daemon)
{
    return daemon->bus;
}

DaemonState
daemon_state(Daemon *daemon)
{
    return daemon->state;
}

const char *
daemon_error(Daemon *daemon)
{
    return daemon->error;
}

const char *
daemon_version(Daemon *daemon)
{
    return daemon->version == NULL ? "" : daemon->version;
}

const char *
daemon_owner(Daemon *daemon)
{
    return daemon->owner;
}

GDBusConnection *
daemon_connection(Daemon *daemon)
{
    return daemon->connection;
}
