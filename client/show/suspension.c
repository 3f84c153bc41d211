/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/show/suspension.h"

#include "common/base/line.h"
#include "common/base/table.h"
#include "common/cli/charset.h"
#include "common/cli/output.h"
#include "common/cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct Suspension {
    Bus *bus;
    guint64 since; /* as SuspendedSince; 0: it is not suspended */
};

/* The terminal may be raw, as below ssh: then a line does not begin at its left end by itself. */
static void
suspension_print(const char *text)
{
    g_autofree char *line = g_strconcat("streamctl: ", text, NULL);
    struct winsize size = {0};
    g_autofree char *escaped = table_escape(line);
    g_autofree char *cut = NULL;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        cut = line_cut(escaped, size.ws_col, charset_ellipsis());
    (void)fprintf(stderr, "\r\n%s\r\n", cut != NULL ? cut : escaped);
    (void)fflush(stderr);
}

static void
suspension_tell(Suspension *suspension, GVariant *stream)
{
    const guint64 since = strcmp(bus_string(stream, "State"), "suspended") == 0
                              ? MAX(bus_number(stream, "SuspendedSince"), 1)
                              : 0;
    g_autofree char *text = NULL;

    if (since > 0 && suspension->since == 0) {
        g_autofree char *why = words_of_reason(bus_string(stream, "SuspendReason"), "");

        text = g_strdup_printf(_("the stream is suspended: %s"), why);
    } else if (suspension->since > 0 && strcmp(bus_string(stream, "State"), "open") == 0) {
        g_autofree char *age = output_age(suspension->since);

        /* TRANSLATORS: after how long: "12 s" */
        text = g_strdup_printf(_("the stream goes on after %s"), age);
    }
    suspension->since = since;
    if (text != NULL)
        suspension_print(text);
}

static gboolean
suspension_on_event(const BusEvent *event, void *data)
{
    if (event->kind == BUS_EVENT_CHANGED && strcmp(event->interface, BUS_STREAM) == 0 &&
        *bus_string(event->properties, "State") != '\0')
        suspension_tell(data, event->properties);
    return TRUE;
}

Suspension *
suspension_watch(Bus *bus, const char *path)
{
    g_autoptr(Suspension) suspension = NULL;

    if (isatty(STDERR_FILENO) != 1 || !bus_listen_to(bus, path))
        return NULL;
    suspension = g_new0(Suspension, 1);
    suspension->bus = bus;
    /* What is on its way already, and to flush what was said. */
    return suspension_look(suspension) ? g_steal_pointer(&suspension) : NULL;
}

int
suspension_descriptor(const Suspension *suspension)
{
    return bus_descriptor(suspension->bus);
}

gboolean
suspension_look(Suspension *suspension)
{
    return bus_look(suspension->bus, suspension_on_event, suspension);
}

void
suspension_free(Suspension *suspension)
{
    g_free(suspension);
}
