/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bus/app-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define APP_PATH "/app"

void
apps_set_up(Apps *apps, gconstpointer data)
{
    site_set_up(&apps->site, data);
    apps->buses = g_ptr_array_new();
    g_ptr_array_add(apps->buses, apps->site.bus);
    g_ptr_array_add(apps->buses, apps->site.gateway_bus);
}

void
apps_tear_down(Apps *apps, gconstpointer data)
{
    while (apps->buses->len > 2)
        apps_leave(apps, g_ptr_array_index(apps->buses, 2));
    g_ptr_array_unref(apps->buses);
    site_tear_down(&apps->site, data);
}

sd_bus *
apps_connect(Apps *apps)
{
    sd_bus *bus = fixture_connect(&apps->site.gateway);

    g_ptr_array_add(apps->buses, bus);
    return bus;
}

void
apps_leave(Apps *apps, sd_bus *bus)
{
    g_assert_true(g_ptr_array_remove(apps->buses, bus));
    sd_bus_flush_close_unref(bus);
}

void
apps_wait(Apps *apps, gboolean (*condition)(void *data), void *data)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;

    while (!condition(data)) {
        gboolean idle = TRUE;

        g_assert_cmpint(g_get_monotonic_time(), <, until);
        for (guint i = 0; i < apps->buses->len; i++)
            idle &= sd_bus_process(g_ptr_array_index(apps->buses, i), NULL) <= 0;
        if (idle)
            g_usleep(1000);
    }
}

guint64
apps_add_rule(Apps *apps, const char *stream, guint pairs, const char *types, ...)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(apps->site.gateway_bus, BUS_ROOT, BUS_POLICY, "Add");
    g_autoptr(sd_bus_message) reply = NULL;
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    uint64_t id;
    va_list args;

    g_assert_cmpint(sd_bus_message_open_container(message, 'a', "{sv}"), >=, 0);
    g_assert_cmpint(sd_bus_message_append(message, "{sv}", "stream", "s", stream), >=, 0);
    va_start(args, types);
    g_assert_cmpint(sd_bus_message_appendv(message, types, args), >=, 0);
    va_end(args);
    g_assert_cmpint(sd_bus_message_close_container(message), >=, 0);
    if (sd_bus_call(apps->site.gateway_bus, message, 0, &error, &reply) < 0)
        g_error("Add failed: %s: %s", error.name, error.message);
    g_assert_cmpint(sd_bus_message_read(reply, "t", &id), >=, 0);
    return id;
}

static int
opening_on_reply(sd_bus_message *reply, void *data, sd_bus_error *ignored)
{
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    Opening *opening = data;
    int fd;

    opening->done = TRUE;
    if (error != NULL) {
        opening->error = g_strdup(g_str_has_prefix(error->name, BUS_ERROR_PREFIX)
                                      ? error->name + strlen(BUS_ERROR_PREFIX)
                                      : error->name);
        opening->text = g_strdup(error->message);
        return 0;
    }
    g_assert_cmpint(sd_bus_message_read(reply, "ho", &fd, NULL), >=, 0);
    opening->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return 0;
}

void
apps_open(Apps *apps, Opening *opening, const char *stream)
{
    apps_open_within(apps, opening, stream, 60);
}

void
apps_open_within(Apps *apps, Opening *opening, const char *stream, guint seconds)
{
    g_autoptr(sd_bus_message) message =
        fixture_message(apps->site.bus, BUS_ROOT, BUS_MANAGER, "OpenStream");

    *opening = (Opening){.fd = -1};
    g_assert_cmpint(sd_bus_message_append(message, "sssa{sv}", "", "gw-1", stream, 1, "timeout",
                                          "t", (uint64_t)seconds * G_TIME_SPAN_SECOND),
                    >=, 0);
    g_assert_cmpint(sd_bus_call_async(apps->site.bus, &opening->slot, message, opening_on_reply,
                                      opening, 2 * FIXTURE_PATIENCE),
                    >=, 0);
}

void
opening_clear(Opening *opening)
{
    opening->slot = sd_bus_slot_unref(opening->slot);
    if (opening->fd >= 0)
        (void)close(opening->fd);
    g_clear_pointer(&opening->error, g_free);
    g_clear_pointer(&opening->text, g_free);
}

static gboolean
opening_is_done(void *data)
{
    return ((Opening *)data)->done;
}

void
apps_assert_open(Apps *apps, Opening *opening)
{
    apps_wait(apps, opening_is_done, opening);
    if (opening->error != NULL)
        g_error("OpenStream failed: %s: %s", opening->error, opening->text);
    g_assert_cmpint(opening->fd, >=, 0);
}

