/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/hub.h"

#include "common/base/error.h"
#include "common/log/events.h"
#include "hub/base/address.h"
#include "hub/base/networks.h"
#include "hub/hub-private.h"

#include <string.h>

/* After the last stream has ended, what is still queued has this time to be sent. */
#define STOP_LINGER (300 * G_TIME_SPAN_MILLISECOND)

static void
hub_request(Request *request, void *data)
{
    Streamhub *hub = data;

    hub_record_request(hub, request);
    if (request->match.route->kind == ROUTE_ENROLL)
        enrollments_request(hub->enrollments, request);
    else if (request->match.route->kind == ROUTE_LEG)
        streams_leg(hub->streams, request);
    else
        rest_request(hub->rest, request);
}

static void
hub_device(const Handover *handover, void *data)
{
    device_links_take(((Streamhub *)data)->links, handover);
}

static void
hub_refused(const Refused *refused, void *data)
{
    refusal_log_note(((Streamhub *)data)->refusals, refused);
}

static const EdgeEvents edge_events = {
    .routes = &route_hub, .request = hub_request, .device = hub_device, .refused = hub_refused};

static void
hub_subscribed(const char *client_id, void *data)
{
    streams_subscribed(((Streamhub *)data)->streams, client_id);
}

static void
hub_link_lost(const char *client_id, void *data)
{
    streams_link_lost(((Streamhub *)data)->streams, client_id);
}

static void
hub_answer(const char *client_id, const StreamAnswer *answer, void *data)
{
    streams_answer(((Streamhub *)data)->streams, client_id, answer);
}

static void
hub_cloned(const char *client_id, const CloneReport *report, void *data G_GNUC_UNUSED)
{
    g_autofree char *times = g_strdup_printf("%u times", report->times);

    event_log(EVENT_DEVICE_CLONED, &(EventData){.device = client_id, .detail = times});
}

static void
hub_connected(const char *client_id, Caps caps G_GNUC_UNUSED, void *data)
{
    statements_connected(((Streamhub *)data)->statements, client_id);
}

static void
hub_kept(const char *client_id, StatementKind kind, guint64 serial, void *data)
{
    statements_kept(((Streamhub *)data)->statements, client_id, kind, serial);
}

static const DevicesEvents devices_events = {.subscribed = hub_subscribed,
                                             .connected = hub_connected,
                                             .link_lost = hub_link_lost,
                                             .answer = hub_answer,
                                             .cloned = hub_cloned,
                                             .kept = hub_kept};

static void
hub_note_seen(const char *client_id, void *data)
{
    sightings_seen(data, client_id);
}

static void
hub_note_connected(Sightings *sightings, void *data)
{
    devices_foreach(((Streamhub *)data)->devices, hub_note_seen, sightings);
}

static char **
names_copy(const char *const *names)
{
    GPtrArray *copy = g_ptr_array_new();

    for (guint i = 0; names[i]; i++)
        g_ptr_array_add(copy, g_ascii_strdown(names[i], -1));
    g_ptr_array_add(copy, NULL);
    return (char **)g_ptr_array_free(copy, FALSE);
}

static HeapLoad
hub_load(void *data)
{
    Admission *admission = ((Streamhub *)data)->admission;

    return (HeapLoad){.most = admission_most(admission), .now = admission_total(admission)};
}

static void
hub_make_links(Streamhub *hub, const StreamhubOptions *options)
{
    DeviceLinksNeeds needs = {.settings = hub->settings, .queue = options->queue};

    hub->rekeys = rekeys_new(hub->settings, hub->registry, hub->devices, hub->clock);
    rekeys_set_records(hub->rekeys, hub->records);
    hub->sightings = sightings_new(hub->registry, hub->clock, hub_note_connected, hub);
    needs.auth = hub->auth;
    needs.clock = hub->clock;
    needs.devices = hub->devices;
    needs.rekeys = hub->rekeys;
    needs.sightings = hub->sightings;
    needs.refusals = hub->refusals;
    hub->links = device_links_new(&needs);
    device_links_set_trust(hub->links, options->trust);
}

