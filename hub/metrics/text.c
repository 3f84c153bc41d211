/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/metrics/text.h"

#include "common/metrics/process.h"
#include "common/metrics/text.h"

#define TEXT_ROOM (24 * 1024)

#define LABEL(name, value) (&(MetricLabels){{{(name), (value)}}})
#define LABELS(name, value, other, its) (&(MetricLabels){{{(name), (value)}, {(other), (its)}}})

static void
append_build(GString *out)
{
    static const Metric build = {"streamhub_build_info", METRIC_GAUGE, NULL,
                                 "Which version this is"};

    metrics_info(out, &build, LABEL("version", STREAMD_VERSION));
}

static void
append_devices(GString *out, const HubFigures *figures)
{
    static const Metric connected = {"streamhub_devices_connected", METRIC_GAUGE, NULL,
                                     "Devices and modules that are connected"};
    static const Metric cloned = {"streamhub_devices_cloned", METRIC_GAUGE, NULL,
                                  "Of these, those whose identity two machines use"};
    static const Metric links = {"streamhub_device_links", METRIC_COUNTER, NULL,
                                 "Connections of devices that have authenticated, by what became "
                                 "of them"};
    static const Metric waiting = {"streamhub_devices_waiting", METRIC_GAUGE, NULL,
                                   "Devices and modules that connect again and again, and wait to "
                                   "be let in"};
    static const Metric waits = {"streamhub_device_waits", METRIC_COUNTER, NULL,
                                 "Connections that had to wait so"};

    metrics_gauge(out, &connected, figures->devices);
    metrics_gauge(out, &cloned, figures->cloned);
    metrics_family(out, &links);
    metrics_number(out, &links, LABEL("result", "accepted"), figures->device_connects);
    metrics_number(out, &links, LABEL("result", "crowded"), figures->device_crowded);
    metrics_gauge(out, &waiting, figures->waiting);
    metrics_family(out, &waits);
    metrics_number(out, &waits, NULL, figures->device_waits);
}

static void
append_stream_ends(GString *out, const StreamsFigures *figures)
{
    static const Metric ended = {"streamhub_streams_ended", METRIC_COUNTER, NULL,
                                 "Streams that have ended, also before they were open, by reason"};
    static const Metric bytes = {"streamhub_stream_bytes", METRIC_COUNTER, "bytes",
                                 "Payload of streams, by the side that sent it"};

    metrics_family(out, &ended);
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        metrics_number(out, &ended, LABEL("reason", reason_code((Reason)i)), figures->ended[i]);
    metrics_family(out, &bytes);
    metrics_number(out, &bytes, LABEL("from", "device"), figures->bytes[LEG_DEVICE]);
    metrics_number(out, &bytes, LABEL("from", "service"), figures->bytes[LEG_SERVICE]);
}

static void
append_resumptions(GString *out, const StreamsFigures *figures)
{
    static const Metric metric = {"streamhub_resumptions", METRIC_COUNTER, NULL,
                                  "Answers of devices to streams that were led back to them; why: "
                                  "the device's reason"};

    metrics_family(out, &metric);
    metrics_number(out, &metric, LABELS("result", "accepted", "why", ""), figures->resumed);
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        metrics_number(out, &metric, LABELS("result", "refused", "why", reason_code((Reason)i)),
                       figures->resume_refused[i]);
}

static void
append_streams(GString *out, const HubFigures *figures)
{
    static const Metric now = {"streamhub_streams", METRIC_GAUGE, NULL,
                               "Streams that have not ended, by state; closing: ended, and bytes "
                               "are still delivered"};
    static const Metric begun = {"streamhub_streams_begun", METRIC_COUNTER, NULL,
                                 "Streams that were admitted, whatever became of them"};
    static const Metric ignored = {"streamhub_answers_ignored", METRIC_COUNTER, NULL,
                                   "Late or unknown answers of devices"};
    const StreamsFigures *by_state = &figures->by_state;

    metrics_family(out, &now);
    for (guint i = 0; i < STREAM_STATES; i++)
        metrics_number(out, &now, LABEL("state", hub_stream_state_name((HubStreamState)i)),
                       by_state->states[i]);
    metrics_number(out, &now, LABEL("state", "closing"), by_state->closing);
    metrics_family(out, &begun);
    metrics_number(out, &begun, NULL, figures->streams_total);
    append_stream_ends(out, by_state);
    append_resumptions(out, by_state);
    metrics_family(out, &ignored);
    metrics_number(out, &ignored, NULL, figures->ignored_answers);
}

/* Reasons and errors have a line from the start: a rate needs a first zero. */
static void
append_openings(GString *out, const OpeningMeter *openings)
{
    static const Metric metric = {"streamhub_openings", METRIC_COUNTER, NULL,
                                  "Answers to requests that open a stream; why: the device's "
                                  "reason, or the name of the error"};

    metrics_family(out, &metric);
    metrics_number(out, &metric, LABELS("result", "accepted", "why", ""), openings->accepted);
    for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
        metrics_number(out, &metric, LABELS("result", "rejected", "why", reason_code((Reason)i)),
                       openings->rejected[i]);
    for (guint i = 0; i < REST_ERRORS; i++)
        metrics_number(out, &metric,
                       LABELS("result", "failed", "why", rest_error_name(rest_error_at(i))),
                       openings->failed[i]);
}

