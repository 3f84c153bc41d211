/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.streamd.Streamd1.Agent, as this program exports it, and the lines on standard input. */
#include "client/bus/private.h"

#include "client/bus/variant.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AGENT_PATH "/io/streamd/ctl/Agent"

/* A longer line cannot be an answer. */
#define LINE_MAX_BYTES 256

/* Accept calls only from streamd: on the system bus anybody could call. */
static gboolean
agent_is_called_by_streamd(sd_bus_message *message)
{
    sd_bus *bus = sd_bus_message_get_bus(message);
    g_autoptr(sd_bus_message) reply = NULL;
    const char *owner = NULL;
    int r;

    r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetNameOwner", NULL, &reply, "s", BUS_NAME);
    if (r >= 0)
        r = sd_bus_message_read(reply, "s", &owner);
    return r >= 0 && g_strcmp0(owner, sd_bus_message_get_sender(message)) == 0;
}

static int
agent_on_request(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GVariant) args = bus_variant_read(message);
    g_autoptr(GVariant) details = NULL;
    const char *path;

    if (args == NULL || !agent_is_called_by_streamd(message))
        return -EPERM;
    g_variant_get(args, "(&o@a{sv})", &path, &details);
    bus_push(data, &(BusEvent){.kind = BUS_EVENT_ASKED, .path = path, .properties = details});
    return sd_bus_reply_method_return(message, NULL);
}

static int
agent_on_cancel(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *path, *reason;

    if (sd_bus_message_read(message, "os", &path, &reason) < 0 ||
        !agent_is_called_by_streamd(message))
        return -EPERM;
    bus_push(data, &(BusEvent){.kind = BUS_EVENT_CANCELLED, .path = path, .text = reason});
    return sd_bus_reply_method_return(message, NULL);
}

/* The bus itself also reports when streamd leaves. */
static int
agent_on_release(sd_bus_message *message, void *data, sd_bus_error *error)
{
    return sd_bus_reply_method_return(message, NULL);
}

static const sd_bus_vtable agent_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("RequestConsent", SD_BUS_ARGS("o", request, "a{sv}", details),
                            SD_BUS_NO_RESULT, agent_on_request,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_ARGS("o", request, "s", reason), SD_BUS_NO_RESULT,
                            agent_on_cancel,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
    SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, agent_on_release,
                            SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
    SD_BUS_VTABLE_END,
};

gboolean
bus_register_agent(Bus *bus, gboolean passive, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    GVariantBuilder options;

    if (sd_bus_add_object_vtable(bus->bus, NULL, AGENT_PATH, BUS_AGENT, agent_vtable, bus) < 0)
        g_error("Out of memory");
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (passive)
        g_variant_builder_add(&options, "{sv}", "passive", g_variant_new_boolean(TRUE));
    reply = bus_call(bus, BUS_ROOT, BUS_MANAGER, "RegisterAgent",
                     g_variant_new("(oa{sv})", AGENT_PATH, &options), 0, error);
    return reply != NULL;
}

void
bus_listen_input(Bus *bus)
{
    bus->input = g_string_new(NULL);
}

static void
bus_push_lines(Bus *bus)
{
    const char *end;

    while ((end = strchr(bus->input->str, '\n')) != NULL) {
        g_autofree char *line = g_strndup(bus->input->str, (gsize)(end - bus->input->str));

        g_string_erase(bus->input, 0, (gssize)(end - bus->input->str) + 1);
        bus_push(bus, &(BusEvent){.kind = BUS_EVENT_INPUT, .text = line});
    }
    if (bus->input->len > LINE_MAX_BYTES)
        g_string_truncate(bus->input, 0);
}

void
bus_read_input(Bus *bus)
{
    char buffer[LINE_MAX_BYTES];
    ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        (void)g_string_free(g_steal_pointer(&bus->input), TRUE);
        bus_push(bus, &(BusEvent){.kind = BUS_EVENT_INPUT});
        return;
    }
    g_string_append_len(bus->input, buffer, n);
    bus_push_lines(bus);
}
