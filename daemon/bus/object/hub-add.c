/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/hub-add.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "daemon/bus/error.h"
#include "daemon/bus/object/resume.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/options.h"
#include "daemon/bus/secret.h"

#include <errno.h>

/* A hub that is being added and waits for its credentials. The message owns the strings. */
typedef struct {
    BusCall *call;
    BusSecret *secret; /* the one that is being read */
    HubSettings settings;
    char *allowed_users, *stream_hosts;
    const char *as;
    int fd, proxy_fd; /* the message's; PROXY_FD -1: none */
    char *proxy_credentials;
} AddHub;

static void
add_hub_free(AddHub *add)
{
    g_free(add->allowed_users);
    g_free(add->stream_hosts);
    secret_free(add->proxy_credentials);
    g_free(add);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AddHub, add_hub_free)

void
bus_object_answer_added(BusCall *call, const BusKind *kind, gconstpointer object,
                        const GError *error)
{
    g_autofree char *path = NULL;

    if (error != NULL) {
        bus_call_fail(call, error);
        return;
    }
    path = bus_object_path(kind, object);
    (void)sd_bus_reply_method_return(bus_call_message(call), "o", path);
    bus_call_end(call);
}

static void
add_hub_done(gpointer object, const GError *error, void *data)
{
    bus_object_answer_added(data, &bus_hub_kind, object, error);
}

static void
add_hub_cancel(void *data)
{
    AddHub *add = data;

    bus_secret_cancel(add->secret);
    add_hub_free(add);
}

/* By an invitation it makes a key of its own. */
static AppChange *
add_hub_change(AddHub *add, GError **error)
{
    const char *first = add->settings.connection_string;
    App *app = bus_call_context(add->call)->app;

    if (invitation_is_ticket(first))
        return app_join_hub(app, &add->settings, first, add->as, add_hub_done, add->call, error);
    if (add->as != NULL && *add->as != '\0') {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "'as' goes with an invitation: a connection string says itself who we "
                            "are");
        return NULL;
    }
    return app_add_hub(app, &add->settings, add_hub_done, add->call, error);
}

static void
add_hub_read(const char *text, const GError *error, void *data)
{
    g_autoptr(AddHub) add = data;
    g_auto(SecretText) connection_string = NULL;
    g_autoptr(GError) failure = NULL;
    g_autofree char *ca = NULL;
    AppChange *change = NULL;

    if (text != NULL && !invitation_split(text, &connection_string, &ca, &failure))
        error = failure;
    if (connection_string != NULL) {
        add->settings.connection_string = connection_string;
        add->settings.ca = ca;
        add->settings.allowed_users = add->allowed_users;
        add->settings.stream_hosts = add->stream_hosts;
        add->settings.proxy.credentials = add->proxy_credentials;
        change = add_hub_change(add, &failure);
        error = failure;
    }
    (void)bus_call_await(add->call, change, error);
}

static gboolean
add_hub_read_identity(AddHub *add, GError **error)
{
    add->secret = bus_secret_read(add->fd, INVITATION_MAX, add_hub_read, add, error);
    return add->secret != NULL;
}

static void
add_hub_read_proxy(const char *text, const GError *error, void *data)
{
    AddHub *add = data;
    g_autoptr(GError) failure = NULL;

    add->secret = NULL;
    add->proxy_credentials = g_strdup(text);
    if (text != NULL && add_hub_read_identity(add, &failure))
        return;
    bus_call_fail(add->call, text != NULL ? failure : error);
    add_hub_free(add);
}

static gboolean
add_hub_begin(AddHub *add, GError **error)
{
    if (add->proxy_fd < 0)
        return add_hub_read_identity(add, error);
    add->secret =
        bus_secret_read(add->proxy_fd, PROXY_CREDENTIALS_MAX, add_hub_read_proxy, add, error);
    return add->secret != NULL;
}

static int
add_hub_read_arguments(sd_bus_message *message, AddHub *add, sd_bus_error *error)
{
    HubSettings *settings = &add->settings;
    g_auto(GStrv) users = NULL, hosts = NULL;
    const char *transport = NULL;
    BusOption options[] = {
        {"transport", 's', &transport},
        {"mqtt-port", 'q', &settings->mqtts_port},
        {"ca-file", 's', &settings->ca_file},
        {"certificate-file", 's', &settings->own.certificate},
        {"key-file", 's', &settings->own.key},
        {"key-pin-file", 's', &settings->own.pin_file},
        {"allowed-users", 'a', &users},
        {"stream-hosts", 'a', &hosts},
        {"proxy", 's', &settings->proxy.url},
        {"no-proxy", 's', &settings->proxy.exceptions},
        {"proxy-credentials", 'h', &add->proxy_fd},
        {"as", 's', &add->as},
        {0},
        {0},
    };
    BusOption *resume_options = options + G_N_ELEMENTS(options) - BUS_RESUME_OPTIONS;
    BusResume resume = {0};
    int r;

    bus_resume_expect(resume_options, &resume);
    r = sd_bus_message_read(message, "sh", &settings->name, &add->fd);
    if (r >= 0)
        r = bus_options_check_string("the name", settings->name, error);
    if (r >= 0)
        r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = bus_resume_take(resume_options, &resume, error);
    if (r < 0)
        return r;
    settings->no_resume = resume.no_resume;
    settings->resume_time = resume.time;
    if (transport != NULL && !hub_transport_from_name(transport, &settings->transport))
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "'transport' is 'wss' or 'mqtts', not '%.64s'", transport);
    if (users != NULL)
        add->allowed_users = g_strjoinv(" ", users);
    if (hosts != NULL)
        add->stream_hosts = g_strjoinv(" ", hosts);
    return 0;
}

int
bus_hub_add(sd_bus_message *message, void *data, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(AddHub) add = g_new0(AddHub, 1);
    BusItem *item = data;
    int r;

    add->proxy_fd = -1;
    r = add_hub_read_arguments(message, add, error);
    if (r < 0)
        return r;
    add->call = add_hub_begin(add, &failure) ? bus_call_begin(item->context, message, error) : NULL;
    if (add->call == NULL) {
        bus_secret_cancel(add->secret);
        return failure != NULL ? bus_error_set(error, failure) : -EBUSY;
    }
    bus_call_set_cancel(add->call, add_hub_cancel, add);
    bus_call_set_object(add->call, &bus_hub_kind, add->settings.name);
    (void)g_steal_pointer(&add);
    return 1;
}