static void
append_edge(GString *out, const EdgeMeter *edge)
{
    static const Metric connections = {"streamhub_connections", METRIC_COUNTER, NULL,
                                       "Connections that came, by whether they got a slot"};
    static const Metric handshakes = {"streamhub_tls_handshake_seconds", METRIC_HISTOGRAM,
                                      "seconds", "How long TLS handshakes took from accept"};
    static const Metric faults = {"streamhub_tls_failures", METRIC_COUNTER, NULL,
                                  "TLS handshakes that came to nothing"};

    metrics_family(out, &connections);
    metrics_number(out, &connections, LABEL("result", "accepted"), meter_read(&edge->accepted));
    metrics_number(out, &connections, LABEL("result", "dropped"), meter_read(&edge->dropped));
    metrics_family(out, &handshakes);
    metrics_histogram(out, &handshakes, NULL, &edge->handshakes);
    metrics_family(out, &faults);
    for (guint i = 0; i < HANDSHAKE_FAULTS; i++)
        metrics_number(out, &faults, LABEL("reason", handshake_fault_name((HandshakeFault)i)),
                       meter_read(&edge->faults[i]));
}

static void
append_credentials(GString *out, const AuthMeter *auth)
{
    static const Metric metric = {"streamhub_credentials", METRIC_COUNTER, NULL,
                                  "Credentials that were judged, by who brought them"};

    metrics_family(out, &metric);
    for (guint i = 0; i < AUTH_CLAIMANTS; i++)
        for (guint j = 0; j < AUTH_VERDICTS; j++)
            metrics_number(out, &metric,
                           LABELS("from", auth_claimant_name((AuthClaimant)i), "result",
                                  auth_verdict_name((AuthVerdict)j)),
                           auth->verdicts[i][j]);
}

static void
append_slots(GString *out, const HubFigures *figures)
{
    static const Metric used = {"streamhub_slots_used", METRIC_GAUGE, NULL,
                                "Connections in all, those not authenticated yet, and streams"};
    static const Metric most = {"streamhub_slots_max", METRIC_GAUGE, NULL,
                                "How many of them there may be"};

    metrics_family(out, &used);
    metrics_number(out, &used, LABEL("of", "connections"), figures->connections);
    metrics_number(out, &used, LABEL("of", "unauthenticated"), figures->unauthenticated);
    metrics_number(out, &used, LABEL("of", "streams"), figures->streams);
    metrics_family(out, &most);
    metrics_number(out, &most, LABEL("of", "connections"), figures->connections_max);
    metrics_number(out, &most, LABEL("of", "unauthenticated"), figures->unauthenticated_max);
    metrics_number(out, &most, LABEL("of", "streams"), figures->streams_max);
}

static void
append_registry(GString *out, const Registry *registry)
{
    static const Metric latency = {"streamhub_registry_seconds", METRIC_HISTOGRAM, "seconds",
                                   "How long the database took, with the wait for its turn"};
    static const Metric failures = {"streamhub_registry_failures", METRIC_COUNTER, NULL,
                                    "Operations that failed, or for which it was too busy"};
    const RegistryMeter *meter = registry_meter(registry);

    metrics_family(out, &latency);
    metrics_histogram(out, &latency, LABEL("operation", "read"), &meter->reads);
    metrics_histogram(out, &latency, LABEL("operation", "write"), &meter->writes);
    metrics_family(out, &failures);
    metrics_number(out, &failures, NULL, meter->failures);
}

static void
append_queues(GString *out, const HubMetrics *metrics)
{
    static const Metric queued = {"streamhub_queue_length", METRIC_GAUGE, NULL,
                                  "What waits for the main thread, the other threads, the "
                                  "database, and the file of records"};
    static const Metric lost = {"streamhub_records_lost", METRIC_COUNTER, NULL,
                                "Records that were not written, because the disk took none"};

    metrics_family(out, &queued);
    metrics_number(out, &queued, LABEL("queue", "main"), metrics->figures.queued);
    metrics_number(out, &queued, LABEL("queue", "reactors"), metrics->figures.queued_threads);
    metrics_number(out, &queued, LABEL("queue", "registry"), registry_pending(metrics->registry));
    metrics_number(out, &queued, LABEL("queue", "records"), metrics->figures.records.waiting);
    metrics_family(out, &lost);
    metrics_number(out, &lost, NULL, metrics->figures.records.lost);
}

static void
append_state(GString *out, const HubMetrics *metrics)
{
    static const Metric penalties = {"streamhub_penalties", METRIC_GAUGE, NULL,
                                     "Penalties for wrong credentials that are in force"};
    static const Metric draining = {"streamhub_draining", METRIC_GAUGE, NULL,
                                    "1 while the hub takes no new streams"};
    static const Metric held = {"streamhub_read_only", METRIC_GAUGE, NULL,
                                "1 while the hub takes no changes of its registry"};
    static const Metric days = {"streamhub_certificate_days", METRIC_GAUGE, "days",
                                "Days until the hub's certificate expires"};

    metrics_gauge(out, &penalties, metrics->figures.penalties);
    metrics_gauge(out, &draining, metrics->figures.draining ? 1 : 0);
    metrics_gauge(out, &held, registry_is_held(metrics->registry) ? 1 : 0);
    if (!metrics->certificate)
        return;
    metrics_family(out, &days);
    metrics_signed(out, &days, NULL, metrics->certificate_days);
}

char *
hub_metrics_text(const HubMetrics *metrics)
{
    const HubFigures *figures = &metrics->figures;
    GString *out = g_string_sized_new(TEXT_ROOM);

    append_build(out);
    append_devices(out, figures);
    append_streams(out, figures);
    if (figures->openings)
        append_openings(out, figures->openings);
    if (figures->edge)
        append_edge(out, figures->edge);
    if (figures->auth)
        append_credentials(out, figures->auth);
    append_slots(out, figures);
    append_registry(out, metrics->registry);
    append_queues(out, metrics);
    append_state(out, metrics);
    metrics_process(out, "streamhub", metrics->started);
    metrics_end(out);
    return g_string_free(out, FALSE);
}