static void
hub_make_parts(Streamhub *hub, const StreamhubOptions *options)
{
    StreamsNeeds needs = {
        .settings = hub->settings, .queue = options->queue, .records = options->records};

    hub->clock = clock_new();
    hub->refusals = refusal_log_new(hub->clock);
    needs.refusals = hub->refusals;
    hub->admission = admission_new(hub->settings);
    hub->auth =
        auth_new(hub->settings, hub->registry, hub->admission, (const char *const *)hub->names);
    hub->devices = devices_new(hub->settings, &devices_events, hub);
    hub->statements = statements_new(hub->devices, hub->registry);
    needs.clock = hub->clock;
    needs.devices = hub->devices;
    hub->streams = streams_new(&needs);
    hub->looks = stream_looks_new(hub->streams, hub->clock);
    hub->rest = rest_new(hub->settings, hub->auth, hub->registry, hub->devices, hub->streams);
    rest_set_refusals(hub->rest, hub->refusals);
    hub->enrollments = enrollments_new(hub->auth, hub->registry, hub->refusals);
    rest_set_statements(hub->rest, hub->statements);
    rest_set_records(hub->rest, hub->records);
    enrollments_set_records(hub->enrollments, hub->records);
    hub->edge = edge_new(hub->settings, options->reactors, options->queue, options->tls,
                         hub->admission, &edge_events, hub);
    hub_make_links(hub, options);
    hub->review = certificate_review_new(options->queue, &hub_review_events, hub);
    hub->heap = heap_watch_new(hub_load, hub);
    hub->watch = registry_watch(hub->registry, hub_registry_changed, hub);
}

static const char *
host_or_name(const char *const *names, const char *streaming_host)
{
    return streaming_host ? streaming_host : names[0];
}

static char *
streaming_host_of(const char *const *names, const char *streaming_host)
{
    return g_ascii_strdown(host_or_name(names, streaming_host), -1);
}

gboolean
streamhub_check_host(const char *const *names, const char *streaming_host, GError **error)
{
    const char *host = host_or_name(names, streaming_host);

    if (address_is_good(host))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "%s: want a host name or an IPv4 address, maybe with :PORT", host);
    return FALSE;
}

static void
hub_set_origins(Streamhub *hub, const char *listed)
{
    g_autoptr(Origins) origins =
        origins_new((const char *const *)hub->names, hub->streaming_host, listed);

    edge_set_origins(hub->edge, origins);
}

Streamhub *
streamhub_new(const StreamhubOptions *options, GError **error)
{
    g_autoptr(Streamhub) hub = g_new0(Streamhub, 1);

    hub->settings = options->settings;
    hub->registry = options->registry;
    hub->queue = options->queue;
    hub->records = options->records;
    if (!streamhub_check_host(options->names, options->streaming_host, error))
        return NULL;
    hub->names = names_copy(options->names);
    hub->streaming_host = streaming_host_of(options->names, options->streaming_host);
    hub_make_parts(hub, options);
    streamhub_set_balancers(hub, options->settings->proxy_protocol_from);
    hub_set_origins(hub, options->settings->allowed_origins);
    return g_steal_pointer(&hub);
}

static void
hub_tell_address(Streamhub *hub)
{
    g_autofree char *authority = address_with_port(hub->streaming_host, hub->port);

    streams_set_address(hub->streams, authority, hub->names[0]);
}

void
streamhub_set_address(Streamhub *hub, const char *const *names, const char *streaming_host,
                      const char *origins)
{
    char **former = hub->names; /* NAMES may be these */

    hub->names = names_copy(names);
    g_strfreev(former);
    auth_set_names(hub->auth, (const char *const *)hub->names);
    g_free(hub->streaming_host);
    hub->streaming_host = streaming_host_of(names, streaming_host);
    hub_set_origins(hub, origins);
    hub_tell_address(hub);
}