void
apps_assert_fails(Apps *apps, Opening *opening, const char *error, const char *text)
{
    apps_wait(apps, opening_is_done, opening);
    if (g_strcmp0(opening->error, error) != 0 || strstr(opening->text, text) == NULL)
        g_error("%s with '%s', not %s with '%s'", opening->error, opening->text, error, text);
    opening_clear(opening);
}

void
apps_pass(int from, int to, const char *text)
{
    char buffer[256] = "";

    g_assert_cmpint(write(from, text, strlen(text)), ==, (int)strlen(text));
    g_assert_cmpint(recv(to, buffer, strlen(text), MSG_WAITALL), ==, (int)strlen(text));
    g_assert_cmpstr(buffer, ==, text);
}

typedef struct {
    Apps *apps;
    const char *path;
} Ending;

static gboolean
stream_has_ended(void *data)
{
    const Ending *ending = data;
    g_autofree char *reason =
        fixture_property(ending->apps->site.gateway_bus, ending->path, BUS_STREAM, "CloseReason");

    return *reason != '\0';
}

char *
apps_wait_end(Apps *apps, const char *path)
{
    apps_wait(apps, stream_has_ended, &(Ending){apps, path});
    return fixture_property(apps->site.gateway_bus, path, BUS_STREAM, "CloseReason");
}

void
apps_assert_end(Apps *apps, const char *path, const char *reason)
{
    g_autofree char *found = apps_wait_end(apps, path);

    g_assert_cmpstr(found, ==, reason);
}

/* The strings and numbers of an a{sv}, as " NAME=value". */
static void
log_details(GString *log, sd_bus_message *message)
{
    const char *name, *contents, *text;
    uint64_t number;
    char type;

    g_assert_cmpint(sd_bus_message_enter_container(message, 'a', "{sv}"), >=, 0);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        g_assert_cmpint(sd_bus_message_read(message, "s", &name), >=, 0);
        g_assert_cmpint(sd_bus_message_peek_type(message, &type, &contents), >, 0);
        if (strcmp(contents, "t") == 0) {
            g_assert_cmpint(sd_bus_message_read(message, "v", "t", &number), >=, 0);
            g_string_append_printf(log, " %s=%" G_GUINT64_FORMAT, name, number);
        } else {
            g_assert_cmpint(sd_bus_message_read(message, "v", contents, &text), >=, 0);
            g_string_append_printf(log, " %s=%s", name, text);
        }
        g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    }
    g_assert_cmpint(sd_bus_message_exit_container(message), >=, 0);
    g_string_append_c(log, '\n');
}

static int
agent_on_request(sd_bus_message *message, void *data, sd_bus_error *error)
{
    AgentApp *agent = data;
    const char *path;

    g_assert_cmpint(sd_bus_message_read(message, "o", &path), >=, 0);
    g_free(agent->request);
    agent->request = g_strdup(path);
    g_string_append(agent->log, "asked");
    log_details(agent->log, message);
    agent->asked++;
    return 1;
}

static int
agent_on_cancel(sd_bus_message *message, void *data, sd_bus_error *error)
{
    AgentApp *agent = data;
    const char *path, *reason;

    g_assert_cmpint(sd_bus_message_read(message, "os", &path, &reason), >=, 0);
    g_string_append_printf(agent->log, "cancelled %s %s\n", path, reason);
    g_free(agent->reason);
    agent->reason = g_strdup(reason);
    agent->cancelled++;
    return 1;
}

static int
agent_on_release(sd_bus_message *message, void *data, sd_bus_error *error)
{
    ((AgentApp *)data)->released++;
    return 1;
}

