/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/private.h"

#include "client/bus/tty-agent.h"
#include "client/bus/user-bus.h"
#include "client/bus/variant.h"
#include "client/cli/failure.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long polkit may take (docs/architecture.md), with a margin; and the default of sd-bus. */
#define ASK_LIMIT (65 * G_TIME_SPAN_SECOND)
#define CALL_LIMIT (25 * G_TIME_SPAN_SECOND)
#define QUIET_LIMIT G_TIME_SPAN_SECOND

typedef struct {
    BusEventKind kind;
    char *path;
    char *interface;
    char *text;
    GVariant *properties;
} Pending;

static void
pending_free(Pending *pending)
{
    g_free(pending->path);
    g_free(pending->interface);
    g_free(pending->text);
    if (pending->properties != NULL)
        g_variant_unref(pending->properties);
    g_free(pending);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pending, pending_free)

void
bus_object_free(BusObject *object)
{
    if (object == NULL)
        return;
    g_free(object->path);
    g_variant_unref(object->properties);
    g_free(object);
}

static void
bus_object_destroy(gpointer object)
{
    bus_object_free(object);
}

/* The bus at ADDRESS, as sd_bus_open_user() opens that of the environment. */
static int
bus_open_at(const char *address, sd_bus **ret)
{
    g_autoptr(sd_bus) bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0)
        *ret = g_steal_pointer(&bus);
    return r;
}

static int
bus_open_user(sd_bus **ret)
{
    const UserBusHints hints = {g_getenv("DBUS_SESSION_BUS_ADDRESS"), g_getenv("XDG_RUNTIME_DIR")};
    g_autofree char *address = user_bus_find("/run/user", geteuid(), &hints);

    return address != NULL ? bus_open_at(address, ret) : sd_bus_open_user(ret);
}

Bus *
bus_open(gboolean system, gboolean ask, GError **error)
{
    g_autoptr(Bus) bus = g_new0(Bus, 1);
    const char *name;
    int r;

    bus->signals = -1;
    bus->ask = system && ask && geteuid() != 0;
    g_queue_init(&bus->events);
    r = system ? sd_bus_open_system(&bus->bus) : bus_open_user(&bus->bus);
    if (r >= 0)
        r = sd_bus_get_unique_name(bus->bus, &name);
    if (r < 0) {
        g_set_error(error, EXIT_ERROR, EXIT_CODE_NOT_RUNNING,
                    system ? _("the system bus cannot be reached: %s")
                           : _("the session bus cannot be reached: %s"),
                    g_strerror(-r));
        return NULL;
    }
    return g_steal_pointer(&bus);
}

Bus *
bus_open_quietly(gboolean system)
{
    Bus *bus = bus_open(system, FALSE, NULL);

    if (bus != NULL)
        bus->quiet = TRUE;
    return bus;
}

void
bus_stop_asking(Bus *bus)
{
    bus->ask = FALSE;
}

void
bus_close(Bus *bus)
{
    if (bus == NULL)
        return;
    while (!g_queue_is_empty(&bus->events))
        pending_free(g_queue_pop_head(&bus->events));
    if (bus->signals >= 0)
        (void)close(bus->signals);
    if (bus->input != NULL)
        (void)g_string_free(bus->input, TRUE);
    sd_bus_flush_close_unref(bus->bus);
    g_free(bus);
}

/* Reports what went wrong. Errors of the bus itself get our own words. */
static void
bus_set_error(GError **error, const sd_bus_error *failure, int r)
{
    ExitCode code = failure_code(failure->name);

    if (failure->name == NULL) {
        code = r == -ETIMEDOUT ? EXIT_CODE_TIMED_OUT : EXIT_CODE_NOT_RUNNING;
        g_set_error(error, EXIT_ERROR, (int)code, _("streamd did not answer: %s"), g_strerror(-r));
    } else if (code == EXIT_CODE_NOT_RUNNING) {
        g_set_error(error, EXIT_ERROR, (int)code, _("streamd cannot be reached on the bus"));
    } else {
        const char *said = failure->message != NULL ? failure->message : failure->name;
        g_autofree char *text = failure_text(failure->name, said);

        g_set_error_literal(error, EXIT_ERROR, (int)code, text);
    }
}

/* Reading, through interfaces of the bus itself, needs no authorization. */
static gboolean
bus_may_ask(const Bus *bus, const char *interface)
{
    return bus->ask && g_str_has_prefix(interface, BUS_NAME ".");
}

void
bus_on_waiting(Bus *bus, BusWaitingFunc func, void *data)
{
    bus->waiting = func;
    bus->waiting_data = data;
    bus->waiting_since = g_get_monotonic_time();
    bus->waiting_told = 0;
}

static int
bus_on_answer(sd_bus_message *message, void *data, sd_bus_error *error)
{
    *(sd_bus_message **)data = sd_bus_message_ref(message);
    return 1;
}