void
streamhub_set_balancers(Streamhub *hub, const char *networks)
{
    g_autoptr(Networks) balancers = networks_new(networks);

    edge_set_balancers(hub->edge, balancers);
}

/* The port of the first listener goes into the URLs. */
static void
hub_listens(Streamhub *hub, const char *bound)
{
    if (hub->port)
        return;
    hub->port = (guint16)g_ascii_strtoull(strrchr(bound, ':') + 1, NULL, 10);
    hub_tell_address(hub);
}

gboolean
streamhub_listen(Streamhub *hub, const char *address, gboolean six_only, char **ret_bound,
                 GError **error)
{
    if (!edge_listen(hub->edge, address, six_only, ret_bound, error))
        return FALSE;
    hub_listens(hub, *ret_bound);
    return TRUE;
}

gboolean
streamhub_adopt(Streamhub *hub, int fd, char **ret_bound, GError **error)
{
    if (!edge_adopt(hub->edge, fd, ret_bound, error))
        return FALSE;
    hub_listens(hub, *ret_bound);
    return TRUE;
}

gboolean
streamhub_start(Streamhub *hub, GError **error)
{
    return edge_start(hub->edge, error);
}

void
streamhub_set_tls(Streamhub *hub, TlsContext *tls)
{
    edge_set_tls(hub->edge, tls);
}

void
streamhub_set_trust(Streamhub *hub, TlsTrust *trust)
{
    device_links_set_trust(hub->links, trust);
    certificate_review_begin(hub->review, trust);
}

static void
hub_lingered(Timer *timer)
{
    Streamhub *hub = CONTAINER_OF(timer, Streamhub, linger);
    StreamhubDone done = g_steal_pointer(&hub->done);

    if (done)
        done(hub, hub->done_data);
}

static void
hub_edge_stopped(void *data)
{
    Streamhub *hub = data;

    device_links_close_all(hub->links);
    sightings_flush(hub->sightings);
    hub->linger.func = hub_lingered;
    clock_set(hub->clock, &hub->linger, STOP_LINGER);
}

static void
hub_streams_ended(void *data)
{
    Streamhub *hub = data;

    hub->streams_ended = TRUE;
    clock_clear(hub->clock, &hub->grace);
    edge_stop(hub->edge, hub_edge_stopped, hub);
}

static void
hub_grace_over(Timer *timer)
{
    streams_cut(CONTAINER_OF(timer, Streamhub, grace)->streams);
}

RefusalLog *
streamhub_refusals(Streamhub *hub)
{
    return hub->refusals;
}

void
streamhub_drain(Streamhub *hub, gboolean draining)
{
    streams_drain(hub->streams, draining);
}

void
streamhub_stop(Streamhub *hub, gint64 grace, StreamhubDone done, void *data)
{
    hub->done = done;
    hub->done_data = data;
    hub->grace.func = hub_grace_over;
    if (!hub->streams_ended)
        clock_set(hub->clock, &hub->grace, grace);
    /* The edge goes on during the grace: accepted streams still wait for legs, and new requests
     * must get an answer. */
    if (device_links_stop(hub->links))
        streams_stop(hub->streams, hub_streams_ended, hub);
}

void
streamhub_free(Streamhub *hub)
{
    if (!hub)
        return;
    if (hub->watch)
        registry_unwatch(hub->registry, hub->watch);
    heap_watch_free(hub->heap);
    certificate_review_free(hub->review);
    if (hub->clock) {
        clock_clear(hub->clock, &hub->grace);
        clock_clear(hub->clock, &hub->linger);
        if (hub->links)
            device_links_close_all(hub->links);
    }
    rest_free(hub->rest);
    enrollments_free(hub->enrollments);
    stream_looks_free(hub->looks);
    streams_free(hub->streams);
    rekeys_free(hub->rekeys);
    statements_free(hub->statements);
    devices_free(hub->devices);
    device_links_free(hub->links);
    sightings_free(hub->sightings);
    auth_free(hub->auth);
    edge_free(hub->edge);
    admission_free(hub->admission);
    refusal_log_free(hub->refusals);
    clock_free(hub->clock);
    g_strfreev(hub->names);
    g_free(hub->streaming_host);
    g_free(hub);
}

