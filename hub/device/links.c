/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/links.h"

#include "hub/device/mqtt-session.h"

struct DeviceLinks {
    MqttService mqtt;
    PacketShares *shares;
    Telemetry *telemetry;
};

DeviceLinks *
device_links_new(const DeviceLinksNeeds *needs)
{
    DeviceLinks *links = g_new0(DeviceLinks, 1);

    links->shares = packet_shares_new(needs->settings);
    links->telemetry = telemetry_new(needs->settings, needs->sightings);
    links->mqtt = (MqttService){.settings = needs->settings,
                                .auth = needs->auth,
                                .clock = needs->clock,
                                .devices = needs->devices,
                                .shares = links->shares,
                                .rekeys = needs->rekeys,
                                .sightings = needs->sightings,
                                .refusals = needs->refusals,
                                .telemetry = links->telemetry,
                                .queue = needs->queue};
    return links;
}

void
device_links_free(DeviceLinks *links)
{
    if (!links)
        return;
    tls_trust_unref(links->mqtt.trust);
    packet_shares_free(links->shares);
    telemetry_free(links->telemetry);
    g_free(links);
}

void
device_links_take(DeviceLinks *links, const Handover *handover)
{
    mqtt_session_new(&links->mqtt, handover);
}

void
device_links_set_trust(DeviceLinks *links, TlsTrust *trust)
{
    TlsTrust *former = links->mqtt.trust;

    links->mqtt.trust = trust ? tls_trust_ref(trust) : NULL;
    tls_trust_unref(former);
}

gboolean
device_links_stop(DeviceLinks *links)
{
    gboolean again = links->mqtt.stopping;

    links->mqtt.stopping = TRUE;
    return !again;
}

void
device_links_close_all(DeviceLinks *links)
{
    mqtt_service_close_all(&links->mqtt);
}
