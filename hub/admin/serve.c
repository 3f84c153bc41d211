/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/admin/serve.h"

#include "common/base/descriptors.h"
#include "common/base/error.h"
#include "common/extension/statement.h"
#include "common/log/events.h"
#include "common/loop/watchdog.h"
#include "hub/admin/configuration.h"
#include "hub/admin/identity.h"
#include "hub/admin/init.h"
#include "hub/admin/server.h"
#include "hub/base/address.h"
#include "hub/hub.h"
#include "hub/registry/sqlite.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define ADMIN_AGAIN_S 2
#define SERVE_LISTENERS_MAX 16 /* as many as the edge takes */
#define DAY_S (24 * 60 * 60)

typedef struct {
    const ServeOptions *options;
    GMainLoop *loop;
    int lock; /* the state folder; -1: not open */
    Identity *identity;
    Settings *settings;
    TlsTrust *trust; /* of devices; NULL: certificates are not asked for */
    Queue *queue;
    GSource *queue_source;
    Registry *registry;
    ReactorPool *reactors;
    Records *records; /* NULL: none are kept */
    Streamhub *hub;
    guint16 port;                             /* of the first listener */
    char *streams_at;                         /* where streams are sent, for admin_hub */
    char *listeners[SERVE_LISTENERS_MAX + 1]; /* the same, of what is listened on */
    guint n_listeners;
    AdminHub admin_hub;
    AdminServer *admin;
    guint admin_again; /* source: retries the admin socket */
    Watchdog *watchdog;
    guint signals[3]; /* sources */
    guint daily;      /* source: warns of the certificate */
    gboolean stopping;
} Serve;

static void
serve_clear(Serve *serve)
{
    for (gsize i = 0; i < G_N_ELEMENTS(serve->signals); i++)
        if (serve->signals[i])
            g_source_remove(serve->signals[i]);
    if (serve->admin_again)
        g_source_remove(serve->admin_again);
    if (serve->daily)
        g_source_remove(serve->daily);
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
    for (guint i = 0; i < serve->n_listeners; i++)
        g_free(serve->listeners[i]);
    if (serve->lock >= 0)
        close(serve->lock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Serve, serve_clear)

/* The hub's name in connection strings and URLs. */
static const char *
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

static StreamhubCounts
counts(void *data)
{
    return streamhub_counts(((Serve *)data)->hub);
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

/* The certificate works, but the administrator should act. */
static void
warn_of_identity(const Serve *serve)
{
    g_autofree char *warning = identity_warning(serve->identity);

    if (warning)
        g_warning("%s", warning);
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
    warn_of_identity(serve);
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

static void
listener_opened(Serve *serve, const char *kind, const char *bound, GString *lines)
{
    if (serve->port == 0)
        serve->port = (guint16)g_ascii_strtoull(strrchr(bound, ':') + 1, NULL, 10);
    g_string_append_printf(lines, "listening %s %s\n", kind, bound);
    if (serve->n_listeners < SERVE_LISTENERS_MAX)
        serve->listeners[serve->n_listeners++] = g_strdup_printf("%s %s", kind, bound);
}

static gboolean
listen_all(Serve *serve, const char *kind, const char *const *addresses, GString *lines,
           GError **error)
{
    for (const char *const *address = addresses; address && *address; address++) {
        g_autofree char *bound = NULL;

        gboolean six_only = address_is_six_only(*address, serve->options->listen) ||
                            address_is_six_only(*address, serve->options->mqtt_listen);

        if (!streamhub_listen(serve->hub, *address, six_only, &bound, error))
            return FALSE;
        listener_opened(serve, kind, bound, lines);
    }
    return TRUE;
}

/* Takes those of the N sockets that are named "mqtts", or all others. */
static gboolean
adopt_all(Serve *serve, char *const *names, int n, gboolean mqtts, GString *lines, GError **error)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *bound = NULL;

        if (g_str_equal(names[i], "mqtts") != mqtts)
            continue;
        if (!streamhub_adopt(serve->hub, SD_LISTEN_FDS_START + i, &bound, error))
            return FALSE;
        listener_opened(serve, mqtts ? "mqtts" : "https", bound, lines);
    }
    return TRUE;
}

static gboolean
serve_listen(Serve *serve, GString *lines, GError **error)
{
    static const char *const https_default[] = {SERVE_LISTEN_DEFAULT, NULL};
    static const char *const mqtts_default[] = {SERVE_MQTT_LISTEN_DEFAULT, NULL};
    const ServeOptions *options = serve->options;
    gboolean usual = !options->listen && !options->mqtt_listen;
    g_auto(GStrv) names = NULL;
    int n = usual ? sd_listen_fds_with_names(1, &names) : 0;

    if (n > 0)
        return adopt_all(serve, names, n, FALSE, lines, error) &&
               adopt_all(serve, names, n, TRUE, lines, error);
    return listen_all(serve, "https", usual ? https_default : options->listen, lines, error) &&
           listen_all(serve, "mqtts", usual ? mqtts_default : options->mqtt_listen, lines, error);
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
        serve_read_statements(serve);
        event_log(EVENT_CERTIFICATE_RELOADED, &(EventData){0});
        warn_of_identity(serve);
    } else {
        event_log(EVENT_CERTIFICATE_REFUSED, &(EventData){.detail = error->message});
    }
}

