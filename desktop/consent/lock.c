/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/lock.h"

#define LOGIND "org.freedesktop.login1"
#define LOGIND_SESSION LOGIND ".Session"
/* The caller's session, or for a service of the user the one with the screen. */
#define LOGIND_OURS "/org/freedesktop/login1/session/auto"
#define PROPERTIES "org.freedesktop.DBus.Properties"
/* How long one may take to answer, in ms. */
#define ANSWER_MS 5000

/* They all have the same interface, under a name of their own. */
static const char *const savers[] = {"org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver",
                                     "org.cinnamon.ScreenSaver", "org.mate.ScreenSaver",
                                     "org.xfce.ScreenSaver"};

typedef struct {
    Lock *lock;
    const char *name;
    guint watch, signal;
    gboolean active;
} Saver;

struct Lock {
    LockChanged changed;
    void *data;
    GDBusConnection *session, *system;
    GCancellable *cancellable;
    Saver savers[G_N_ELEMENTS(savers)];
    guint logind; /* the subscription */
    gboolean hinted;
};

gboolean
lock_is_locked(Lock *lock)
{
    gboolean active = lock->hinted;

    for (guint i = 0; i < G_N_ELEMENTS(savers); i++)
        active = active || lock->savers[i].active;
    return active;
}

/* -- the desktop's screen saver --------------------------------------------------------------- */

static void
saver_set(Saver *saver, gboolean active)
{
    if (saver->active == active)
        return;
    saver->active = active;
    saver->lock->changed(saver->lock->data);
}

static void
saver_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                const char *interface, const char *name, GVariant *args, gpointer data)
{
    gboolean active = FALSE;

    if (!g_variant_is_of_type(args, G_VARIANT_TYPE("(b)")))
        return;
    g_variant_get(args, "(b)", &active);
    saver_set(data, active);
}

static void
saver_on_active(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    gboolean active = FALSE;

    if (reply == NULL)
        return; /* cancelled: DATA may be gone; or it has no such method */
    g_variant_get(reply, "(b)", &active);
    saver_set(data, active);
}

static void
saver_on_appeared(GDBusConnection *connection, const char *name, const char *owner, gpointer data)
{
    Saver *saver = data;
    g_autofree char *path = g_strdelimit(g_strdup_printf("/%s", saver->name), ".", '/');

    g_dbus_connection_call(connection, owner, path, saver->name, "GetActive", NULL,
                           G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NONE, ANSWER_MS,
                           saver->lock->cancellable, saver_on_active, saver);
}

/* A lock that crashed may still be there, but nothing says so. */
static void
saver_on_vanished(GDBusConnection *connection, const char *name, gpointer data)
{
    saver_set(data, FALSE);
}

static void
saver_watch(Saver *saver, Lock *lock, const char *name)
{
    saver->lock = lock;
    saver->name = name;
    saver->signal =
        g_dbus_connection_signal_subscribe(lock->session, name, name, "ActiveChanged", NULL, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, saver_on_signal, saver, NULL);
    saver->watch =
        g_bus_watch_name_on_connection(lock->session, name, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       saver_on_appeared, saver_on_vanished, saver, NULL);
}

/* -- logind ------------------------------------------------------------------------------------ */

static void
logind_on_hint(GObject *source, GAsyncResult *result, gpointer data)
{
    Lock *lock = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = NULL, reply = g_dbus_connection_call_finish(
                                          G_DBUS_CONNECTION(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA may be gone */
    if (reply != NULL)
        g_variant_get(reply, "(v)", &value);
    lock->hinted = value != NULL && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) &&
                   g_variant_get_boolean(value);
    lock->changed(lock->data);
}

static void
logind_read(Lock *lock)
{
    g_dbus_connection_call(lock->system, LOGIND, LOGIND_OURS, PROPERTIES, "Get",
                           g_variant_new("(ss)", LOGIND_SESSION, "LockedHint"),
                           G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS,
                           lock->cancellable, logind_on_hint, lock);
}

/* Of whichever session: the signal has its real path, which we do not know. */
static void
logind_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *name, GVariant *args, gpointer data)
{
    logind_read(data);
}

static void
logind_on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    Lock *lock = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *system = g_bus_get_finish(result, &error);

    if (system == NULL)
        return; /* cancelled: DATA may be gone; or there is none */
    lock->system = system;
    g_dbus_connection_set_exit_on_close(system, FALSE); /* it is shared with GTK */
    lock->logind = g_dbus_connection_signal_subscribe(
        system, LOGIND, PROPERTIES, "PropertiesChanged", NULL, LOGIND_SESSION,
        G_DBUS_SIGNAL_FLAGS_NONE, logind_on_signal, lock, NULL);
    logind_read(lock);
}

Lock *
lock_new(GDBusConnection *session, LockChanged changed, void *data)
{
    Lock *lock = g_new0(Lock, 1);

    lock->changed = changed;
    lock->data = data;
    lock->cancellable = g_cancellable_new();
    if (session != NULL) {
        lock->session = g_object_ref(session);
        for (guint i = 0; i < G_N_ELEMENTS(savers); i++)
            saver_watch(&lock->savers[i], lock, savers[i]);
    }
    g_bus_get(G_BUS_TYPE_SYSTEM, lock->cancellable, logind_on_bus, lock);
    return lock;
}

void
lock_free(Lock *lock)
{
    if (lock == NULL)
        return;
    g_cancellable_cancel(lock->cancellable);
    g_object_unref(lock->cancellable);
    for (guint i = 0; lock->session != NULL && i < G_N_ELEMENTS(savers); i++) {
        g_bus_unwatch_name(lock->savers[i].watch);
        g_dbus_connection_signal_unsubscribe(lock->session, lock->savers[i].signal);
    }
    if (lock->system != NULL)
        g_dbus_connection_signal_unsubscribe(lock->system, lock->logind);
    g_clear_object(&lock->session);
    g_clear_object(&lock->system);
    g_free(lock);
}
