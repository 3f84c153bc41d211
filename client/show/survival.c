/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/survival.h"

#include "client/bus/bus.h"
#include "common/cli/output.h"
#include "common/cli/words.h"
#include "common/codec/quantity.h"

#include <glib/gi18n.h>
#include <string.h>

static gboolean
is_suspended(GVariant *stream)
{
    return strcmp(bus_string(stream, "State"), "suspended") == 0;
}

char *
show_stream_state(GVariant *stream)
{
    const char *state = bus_string(stream, "State"), *reason = bus_string(stream, "CloseReason");
    g_autofree char *age = output_age(bus_number(stream, "SuspendedSince"));

    if (is_suspended(stream) && *age != '\0')
        /* TRANSLATORS: a state, and how long it has lasted: "suspended 12 s" */
        return g_strdup_printf(_("%s %s"), words_of_code(state), age);
    if (*reason == '\0' || strcmp(state, reason) == 0)
        return g_strdup(words_of_code(state));
    return g_strdup_printf("%s: %s", words_of_code(state), words_of_code(reason));
}

guint
show_count_suspended(GPtrArray *streams, guint64 tunnel)
{
    guint count = 0;

    for (guint i = 0; i < streams->len; i++) {
        GVariant *stream = ((BusObject *)g_ptr_array_index(streams, i))->properties;

        if (is_suspended(stream) && bus_number(stream, "Tunnel") == tunnel)
            count++;
    }
    return count;
}

char *
show_with_suspended(guint64 streams, guint64 suspended)
{
    if (suspended == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT, streams);
    /* TRANSLATORS: numbers of streams: "3 (1 suspended)" */
    return g_strdup_printf(_("%llu (%llu suspended)"), (unsigned long long)streams,
                           (unsigned long long)suspended);
}

char *
show_rule_resume(GVariant *rule)
{
    g_autofree char *time = NULL;
    guint64 usec = 0;

    if (!g_variant_lookup(rule, "resume-time", "t", &usec))
        return g_strdup("");
    if (usec == 0)
        return g_strdup(_("never suspended"));
    time = quantity_format_time(usec);
    /* TRANSLATORS: how long the streams of a rule may be so, at most: "suspended 5min" */
    return g_strdup_printf(_("suspended %s"), time);
}