/* What the admin socket tells of the addresses. */
static void
serve_tell_address(Serve *serve)
{
    const char *public = serve->settings->public_address, *host = configuration_streaming_host(serve->settings);

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
                          configuration_streaming_host(serve->settings), serve->settings->allowed_origins);
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
    gboolean taken = FALSE;
    TlsTrust *trust = NULL;

    if (settings &&
        streamhub_check_host((const char *const *)names, configuration_streaming_host(settings), &failure) &&
        configuration_read_trust(settings, &trust, &failure)) {
        taken = identity_reload(serve->identity, name, &failure);
        serve_take_trust(serve, taken, trust);
        serve_show_identity(serve, taken, failure);
    } else {
        g_warning("Not reloaded, and the next start would fail: %s", failure->message);
    }
    if (taken)
        serve_take_settings(serve, settings);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
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
                                  .is_connected = is_connected,
                                  .is_cloned = is_cloned,
                                  .write_facts = write_facts,
                                  .is_online = is_online,
                                  .counts = counts,
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
on_stopped(Streamhub *hub G_GNUC_UNUSED, void *data)
{
    g_main_loop_quit(((Serve *)data)->loop);
}

static gboolean
on_stop(void *data)
{
    Serve *serve = data;
    gint64 grace = serve->stopping ? 0 : serve->options->grace;

    (void)sd_notify(0, "STOPPING=1\nSTATUS=Ending streams");
    event_log(EVENT_SERVER_STOPPING,
              &(EventData){.hub = serve_name(serve),
                           .detail = grace > 0 ? "when its streams have ended" : "at once"});
    streamhub_stop(serve->hub, grace, on_stopped, serve);
    serve->stopping = TRUE;
    return G_SOURCE_CONTINUE;
}

static gboolean
on_reload(void *data)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    (void)reload(data, NULL);
    (void)sd_notify(0, "READY=1");
    return G_SOURCE_CONTINUE;
}

static void
on_alive(void *data G_GNUC_UNUSED)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

static gboolean
on_day(void *data)
{
    warn_of_identity(data);
    return G_SOURCE_CONTINUE;
}

static void
serve_go(Serve *serve, const char *lines)
{
    uint64_t limit = 0;

    serve->loop = g_main_loop_new(NULL, FALSE);
    serve->signals[0] = g_unix_signal_add(SIGTERM, on_stop, serve);
    serve->signals[1] = g_unix_signal_add(SIGINT, on_stop, serve);
    serve->signals[2] = g_unix_signal_add(SIGHUP, on_reload, serve);
    serve->daily = g_timeout_add_seconds(DAY_S, on_day, serve);
    if (sd_watchdog_enabled(1, &limit) > 0)
        serve->watchdog = watchdog_new(serve->reactors, (gint64)limit, on_alive, NULL);
    records_start(serve->records);
    g_print("%sready\n", lines);
    event_log(EVENT_SERVER_STARTED,
              &(EventData){.hub = serve_name(serve), .detail = STREAMD_VERSION});
    (void)sd_notifyf(0, "READY=1\nSTATUS=Serving %s, port %u", serve_name(serve), serve->port);
    g_main_loop_run(serve->loop);
    event_log(EVENT_SERVER_STOPPED, &(EventData){.hub = serve_name(serve)});
}

gboolean
serve_run(const ServeOptions *options, GError **error)
{
    g_auto(Serve) serve = {.options = options, .lock = -1};
    g_autoptr(GString) lines = g_string_new(NULL);

    (void)umask(0077);
    /* Streams need descriptors: takes as many as the system allows (R26). */
    descriptors_raise_limit(G_MAXUINT64);
    if (!serve_lock(&serve, error) || !serve_load(&serve, error) ||
        !serve_make_hub(&serve, error) || !serve_listen(&serve, lines, error) ||
        !serve_open_admin(&serve, error) || !streamhub_start(serve.hub, error))
        return FALSE;
    serve_go(&serve, lines->str);
    return TRUE;
}
