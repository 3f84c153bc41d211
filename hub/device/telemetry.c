/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/telemetry.h"

#include "common/log/events.h"
#include "hub/base/recent.h"

#define TRIM_AT_ONCE 4

typedef struct {
    RecentEntry entry;
    gint64 told; /* 0: never */
} Sender;

struct Telemetry {
    const Settings *settings;
    Sightings *sightings;
    Recent *senders;
};

Telemetry *
telemetry_new(const Settings *settings, Sightings *sightings)
{
    Telemetry *telemetry = g_new0(Telemetry, 1);

    telemetry->settings = settings;
    telemetry->sightings = sightings;
    telemetry->senders = recent_new(TELEMETRY_TOLD_MAX, sizeof(Sender), NULL);
    return telemetry;
}

void
telemetry_free(Telemetry *telemetry)
{
    if (!telemetry)
        return;
    recent_free(telemetry->senders);
    g_free(telemetry);
}

static void
telemetry_tell(Telemetry *telemetry, const char *client_id, gint64 now)
{
    Sender *sender;

    recent_trim(telemetry->senders, now - TELEMETRY_TELL, TRIM_AT_ONCE);
    sender = recent_want(telemetry->senders, client_id, now);
    if (sender->told > 0 && now - sender->told < TELEMETRY_TELL)
        return;
    sender->told = now;
    event_log(EVENT_TELEMETRY_DROPPED, &(EventData){.device = client_id});
}

const char *
telemetry_take(Telemetry *telemetry, const char *client_id, gsize len, gint64 now)
{
    if (telemetry->settings->telemetry == TELEMETRY_REFUSE)
        return "it sends telemetry, which this hub refuses";
    sightings_message(telemetry->sightings, client_id, len);
    telemetry_tell(telemetry, client_id, now);
    return NULL;
}

guint
telemetry_known(const Telemetry *telemetry)
{
    return recent_count(telemetry->senders);
}
