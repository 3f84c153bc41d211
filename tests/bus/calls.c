/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bus/calls.h"

const FixtureProgram calls_guarded = {"GUARDED_STREAMD", {NULL}};
const FixtureProgram calls_impatient = {"GUARDED_STREAMD", {"500", NULL}};

guint
count_queries(sd_bus *bus)
{
    return (guint)fixture_number(bus, "/test", "io.streamd.Test", "Queries", 'u');
}

gboolean
has_no_queries(void *bus)
{
    return count_queries(bus) == 0;
}

sd_bus_message *
new_target(sd_bus *bus, const char *name)
{
    sd_bus_message *message = fixture_message(bus, BUS_ROOT, BUS_MANAGER, "ExposeTarget");

    g_assert_cmpint(sd_bus_message_append(message, "ssa{sv}", name, "tcp:127.0.0.1:9", 0), >=, 0);
    return message;
}

static int
calls_on_reply(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    Calls *calls = data;

    if (failure == NULL) {
        calls->allowed++;
        return 0;
    }
    calls->failed++;
    g_free(calls->error);
    calls->error = g_strdup(failure->name);
    return 0;
}

void
calls_clear(Calls *calls)
{
    g_free(calls->error);
}

void
calls_send(Calls *calls, sd_bus *bus, sd_bus_message *message)
{
    calls->sent++;
    g_assert_cmpint(sd_bus_call_async(bus, NULL, message, calls_on_reply, calls, 0), >=, 0);
    g_assert_cmpint(sd_bus_flush(bus), >=, 0);
}

void
calls_add_target(Calls *calls, sd_bus *bus, const char *name)
{
    g_autoptr(sd_bus_message) message = new_target(bus, name);

    calls_send(calls, bus, message);
}

gboolean
calls_are_answered(void *data)
{
    const Calls *calls = data;

    return calls->allowed + calls->failed == calls->sent;
}

void
calls_add_targets(Calls *calls, sd_bus *bus, guint count)
{
    for (guint n = 0; n < count; n++) {
        g_autofree char *name = g_strdup_printf("t%u", n);

        calls_add_target(calls, bus, name);
    }
}

void
calls_greet(sd_bus *bus)
{
    sd_bus_message_unref(fixture_call(bus, BUS_ROOT, BUS_PEER, "Ping", NULL));
}
