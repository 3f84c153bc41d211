/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metrics of streamd (common/metrics/text.h). No label has the name of a hub, a device, a user
 * or a stream. */
#include "common/metrics/process.h"
#include "common/metrics/text.h"
#include "daemon/app-private.h"
#include "daemon/stream/figures.h"

#define HUB_ROLES 2  /* HubRole */
#define HUB_STATES 4 /* HubState */

#define LABEL(name, value) (&(MetricLabels){{{(name), (value)}}})
#define LABELS(name, value, other, its) (&(MetricLabels){{{(name), (value)}, {(other), (its)}}})

static void
append_hubs(const App *app, GString *out)
{
    static const Metric hubs = {"streamd_hubs", METRIC_GAUGE, NULL, "Hubs, by role and state"};
    static const Metric back = {"streamd_hub_reconnects", METRIC_COUNTER, NULL,
                                "How often hubs were reached again after they were lost"};
    guint counts[HUB_ROLES][HUB_STATES] = {0};
    guint64 reconnects = app->reconnects;

    for (guint i = 0; i < app->hubs->len; i++) {
        const Hub *hub = app->hubs->pdata[i];

        counts[hub_role(hub)][hub_state(hub)]++;
        reconnects += hub_reconnects(hub);
    }
    metrics_family(out, &hubs);
    for (guint role = 0; role < HUB_ROLES; role++)
        for (guint state = 0; state < HUB_STATES; state++)
            metrics_number(out, &hubs,
                           LABELS("role", hub_role_name((HubRole)role), "state",
                                  hub_state_name((HubState)state)),
                           counts[role][state]);
    metrics_family(out, &back);
    metrics_number(out, &back, NULL, reconnects);
}

static void
append_ends(GString *out, const StreamFigures *figures)
{
    static const Metric ended = {"streamd_streams_ended", METRIC_COUNTER, NULL,
                                 "Streams that have ended, also before they were open, by reason"};
    static const Metric bytes = {"streamd_stream_bytes", METRIC_COUNTER, "bytes",
                                 "Payload of streams, from the other machine and to it"};

    metrics_family(out, &ended);
    for (guint role = 0; role < STREAM_ROLES; role++)
        for (guint i = REASON_NONE + 1; i < REASON_LAST; i++)
            metrics_number(out, &ended,
                           LABELS("role", stream_role_name((StreamRole)role), "reason",
                                  reason_code((Reason)i)),
                           figures->ended[role][i]);
    metrics_family(out, &bytes);
    metrics_number(out, &bytes, LABEL("direction", "in"), figures->bytes_in);
    metrics_number(out, &bytes, LABEL("direction", "out"), figures->bytes_out);
}

static void
append_by_role(GString *out, const Metric *metric, const guint64 counts[STREAM_ROLES])
{
    metrics_family(out, metric);
    for (guint role = 0; role < STREAM_ROLES; role++)
        metrics_number(out, metric, LABEL("role", stream_role_name((StreamRole)role)),
                       counts[role]);
}

static void
append_streams(const App *app, GString *out)
{
    static const Metric now = {"streamd_streams", METRIC_GAUGE, NULL,
                               "Streams that have not ended; role device: they came to us"};
    static const Metric begun = {"streamd_streams_begun", METRIC_COUNTER, NULL,
                                 "Streams that were asked for, whatever became of them"};
    static const Metric opened = {"streamd_streams_opened", METRIC_COUNTER, NULL,
                                  "Of these, those that were open"};
    static const Metric resumed = {"streamd_stream_resumptions", METRIC_COUNTER, NULL,
                                   "How often a stream went on with another connection"};
    static const Metric given_up = {"streamd_streams_given_up", METRIC_COUNTER, NULL,
                                    "Streams that ended because they had waited too long for one"};
    const AppResumeCounts counts = app_resume_counts(app->resumes);
    StreamFigures figures;

    stream_table_measure(app->streams, &figures);
    metrics_family(out, &now);
    for (guint role = 0; role < STREAM_ROLES; role++)
        for (guint state = 0; state < STREAM_LIVE_STATES; state++)
            metrics_number(out, &now,
                           LABELS("role", stream_role_name((StreamRole)role), "state",
                                  stream_state_name((StreamState)state)),
                           figures.now[role][state]);
    append_by_role(out, &begun, figures.begun);
    append_by_role(out, &opened, figures.opened);
    append_by_role(out, &resumed, counts.resumed);
    append_by_role(out, &given_up, counts.given_up);
    append_ends(out, &figures);
}

static void
append_objects(App *app, GString *out)
{
    static const Metric tunnels = {"streamd_tunnels", METRIC_GAUGE, NULL, "Tunnels"};
    static const Metric targets = {"streamd_targets", METRIC_GAUGE, NULL, "Targets"};
    static const Metric requests = {"streamd_requests", METRIC_GAUGE, NULL,
                                    "Streams that wait for a person's decision"};
    g_autoptr(GPtrArray) waiting = app_list_consents(app);

    metrics_gauge(out, &tunnels, app->tunnels->len);
    metrics_gauge(out, &targets, app->targets->len);
    metrics_gauge(out, &requests, waiting->len);
}

char *
app_metrics_text(App *app, gint64 started)
{
    static const Metric build = {"streamd_build_info", METRIC_GAUGE, NULL, "Which version this is"};
    GString *out = g_string_new(NULL);

    metrics_info(out, &build, LABEL("version", STREAMD_VERSION));
    append_hubs(app, out);
    append_streams(app, out);
    append_objects(app, out);
    metrics_process(out, "streamd", started);
    metrics_end(out);
    return g_string_free(out, FALSE);
}
