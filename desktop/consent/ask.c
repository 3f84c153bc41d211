/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/ask.h"
#include "desktop/base/item.h"
#include "desktop/base/text.h"

#include <glib/gi18n.h>

/* What a notification shows of one fact, in characters. */
#define CLEAR_MAX 64

Ask *
ask_new(Daemon *daemon, const char *path, GVariant *details)
{
    Ask *ask = g_new0(Ask, 1);

    ask->daemon = daemon;
    ask->path = g_strdup(path);
    ask->details = g_variant_ref(details);
    return ask;
}

void
ask_free(Ask *ask)
{
    if (ask == NULL)
        return;
    g_free(ask->path);
    g_free(ask->refusal);
    g_variant_unref(ask->details);
    g_free(ask);
}

char *
ask_stream(const Ask *ask)
{
    return text_apart(properties_string(ask->details, "StreamName"));
}

char *
ask_heading(const Ask *ask)
{
    g_autofree char *initiator = text_apart(properties_string(ask->details, "Initiator"));
    g_autofree char *stream = ask_stream(ask);

    if (*initiator == '\0')
        return g_strdup_printf(_("Somebody asks for “%s” on this machine"), stream);
    return g_strdup_printf(_("“%s” asks for “%s” on this machine"), initiator, stream);
}

void
ask_facts(const Ask *ask, AskFact fact, void *data)
{
    const char *initiator = properties_string(ask->details, "Initiator");
    const char *target = properties_string(ask->details, "Target");
    const char *stream = properties_string(ask->details, "StreamName");

    fact(_("Who"), *initiator == '\0' ? _("The hub does not say") : initiator, data);
    fact(_("From address"), properties_string(ask->details, "Address"), data);
    fact(_("Stream"), stream, data);
    fact(_("Leads to"), *target == '\0' ? stream : target, data);
    fact(_("To this device"), properties_string(ask->details, "DeviceId"), data);
    fact(_("Through hub"), properties_string(ask->details, "Hub"), data);
}

static void
fact_judge(const char *caption, const char *value, void *data)
{
    g_autofree char *plain = text_plain(value);
    gboolean *clear = data;

    if (!g_str_equal(plain, value) || g_utf8_strlen(plain, -1) > CLEAR_MAX)
        *clear = FALSE;
}

gboolean
ask_is_clear(const Ask *ask)
{
    gboolean clear = *properties_string(ask->details, "Initiator") != '\0';

    ask_facts(ask, fact_judge, &clear);
    return clear;
}

gint64
ask_left(const Ask *ask)
{
    gint64 deadline = (gint64)properties_number(ask->details, "Deadline");

    return MAX(deadline - g_get_real_time(), 0);
}

double
ask_left_part(const Ask *ask)
{
    gint64 deadline = (gint64)properties_number(ask->details, "Deadline");
    gint64 asked = (gint64)properties_number(ask->details, "RequestedAt");

    return CLAMP((double)ask_left(ask) / (double)MAX(deadline - asked, 1), 0, 1);
}