/* As sd_bus_call, but tells the caller's function of each second that passes. */
static int
bus_call_slowly(Bus *bus, sd_bus_message *message, gint64 timeout, sd_bus_error *failure,
                sd_bus_message **ret_reply)
{
    g_autoptr(sd_bus_message) reply = NULL;
    g_autoptr(sd_bus_slot) slot = NULL;
    gint64 begin = g_get_monotonic_time(), now = begin, tick = begin + G_TIME_SPAN_SECOND;
    int r = sd_bus_call_async(bus->bus, &slot, message, bus_on_answer, &reply, (guint64)timeout);

    for (; r >= 0 && reply == NULL; now = g_get_monotonic_time()) {
        if (now >= tick) {
            bus->waiting((guint)((now - begin) / G_TIME_SPAN_SECOND), bus->waiting_data);
            tick += G_TIME_SPAN_SECOND;
        }
        r = sd_bus_process(bus->bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus->bus, (guint64)MAX(tick - now, 1));
        if (r == -EINTR)
            r = 0;
    }
    if (r < 0)
        return r;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        /* The library made this reply instead of streamd: it is no answer. */
        if (timeout > 0 && now - begin >= timeout)
            return -ETIMEDOUT;
        return sd_bus_error_copy(failure, sd_bus_message_get_error(reply));
    }
    *ret_reply = g_steal_pointer(&reply);
    return 1;
}

static int
bus_send(Bus *bus, sd_bus_message *message, gint64 timeout, sd_bus_error *failure,
         sd_bus_message **ret_reply)
{
    g_autoptr(Agent) agent = NULL;
    int r = 0;

    if (bus_may_ask(bus, sd_bus_message_get_interface(message))) {
        agent = agent_start();
        timeout = (timeout > 0 ? timeout : CALL_LIMIT) + ASK_LIMIT;
        r = sd_bus_message_set_allow_interactive_authorization(message, 1);
    }
    /* The agent writes to the terminal too. */
    if (r >= 0 && bus->waiting != NULL && agent == NULL)
        return bus_call_slowly(bus, message, timeout, failure, ret_reply);
    if (bus->quiet) {
        timeout = QUIET_LIMIT;
        r = sd_bus_message_set_auto_start(message, 0);
    }
    return r < 0 ? r : sd_bus_call(bus->bus, message, (guint64)timeout, failure, ret_reply);
}

GVariant *
bus_call(Bus *bus, const char *path, const char *interface, const char *member, GVariant *args,
         gint64 timeout, GError **error)
{
    g_autoptr(GVariant) tuple = args != NULL ? g_variant_ref_sink(args) : NULL;
    g_autoptr(sd_bus_message) message = NULL, reply = NULL;
    g_auto(sd_bus_error) failure = SD_BUS_ERROR_NULL;
    GVariant *result;
    int r;

    r = sd_bus_message_new_method_call(bus->bus, &message, BUS_NAME, path, interface, member);
    if (r >= 0 && tuple != NULL)
        r = bus_variant_append(message, tuple);
    if (r >= 0)
        r = bus_send(bus, message, timeout, &failure, &reply);
    if (r < 0) {
        bus_set_error(error, &failure, r);
        return NULL;
    }
    result = bus_variant_read(reply);
    if (result == NULL)
        g_set_error(error, EXIT_ERROR, EXIT_CODE_OTHER, _("streamd's answer is malformed"));
    return result;
}

GVariant *
bus_properties(Bus *bus, const char *path, const char *interface, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, path, BUS_PROPERTIES, "GetAll", g_variant_new("(s)", interface), 0, error);

    return reply != NULL ? g_variant_get_child_value(reply, 0) : NULL;
}

static gboolean
bus_is_numbered(const char *path)
{
    return g_str_has_prefix(path, BUS_PATH_STREAM) || g_str_has_prefix(path, BUS_PATH_TUNNEL) ||
           g_str_has_prefix(path, BUS_PATH_REQUEST);
}

/* ".../stream/9" comes before ".../stream/10". */
static int
bus_compare_objects(gconstpointer a, gconstpointer b)
{
    const BusObject *left = *(BusObject *const *)a, *right = *(BusObject *const *)b;
    gsize left_length = strlen(left->path), right_length = strlen(right->path);

    if (bus_is_numbered(left->path) && left_length != right_length)
        return left_length < right_length ? -1 : 1;
    return strcmp(left->path, right->path);
}

