/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/report.h"

static void
report_begin(const char *name, void *data)
{
    BusReport *out = data;

    if (out->r >= 0)
        out->r = sd_bus_message_open_container(out->message, 'e', "sv");
    if (out->r >= 0)
        out->r = sd_bus_message_append(out->message, "s", name);
    if (out->r >= 0)
        out->r = sd_bus_message_open_container(out->message, 'v', "a{sv}");
    if (out->r >= 0)
        out->r = sd_bus_message_open_container(out->message, 'a', "{sv}");
}

static void
report_end(void *data)
{
    BusReport *out = data;

    for (guint i = 0; i < 3 && out->r >= 0; i++) /* the array, the variant, the entry */
        out->r = sd_bus_message_close_container(out->message);
}

static void
report_number(const char *name, guint64 value, void *data)
{
    BusReport *out = data;

    if (out->r >= 0)
        out->r = sd_bus_message_append(out->message, "{sv}", name, "t", value);
}

static void
report_boolean(const char *name, gboolean value, void *data)
{
    BusReport *out = data;

    if (out->r >= 0)
        out->r = sd_bus_message_append(out->message, "{sv}", name, "b", value);
}

static void
report_text(const char *name, const char *value, void *data)
{
    BusReport *out = data;

    if (out->r >= 0)
        out->r = sd_bus_message_append(out->message, "{sv}", name, "s", value);
}

Report
bus_report(BusReport *out)
{
    return (Report){report_begin, report_end, report_number, report_boolean, report_text, out};
}
