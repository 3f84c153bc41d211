/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/bus/bus-choice.h"
#include "desktop/base/names.h"

/* How long a bus may take to answer, in ms. */
#define LOOK_MS 5000

/* What was found on one bus. */
typedef enum { THERE_NOT, THERE_ACTIVATABLE, THERE_RUNNING } There;

typedef struct {
    There session, system;
    guint waiting; /* how many buses have not answered yet */
} Choice;

/* One of the buses, while we wait for its answer. */
typedef struct {
    GTask *task;
    There *there; /* in the Choice of the task */
    GDBusConnection *bus;
} Look;

static void
look_end(Look *look)
{
    Choice *choice = g_task_get_task_data(look->task);

    if (--choice->waiting == 0) {
        gboolean system = choice->system > choice->session;

        g_task_return_int(look->task, system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION);
    }
    g_object_unref(look->task);
    g_clear_object(&look->bus);
    g_free(look);
}

static void
look_on_activatable(GObject *source, GAsyncResult *result, gpointer data)
{
    Look *look = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    g_autofree const char **names = NULL;

    if (reply != NULL) {
        g_variant_get(reply, "(^a&s)", &names);
        if (g_strv_contains(names, STREAMD_NAME))
            *look->there = THERE_ACTIVATABLE;
    }
    look_end(look);
}

static void
look_call(Look *look, const char *method, GVariant *args, GAsyncReadyCallback done)
{
    g_dbus_connection_call(look->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", method, args, NULL, G_DBUS_CALL_FLAGS_NONE,
                           LOOK_MS, g_task_get_cancellable(look->task), done, look);
}

static void
look_on_owner(GObject *source, GAsyncResult *result, gpointer data)
{
    Look *look = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    gboolean owned = FALSE;

    if (reply != NULL)
        g_variant_get(reply, "(b)", &owned);
    if (owned) {
        *look->there = THERE_RUNNING;
        look_end(look);
        return;
    }
    look_call(look, "ListActivatableNames", NULL, look_on_activatable);
}

static void
look_on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    Look *look = data;

    look->bus = bus_choice_connect_finish(result, NULL);
    if (look->bus == NULL) {
        look_end(look);
        return;
    }
    look_call(look, "NameHasOwner", g_variant_new("(s)", STREAMD_NAME), look_on_owner);
}

static void
look_begin(GTask *task, GBusType bus, There *there)
{
    Look *look = g_new0(Look, 1);

    look->task = g_object_ref(task);
    look->there = there;
    bus_choice_connect(bus, g_task_get_cancellable(task), look_on_bus, look);
}

void
bus_choice_find(GCancellable *cancellable, GAsyncReadyCallback done, gpointer data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, done, data);
    Choice *choice = g_new0(Choice, 1);

    g_task_set_task_data(task, choice, g_free);
    choice->waiting = 2;
    look_begin(task, G_BUS_TYPE_SESSION, &choice->session);
    look_begin(task, G_BUS_TYPE_SYSTEM, &choice->system);
}

GBusType
bus_choice_find_finish(GAsyncResult *result, GError **error)
{
    gssize bus = g_task_propagate_int(G_TASK(result), error);

    return bus < 0 ? G_BUS_TYPE_NONE : (GBusType)bus;
}

/* A connection of our own: what belongs to it (tunnels, the agent) ends when it is dropped. With
 * the connections that GIO shares, the end of the bus would also end the process. */
void
bus_choice_connect(GBusType bus, GCancellable *cancellable, GAsyncReadyCallback done, gpointer data)
{
    g_autoptr(GTask) task = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *address = g_dbus_address_get_for_bus_sync(bus, NULL, &error);

    if (address != NULL) {
        g_dbus_connection_new_for_address(address,
                                          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                              G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                          NULL, cancellable, done, data);
        return;
    }
    task = g_task_new(NULL, cancellable, done, data);
    g_task_set_source_tag(task, bus_choice_connect);
    g_task_return_error(task, g_steal_pointer(&error));
}

GDBusConnection *
bus_choice_connect_finish(GAsyncResult *result, GError **error)
{
    if (g_async_result_is_tagged(result, bus_choice_connect))
        return g_task_propagate_pointer(G_TASK(result), error);
    return g_dbus_connection_new_for_address_finish(result, error);
}