GPtrArray *
bus_objects(Bus *bus, const char *interface, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL, 0, error);
    g_autoptr(GPtrArray) objects = NULL;
    g_autoptr(GVariant) all = NULL;

    if (reply == NULL)
        return NULL;
    objects = g_ptr_array_new_with_free_func(bus_object_destroy);
    all = g_variant_get_child_value(reply, 0);
    for (gsize i = 0; i < g_variant_n_children(all); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(all, i);
        g_autoptr(GVariant) interfaces = g_variant_get_child_value(entry, 1);
        GVariant *properties =
            g_variant_lookup_value(interfaces, interface, G_VARIANT_TYPE_VARDICT);
        BusObject *object;

        if (properties == NULL)
            continue;
        object = g_new0(BusObject, 1);
        g_variant_get_child(entry, 0, "o", &object->path);
        object->properties = properties;
        g_ptr_array_add(objects, object);
    }
    g_ptr_array_sort(objects, bus_compare_objects);
    return g_steal_pointer(&objects);
}

char *
bus_path(const char *prefix, const char *key)
{
    char *path = NULL;

    if (bus_is_numbered(prefix))
        return g_strdup_printf("%s/%s", prefix, key);
    if (sd_bus_path_encode(prefix, key, &path) < 0)
        g_error("Out of memory");
    return path;
}

gboolean
bus_path_split(const char *path, char **ret_kind, char **ret_key)
{
    const char *rest = g_str_has_prefix(path, BUS_ROOT "/") ? path + strlen(BUS_ROOT "/") : "";
    const char *slash = strchr(rest, '/');
    g_autofree char *prefix = NULL;
    char *key = NULL;

    if (slash == NULL)
        return FALSE;
    prefix = g_strndup(path, (gsize)(slash - path));
    if (sd_bus_path_decode(path, prefix, &key) <= 0)
        return FALSE;
    *ret_kind = g_strndup(rest, (gsize)(slash - rest));
    *ret_key = key;
    return TRUE;
}

const char *
bus_string(GVariant *properties, const char *name)
{
    const char *value = "";

    (void)g_variant_lookup(properties, name, "&s", &value);
    return value;
}

guint64
bus_number(GVariant *properties, const char *name)
{
    guint64 value = 0;
    guint32 small = 0;

    if (g_variant_lookup(properties, name, "t", &value))
        return value;
    return g_variant_lookup(properties, name, "u", &small) ? small : 0;
}

gboolean
bus_boolean(GVariant *properties, const char *name)
{
    gboolean value = FALSE;

    (void)g_variant_lookup(properties, name, "b", &value);
    return value;
}

void
bus_push(Bus *bus, const BusEvent *event)
{
    Pending *pending = g_new0(Pending, 1);

    pending->kind = event->kind;
    pending->path = g_strdup(event->path);
    pending->interface = g_strdup(event->interface);
    pending->text = g_strdup(event->text);
    pending->properties = event->properties != NULL ? g_variant_ref(event->properties) : NULL;
    g_queue_push_tail(&bus->events, pending);
}

static void
bus_push_object(Bus *bus, BusEventKind kind, const char *path, const char *interface,
                GVariant *properties)
{
    bus_push(bus, &(BusEvent){kind, path, interface, properties, NULL});
}

static void
bus_push_added(Bus *bus, GVariant *args)
{
    g_autoptr(GVariant) interfaces = NULL;
    GVariant *properties = NULL; /* the loop frees it */
    const char *path, *name;
    GVariantIter iter;

    if (!g_variant_is_of_type(args, G_VARIANT_TYPE("(oa{sa{sv}})")))
        return;
    g_variant_get(args, "(&o@a{sa{sv}})", &path, &interfaces);
    g_variant_iter_init(&iter, interfaces);
    while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &properties))
        bus_push_object(bus, BUS_EVENT_ADDED, path, name, properties);
}

static void
bus_push_removed(Bus *bus, GVariant *args)
{
    g_autofree const char **names = NULL;
    const char *path;

    if (!g_variant_is_of_type(args, G_VARIANT_TYPE("(oas)")))
        return;
    g_variant_get(args, "(&o^a&s)", &path, &names);
    for (guint i = 0; names[i] != NULL; i++)
        bus_push_object(bus, BUS_EVENT_REMOVED, path, names[i], NULL);
}

int
bus_on_signal(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GVariant) args = bus_variant_read(message);
    const char *member = sd_bus_message_get_member(message);
    g_autoptr(GVariant) properties = NULL;
    const char *interface;

    if (args == NULL)
        return 0;
    if (g_strcmp0(member, "InterfacesAdded") == 0) {
        bus_push_added(data, args);
    } else if (g_strcmp0(member, "InterfacesRemoved") == 0) {
        bus_push_removed(data, args);
    } else if (g_strcmp0(member, "PropertiesChanged") == 0 &&
               g_variant_is_of_type(args, G_VARIANT_TYPE("(sa{sv}as)"))) {
        g_variant_get(args, "(&s@a{sv}@as)", &interface, &properties, NULL);
        bus_push_object(data, BUS_EVENT_CHANGED, sd_bus_message_get_path(message), interface,
                        properties);
    }
    return 0;
}

