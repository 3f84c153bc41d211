/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/serve-private.h"

#include "common/base/descriptors.h"
#include "common/base/error.h"
#include "common/extension/statement.h"
#include "common/log/events.h"
#include "hub/admin/configuration.h"
#include "hub/admin/init.h"
#include "hub/admin/record.h"
#include "hub/base/address.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define ADMIN_AGAIN_S 2

static void
serve_clear(Serve *serve)
{
    for (gsize i = 0; i < G_N_ELEMENTS(serve->signals); i++)
        if (serve->signals[i])
            g_source_remove(serve->signals[i]);
    if (serve->admin_again)
        g_source_remove(serve->admin_again);
    serve_status_free(serve->status);
    watchdog_free(serve->watchdog);
    admin_server_free(serve->admin);
    if (serve->registry)
        registry_close(serve->registry); /* no completion may reach a freed hub */
    streamhub_free(serve->hub);
    records_free(serve->records);
    registry_free(serve->registry);
    reactor_pool_free(serve->reactors);
    if (serve->queue_source) {
        g_source_destroy(serve->queue_source);
        g_source_unref(serve->queue_source);
    }
    queue_free(serve->queue);
    settings_free(serve->settings);
    tls_trust_unref(serve->trust);
    identity_free(serve->identity);
    g_clear_pointer(&serve->loop, g_main_loop_unref);
    g_free(serve->streams_at);
    g_free(serve->metrics_bound);
    for (guint i = 0; i < serve->n_listeners; i++)
        g_free(serve->listeners[i]);
    if (serve->lock >= 0)
        close(serve->lock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Serve, serve_clear)

const char *
serve_name(const Serve *serve)
{
    return identity_names(serve->identity)[0];
}

static gboolean
is_connected(void *data, const char *device, const char *module)
{
    return streamhub_device_is_connected(((Serve *)data)->hub, device, module);
}

static gboolean
is_cloned(void *data, const char *device, const char *module, CloneReport *ret)
{
    return streamhub_device_is_cloned(((Serve *)data)->hub, device, module, ret);
}

static void
write_facts(void *data)
{
    streamhub_write_facts(((Serve *)data)->hub);
}

static gboolean
is_online(void *data, const char *device, const char *module)
{
    return streamhub_device_is_online(((Serve *)data)->hub, device, module);
}

static HubFigures
figures(void *data)
{
    return streamhub_figures(((Serve *)data)->hub);
}

static void
drain(void *data, gboolean draining)
{
    Serve *serve = data;

    g_message(draining ? "The hub takes no new streams: it is being drained"
                       : "The hub takes new streams again");
    streamhub_drain(serve->hub, draining);
}

static void
look(void *data, const StreamQuery *query, StreamsLooked done, void *done_data)
{
    streamhub_look(((Serve *)data)->hub, query, done, done_data);
}

static gboolean
close_stream(void *data, const char *id)
{
    return streamhub_close_stream(((Serve *)data)->hub, id);
}

static StreamhubKeyUse
key_use(void *data, const StreamhubKeys *keys)
{
    return streamhub_key_use(((Serve *)data)->hub, keys);
}

static void
rekey(void *data, const char *device, const char *module, RekeyDone done, void *done_data)
{
    streamhub_rekey(((Serve *)data)->hub, device, module, done, done_data);
}

/* One hub per state folder: a second one would change the registry behind the first one's cache. */
static gboolean
serve_lock(Serve *serve, GError **error)
{
    serve->lock = state_lock(serve->options->state_dir, error);
    return serve->lock >= 0 && init_check_finished(serve->options->state_dir, error);
}

/* For each new context, before it is used. */
static TlsContext *
serve_tls(const Serve *serve)
{
    TlsContext *tls = identity_tls(serve->identity);

    if (serve->settings->client_certificates)
        tls_context_ask_clients(tls, serve->trust);
    return tls;
}

/* Everything that is read from files. */
static gboolean
serve_load(Serve *serve, GError **error)
{
    const ServeOptions *options = serve->options;
    g_autofree char *registry = g_build_filename(options->state_dir, STATE_REGISTRY, NULL);
    g_autofree char *name = NULL;

    serve->settings = configuration_load(options, error);
    if (!serve->settings)
        return FALSE;
    name = configuration_public_name(serve->settings);
    serve->identity = identity_new(options->state_dir, name, options->host_names, error);
    if (!serve->identity)
        return FALSE;
    serve_warn_of_identity(serve->identity);
    if (!configuration_read_trust(serve->settings, &serve->trust, error))
        return FALSE;
    serve->registry = registry_sqlite_open(registry, error);
    return serve->registry != NULL;
}

static void
serve_read_statements(Serve *serve)
{
    g_autofree char *authority =
        state_read_statement(serve->options->state_dir, STATE_STATEMENT_AUTHORITY);
    g_autofree char *address =
        state_read_statement(serve->options->state_dir, STATE_STATEMENT_ADDRESS);
    const char *const texts[STATEMENT_KINDS] = {
        [STATEMENT_AUTHORITY] = authority, [STATEMENT_ADDRESS] = address};

    streamhub_set_statements(serve->hub, texts);
}

static gboolean
serve_make_hub(Serve *serve, GError **error)
{
    StreamhubOptions options = {.settings = serve->settings,
                                .registry = serve->registry,
                                .tls = serve_tls(serve),
                                .trust = serve->trust,
                                .names = identity_names(serve->identity),
                                .streaming_host = configuration_streaming_host(serve->settings)};

    serve->queue = queue_new();
    serve->queue_source = queue_source_new(serve->queue);
    g_source_attach(serve->queue_source, NULL);
    serve->reactors = reactor_pool_new(serve->options->threads, "hub");
    serve->records = configuration_records(serve->options, serve->settings);
    options.records = serve->records;
    options.queue = serve->queue;
    options.reactors = serve->reactors;
    serve->hub = streamhub_new(&options, error);
    if (serve->hub)
        serve_read_statements(serve);
    return serve->hub != NULL;
}

static Caps
caps_of(void *data, const char *device, const char *module)
{
    return streamhub_device_caps(((Serve *)data)->hub, device, module);
}

static guint64
statement_of(void *data)
{
    return streamhub_statement(((Serve *)data)->hub);
}

static void
serve_show_identity(Serve *serve, gboolean taken, const GError *error)
{
    if (taken) {
        streamhub_set_tls(serve->hub, serve_tls(serve));
        if (serve->metrics)
            metrics_port_set_tls(serve->metrics, identity_tls(serve->identity));
        serve_read_statements(serve);
        event_log(EVENT_CERTIFICATE_RELOADED, &(EventData){0});
        serve_warn_of_identity(serve->identity);
    } else {
        event_log(EVENT_CERTIFICATE_REFUSED, &(EventData){.detail = error->message});
    }
}

/* What the admin socket tells of the addresses. */
static void
serve_tell_address(Serve *serve)
{
    const char *public = serve->settings->public_address;
    const char *host = configuration_streaming_host(serve->settings);

    g_free(serve->streams_at);
    serve->streams_at = address_with_port(host ? host : serve_name(serve), serve->port);
    serve->admin_hub.host = serve_name(serve);
    serve->admin_hub.port = public ? address_port(public, serve->port) : serve->port;
    serve->admin_hub.streams_at = serve->streams_at;
}

/* The threads read their limits only once. The file is checked all the same, so that a mistake
 * shows before the next start needs the file. */
static void
serve_take_settings(Serve *serve, Settings *settings)
{
    if (!settings_limits_equal(settings, serve->settings))
        g_message("%s has changed: its limits take force at the next start",
                  serve->options->config);
    settings_take_reloaded(serve->settings, settings);
    streamhub_set_address(serve->hub, identity_names(serve->identity),
                          configuration_streaming_host(serve->settings),
                          serve->settings->allowed_origins);
    streamhub_set_balancers(serve->hub, serve->settings->proxy_protocol_from);
    records_set_limits(serve->records, serve->settings->records_size,
                       serve->settings->records_files);
    serve_tell_address(serve);
}

/* TRUST is taken. Before the context that is to have it. */
static void
serve_take_trust(Serve *serve, gboolean taken, TlsTrust *trust)
{
    if (taken && trust && serve->settings->client_certificates) {
        tls_trust_unref(serve->trust);
        serve->trust = tls_trust_ref(trust);
        streamhub_set_trust(serve->hub, trust);
    }
    tls_trust_unref(trust);
}

/* All or nothing: the hub takes only what its next start would take as well. */
static gboolean
reload(void *data, GError **error)
{
    Serve *serve = data;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Settings) settings = configuration_load(serve->options, &failure);
    g_autofree char *name = settings ? configuration_public_name(settings) : NULL;
    g_auto(GStrv) names = identity_names_as(serve->identity, name);
    g_auto(ServeMetrics) metrics = {0};
    gboolean taken = FALSE;
    TlsTrust *trust = NULL;

    if (settings && serve_metrics_prepare(serve, settings, &metrics, &failure) &&
        streamhub_check_host((const char *const *)names, configuration_streaming_host(settings),
                             &failure) &&
        configuration_read_trust(settings, &trust, &failure)) {
        taken = identity_reload(serve->identity, name, &failure);
        serve_take_trust(serve, taken, trust);
        serve_show_identity(serve, taken, failure);
    } else {
        g_warning("Not reloaded, and the next start would fail: %s", failure->message);
    }
    if (taken) {
        serve_metrics_take(serve, &metrics);
        serve_take_settings(serve, settings);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return taken;
}

static gboolean
install_certificate(void *data, GError **error)
{
    Serve *serve = data;
    g_autoptr(GError) failure = NULL;
    gboolean taken = identity_install(serve->identity, &failure);

    serve_show_identity(serve, taken, failure);
    if (!taken)
        g_propagate_error(error, g_steal_pointer(&failure));
    return taken;
}

static const Identity *
identity_of(void *data)
{
    return ((Serve *)data)->identity;
}

static AdminServer *
open_admin(Serve *serve, GError **error)
{
    g_autofree char *usual = g_build_filename(serve->options->state_dir, STATE_ADMIN_SOCKET, NULL);
    const char *path = serve->options->admin_socket ? serve->options->admin_socket : usual;

    return admin_server_new(path, geteuid(), &serve->admin_hub, error);
}

static gboolean
on_admin_again(void *data)
{
    Serve *serve = data;

    serve->admin = open_admin(serve, NULL);
    if (!serve->admin)
        return G_SOURCE_CONTINUE;
    serve->admin_again = 0;
    g_message("The admin socket is there now");
    return G_SOURCE_REMOVE;
}

/* When the disk is full or read-only, streams work without this socket, which is tried again. */
static gboolean
serve_open_admin(Serve *serve, GError **error)
{
    g_autoptr(GError) failure = NULL;

    serve->admin_hub = (AdminHub){.registry = serve->registry,
                                  .records = serve->records,
                                  .is_connected = is_connected,
                                  .is_cloned = is_cloned,
                                  .write_facts = write_facts,
                                  .is_online = is_online,
                                  .figures = figures,
                                  .started = serve->started,
                                  .drain = drain,
                                  .identity = identity_of,
                                  .reload = reload,
                                  .install = install_certificate,
                                  .caps = caps_of,
                                  .statement = statement_of,
                                  .journal = serve->options->journal,
                                  .look = look,
                                  .close_stream = close_stream,
                                  .key_use = key_use,
                                  .rekey = rekey,
                                  .listeners = (const char *const *)serve->listeners,
                                  .data = serve};
    serve_tell_address(serve);
    serve->admin = open_admin(serve, &failure);
    if (serve->admin)
        return TRUE;
    if (!g_error_matches(failure, STREAMD_ERROR, STREAMD_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    g_warning("%s; it is tried again every %d s", failure->message, ADMIN_AGAIN_S);
    serve->admin_again = g_timeout_add_seconds(ADMIN_AGAIN_S, on_admin_again, serve);
    return TRUE;
}

static void
on_metrics_stopped(void *data)
{
    g_main_loop_quit(((Serve *)data)->loop);
}

static void
on_stopped(Streamhub *hub G_GNUC_UNUSED, void *data)
{
    serve_metrics_stop(data, on_metrics_stopped, data);
}

static void
serve_record(const Serve *serve, const char *operation, const char *detail)
{
    records_change(
        serve->records,
        &(RecordChange){.operation = operation, .of_hub = TRUE, .by = "signal", .detail = detail});
}

static gboolean
on_stop(void *data)
{
    Serve *serve = data;
    gint64 grace = serve->stopping ? 0 : serve->options->grace;

    serve_status_stopping(serve->status);
    event_log(EVENT_SERVER_STOPPING,
              &(EventData){.hub = serve_name(serve),
                           .detail = grace > 0 ? "when its streams have ended" : "at once"});
    if (!serve->stopping)
        serve_record(serve, "stop", grace > 0 ? "when its streams have ended" : "at once");
    streamhub_stop(serve->hub, grace, on_stopped, serve);
    serve->stopping = TRUE;
    return G_SOURCE_CONTINUE;
}

static void
reload_by_signal(Serve *serve)
{
    ReloadBefore before = reload_before(&serve->admin_hub);
    gboolean done = reload(serve, NULL);
    const char *detail = NULL, *operation = reload_operation(&serve->admin_hub, &before, &detail);

    if (done)
        serve_record(serve, operation, detail);
}

static gboolean
on_reload(void *data)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    reload_by_signal(data);
    (void)sd_notify(0, "READY=1");
    return G_SOURCE_CONTINUE;
}

static void
on_alive(void *data G_GNUC_UNUSED)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

static void
serve_go(Serve *serve, const char *lines)
{
    uint64_t limit = 0;

    serve->loop = g_main_loop_new(NULL, FALSE);
    serve->signals[0] = g_unix_signal_add(SIGTERM, on_stop, serve);
    serve->signals[1] = g_unix_signal_add(SIGINT, on_stop, serve);
    serve->signals[2] = g_unix_signal_add(SIGHUP, on_reload, serve);
    if (sd_watchdog_enabled(1, &limit) > 0)
        serve->watchdog = watchdog_new(serve->reactors, (gint64)limit, on_alive, NULL);
    g_print("%sready\n", lines);
    event_log(EVENT_SERVER_STARTED,
              &(EventData){.hub = serve_name(serve), .detail = STREAMD_VERSION});
    serve->status = serve_status_new(&serve->admin_hub, &serve->admin);
    g_main_loop_run(serve->loop);
    event_log(EVENT_SERVER_STOPPED, &(EventData){.hub = serve_name(serve)});
}

gboolean
serve_run(const ServeOptions *options, GError **error)
{
    g_auto(Serve) serve = {.options = options, .lock = -1, .started = g_get_real_time()};
    g_autoptr(GString) lines = g_string_new(NULL);
    g_auto(ServeMetrics) metrics = {0};

    (void)umask(0077);
    /* Streams need descriptors: takes as many as the system allows (R26). */
    descriptors_raise_limit(G_MAXUINT64);
    if (!serve_lock(&serve, error) || !serve_load(&serve, error) ||
        !serve_make_hub(&serve, error) || !serve_listen(&serve, lines, error) ||
        !serve_open_admin(&serve, error) ||
        !serve_metrics_prepare(&serve, serve.settings, &metrics, error) ||
        !records_start(serve.records, error) || !streamhub_start(serve.hub, error))
        return FALSE;
    serve_metrics_take(&serve, &metrics);
    if (serve.metrics)
        g_string_append_printf(lines, "listening metrics %s\n", serve.metrics_bound);
    serve_go(&serve, lines->str);
    return TRUE;
}