static const sd_bus_vtable agent_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("RequestConsent", "oa{sv}", "", agent_on_request, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Cancel", "os", "", agent_on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Release", "", "", agent_on_release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

void
agent_app_init(Apps *apps, AgentApp *agent)
{
    *agent = (AgentApp){.bus = apps_connect(apps), .log = g_string_new(NULL)};
    g_assert_cmpint(
        sd_bus_add_object_vtable(agent->bus, NULL, APP_PATH, BUS_AGENT, agent_vtable, agent), >=,
        0);
}

void
agent_app_register(Apps *apps, AgentApp *agent)
{
    agent_app_init(apps, agent);
    sd_bus_message_unref(
        fixture_call(agent->bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent", "oa{sv}", APP_PATH, 0));
}

void
agent_app_clear(AgentApp *agent)
{
    (void)g_string_free(agent->log, TRUE);
    g_free(agent->request);
    g_free(agent->reason);
}

typedef struct {
    const guint *have;
    guint count;
} Counted;

static gboolean
is_counted(void *data)
{
    const Counted *counted = data;

    return *counted->have >= counted->count;
}

void
apps_wait_asked(Apps *apps, AgentApp *agent, guint count)
{
    apps_wait(apps, is_counted, &(Counted){&agent->asked, count});
    g_assert_cmpuint(agent->asked, ==, count);
}

void
apps_wait_cancelled(Apps *apps, AgentApp *agent, guint count)
{
    apps_wait(apps, is_counted, &(Counted){&agent->cancelled, count});
    g_assert_cmpuint(agent->cancelled, ==, count);
}

static int
handler_answer(HandlerApp *handler, sd_bus_message *message)
{
    switch (handler->mode) {
    case HANDLER_SAYS_YES:
        return sd_bus_reply_method_return(message, "bs", 1, "");
    case HANDLER_SAYS_NO:
        return sd_bus_reply_method_return(message, "bs", 0, "not today");
    case HANDLER_FAILS:
        return sd_bus_reply_method_errnof(message, ENOMEM, "out of order");
    case HANDLER_SAYS_NONSENSE:
        return sd_bus_reply_method_return(message, "asbt", 1, "yes", 1, (uint64_t)1);
    case HANDLER_SAYS_NOTHING:
    default:
        sd_bus_message_unref(handler->held);
        handler->held = sd_bus_message_ref(message);
        return 1;
    }
}

static int
handler_on_request(sd_bus_message *message, void *data, sd_bus_error *error)
{
    HandlerApp *handler = data;
    const char *path;

    g_assert_cmpint(sd_bus_message_read(message, "o", &path), >=, 0);
    g_free(handler->stream);
    handler->stream = g_strdup(path);
    g_string_append(handler->log, "asked");
    log_details(handler->log, message);
    handler->asked++;
    return handler_answer(handler, message);
}

static int
handler_on_stream(sd_bus_message *message, void *data, sd_bus_error *error)
{
    HandlerApp *handler = data;
    const char *path;
    int fd;

    g_assert_cmpint(sd_bus_message_read(message, "oh", &path, &fd), >=, 0);
    g_string_append(handler->log, "got");
    log_details(handler->log, message);
    g_free(handler->stream);
    handler->stream = g_strdup(path);
    handler->got++;
    if (handler->refuses)
        return sd_bus_reply_method_errnof(message, ENOMEM, "out of order");
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_array_append_val(handler->fds, fd);
    return sd_bus_reply_method_return(message, NULL);
}

static int
handler_on_release(sd_bus_message *message, void *data, sd_bus_error *error)
{
    ((HandlerApp *)data)->released++;
    return 1;
}

static const sd_bus_vtable handler_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("HandleRequest", "oa{sv}", "bs", handler_on_request, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("NewStream", "oha{sv}", "", handler_on_stream, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Release", "", "", handler_on_release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* sd-bus lets nobody answer in other types than it was told. */
static const sd_bus_vtable nonsense_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("HandleRequest", "oa{sv}", "asbt", handler_on_request,
                  SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

void
handler_app_init(Apps *apps, HandlerApp *handler, HandlerMode mode)
{
    *handler = (HandlerApp){.bus = apps_connect(apps),
                            .mode = mode,
                            .log = g_string_new(NULL),
                            .fds = g_array_new(FALSE, FALSE, sizeof(int))};
    g_assert_cmpint(sd_bus_add_object_vtable(
                        handler->bus, NULL, APP_PATH, BUS_HANDLER,
                        mode == HANDLER_SAYS_NONSENSE ? nonsense_vtable : handler_vtable, handler),
                    >=, 0);
}

void
handler_app_register(Apps *apps, HandlerApp *handler, const char *name)
{
    sd_bus_message_unref(fixture_call(handler->bus, BUS_ROOT, BUS_MANAGER, "RegisterHandler",
                                      "oa{sv}", APP_PATH, 1, "name", "s", name));
}

void
handler_app_clear(HandlerApp *handler)
{
    for (guint i = 0; i < handler->fds->len; i++)
        (void)close(g_array_index(handler->fds, int, i));
    g_array_unref(handler->fds);
    (void)g_string_free(handler->log, TRUE);
    sd_bus_message_unref(handler->held);
    g_free(handler->stream);
}

void
apps_wait_handler(Apps *apps, HandlerApp *handler, guint asked, guint got)
{
    apps_wait(apps, is_counted, &(Counted){&handler->asked, asked});
    apps_wait(apps, is_counted, &(Counted){&handler->got, got});
}

int
handler_app_take(HandlerApp *handler)
{
    int fd = g_array_index(handler->fds, int, handler->fds->len - 1);

    g_array_set_size(handler->fds, handler->fds->len - 1);
    return fd;
}