static int
bus_on_owner(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *owner;

    if (sd_bus_message_read(message, "sss", NULL, NULL, &owner) >= 0 && *owner == '\0')
        bus_push(data, &(BusEvent){.kind = BUS_EVENT_GONE});
    return 0;
}

gboolean
bus_watch(Bus *bus, gboolean interactive, GError **error)
{
    gboolean ask = bus->ask;
    g_autoptr(GVariant) reply = NULL;

    bus->ask = ask && interactive;
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "Watch", g_variant_new("(a{sv})", NULL), 0, error);
    bus->ask = ask;
    return reply != NULL;
}

gboolean
bus_listen(Bus *bus, GError **error)
{
    g_autoptr(GVariant) objects = NULL;
    sigset_t set;
    int r;

    r = sd_bus_add_match(bus->bus, NULL,
                         "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_ROOT "'",
                         bus_on_signal, bus);
    if (r >= 0)
        r = sd_bus_add_match(
            bus->bus, NULL,
            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
            "arg0='" BUS_NAME "'",
            bus_on_owner, bus);
    if (r < 0) {
        g_set_error(error, EXIT_ERROR, EXIT_CODE_OTHER, _("cannot listen on the bus: %s"),
                    g_strerror(-r));
        return FALSE;
    }
    /* Only clients that have asked for the objects get signals of streams and tunnels. */
    objects = bus_call(bus, BUS_ROOT, BUS_OBJECT_MANAGER, "GetManagedObjects", NULL, 0, error);
    if (objects == NULL)
        return FALSE;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    bus->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return TRUE;
}

/* Reports the second that has passed. Returns ms until the next one; -1: nobody listens. */
static int
bus_tick(Bus *bus)
{
    gint64 passed;

    if (bus->waiting == NULL)
        return -1;
    passed = g_get_monotonic_time() - bus->waiting_since;
    if (passed / G_TIME_SPAN_SECOND > bus->waiting_told) {
        bus->waiting_told = (guint)(passed / G_TIME_SPAN_SECOND);
        bus->waiting(bus->waiting_told, bus->waiting_data);
    }
    return (int)((G_TIME_SPAN_SECOND - passed % G_TIME_SPAN_SECOND) / 1000) + 1;
}

/* Waits until there is something to do. Negative errno when the connection is lost. */
static int
bus_sleep(Bus *bus)
{
    struct pollfd fds[3] = {{.fd = sd_bus_get_fd(bus->bus)},
                            {.fd = bus->signals, .events = POLLIN},
                            {.fd = bus->input != NULL ? STDIN_FILENO : -1, .events = POLLIN}};
    int events = sd_bus_get_events(bus->bus);
    uint64_t until = UINT64_MAX;
    int r, timeout = bus_tick(bus);

    if (events < 0)
        return events;
    fds[0].events = (short)events;
    r = sd_bus_get_timeout(bus->bus, &until);
    if (r < 0)
        return r;
    if (until != UINT64_MAX) {
        gint64 left = (gint64)until - g_get_monotonic_time();

        timeout = (int)CLAMP(left / 1000 + 1, 0, timeout < 0 ? G_MAXINT : timeout);
    }
    if (poll(fds, G_N_ELEMENTS(fds), until == 0 ? 0 : timeout) < 0 && errno != EINTR)
        return -errno;
    if (fds[1].revents != 0) {
        struct signalfd_siginfo info;

        if (read(bus->signals, &info, sizeof(info)) > 0)
            bus_push(bus, &(BusEvent){.kind = BUS_EVENT_SIGNAL});
    }
    if (fds[2].revents != 0)
        bus_read_input(bus);
    return 0;
}

gboolean
bus_deliver(Bus *bus, BusEventFunc func, void *data)
{
    g_autoptr(Pending) pending = NULL;

    while ((pending = g_queue_pop_head(&bus->events)) != NULL) {
        BusEvent event = {pending->kind, pending->path, pending->interface, pending->properties,
                          pending->text};

        if (!func(&event, data))
            return FALSE;
        g_clear_pointer(&pending, pending_free);
    }
    return TRUE;
}

gboolean
bus_wait(Bus *bus, BusEventFunc func, void *data, GError **error)
{
    int r = 0;

    while (r >= 0 && bus_deliver(bus, func, data)) {
        r = sd_bus_process(bus->bus, NULL);
        if (r == 0 && g_queue_is_empty(&bus->events))
            r = bus_sleep(bus);
    }
    if (r >= 0)
        return TRUE;
    g_set_error(error, EXIT_ERROR, EXIT_CODE_NOT_RUNNING,
                _("the connection to the bus is lost: %s"), g_strerror(-r));
    return FALSE;
}