Caps
streamhub_device_caps(Streamhub *hub, const char *device, const char *module)
{
    g_autofree char *client_id = hub_client_id(device, module);

    return devices_caps(hub->devices, client_id);
}

void
streamhub_set_statements(Streamhub *hub, const char *const *texts)
{
    statements_set(hub->statements, texts);
}

guint64
streamhub_statement(const Streamhub *hub)
{
    return statements_serial(hub->statements, STATEMENT_AUTHORITY);
}

gboolean
streamhub_device_is_connected(Streamhub *hub, const char *device, const char *module)
{
    g_autofree char *client_id = hub_client_id(device, module);

    return devices_is_connected(hub->devices, client_id);
}

gboolean
streamhub_device_is_online(Streamhub *hub, const char *device, const char *module)
{
    g_autofree char *client_id = hub_client_id(device, module);

    return devices_is_online(hub->devices, client_id);
}

gboolean
streamhub_device_is_cloned(Streamhub *hub, const char *device, const char *module, CloneReport *ret)
{
    g_autofree char *client_id = hub_client_id(device, module);

    return devices_is_cloned(hub->devices, client_id, ret);
}

void
streamhub_write_facts(Streamhub *hub)
{
    sightings_flush(hub->sightings);
}

HubFigures
streamhub_figures(Streamhub *hub)
{
    const Settings *settings = hub->settings;
    HubFigures figures = {
        .connections = admission_total(hub->admission),
        .unauthenticated = admission_waiting(hub->admission),
        .devices = devices_count(hub->devices),
        .cloned = devices_cloned(hub->devices),
        .waiting = devices_waiting(hub->devices),
        .streams = streams_count(hub->streams),
        .streams_total = streams_total(hub->streams),
        .ignored_answers = streams_ignored(hub->streams),
        .draining = streams_is_draining(hub->streams),
        .penalties = auth_penalties(hub->auth),
        .device_connects = devices_connects(hub->devices),
        .device_crowded = devices_crowded(hub->devices),
        .device_waits = devices_waits(hub->devices),
        .connections_max = settings->connections_max,
        .unauthenticated_max = settings->unauthenticated_max,
        .streams_max = settings->streams_max,
        .records = records_measure(hub->records),
        .queued = queue_length(hub->queue),
        .queued_threads = edge_queued(hub->edge),
        .edge = edge_meter(hub->edge),
        .openings = edge_openings(hub->edge),
        .auth = auth_meter(hub->auth),
    };

    streams_measure(hub->streams, &figures.by_state);
    return figures;
}

void
streamhub_look(Streamhub *hub, const StreamQuery *query, StreamsLooked done, void *data)
{
    stream_looks_begin(hub->looks, query, done, data);
}

gboolean
streamhub_close_stream(Streamhub *hub, const char *id)
{
    return streams_close(hub->streams, id);
}

StreamhubKeyUse
streamhub_key_use(Streamhub *hub, const StreamhubKeys *keys)
{
    g_autofree char *client_id = keys->device ? hub_client_id(keys->device, keys->module) : NULL;

    return (StreamhubKeyUse){
        .devices = client_id ? (devices_is_by_keys(hub->devices, client_id, keys->keys) ? 1 : 0)
                             : devices_count_policy_keys(hub->devices, keys->user, keys->keys),
        .streams = streams_count_keys(hub->streams, client_id, keys->user, keys->keys),
    };
}

void
streamhub_rekey(Streamhub *hub, const char *device, const char *module, RekeyDone done, void *data)
{
    rekeys_ask(hub->rekeys, device, module, done, data);
}
