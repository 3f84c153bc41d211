/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/object/hub-update.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"
#include "daemon/app-update.h"
#include "daemon/bus/call.h"
#include "daemon/bus/error.h"
#include "daemon/bus/object/resume.h"
#include "daemon/bus/objects.h"
#include "daemon/bus/options.h"
#include "daemon/bus/secret.h"
#include "daemon/diagnosis/diagnosis.h"

typedef enum {
    SECRET_IDENTITY, /* a connection string */
    SECRET_KEY,
    SECRET_PROXY,
    SECRETS
} SecretOf;

static const gsize secret_sizes[SECRETS] = {INVITATION_MAX, HUB_CONNECTION_STRING_MAX,
                                            PROXY_CREDENTIALS_MAX};

/* A change that waits for its secrets, and then for its trial. The message owns the strings. */
typedef struct {
    BusCall *call;
    char *name; /* of the hub */
    HubChange change;
    HubTransport transport;
    BusResume resume;
    char *allowed_users, *stream_hosts;
    char *ca; /* that came with an invitation */
    int force;
    int fds[SECRETS]; /* the message's; -1: none */
    char *secrets[SECRETS];
    BusSecret *reading; /* that of NEXT */
    guint next;
    AppUpdate *update;
    Diagnosis *trial;
} HubUpdate;

static void
hub_update_free(HubUpdate *update)
{
    bus_secret_cancel(update->reading);
    diagnosis_cancel(update->trial);
    app_update_free(update->update);
    for (guint i = 0; i < SECRETS; i++)
        secret_free(update->secrets[i]);
    g_free(update->ca);
    g_free(update->allowed_users);
    g_free(update->stream_hosts);
    g_free(update->name);
    g_free(update);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HubUpdate, hub_update_free)

static void
hub_update_cancel(void *data)
{
    hub_update_free(data);
}

static void
hub_update_fail(HubUpdate *update, const GError *error)
{
    bus_call_fail(update->call, error);
    hub_update_free(update);
}

static void
hub_update_submit(HubUpdate *update)
{
    g_autoptr(GError) failure = NULL;
    AppChange *change = app_update_submit(g_steal_pointer(&update->update), bus_call_changed,
                                          update->call, &failure);

    (void)bus_call_await(update->call, change, failure);
    hub_update_free(update);
}

static void
hub_update_tried(GPtrArray *checks, void *data)
{
    g_autoptr(GError) failure = NULL;
    HubUpdate *update = data;

    update->trial = NULL;
    if (!diagnosis_failure(checks, &failure)) {
        hub_update_submit(update);
        return;
    }
    g_prefix_error(&failure, "nothing was changed, for it would not work: ");
    hub_update_fail(update, failure);
}

/* One that is to be disconnected is not tried: it is to stay away from its hub. Nor is one that has
 * no key and gets none: there is nothing to show to its hub, and it is in use by nobody. */
static void
hub_update_try(HubUpdate *update)
{
    App *app = bus_call_context(update->call)->app;
    const Hub *present = app_find_hub(app, update->name);
    Hub *next = app_update_hub(update->update);
    g_autoptr(GError) failure = NULL;

    if (update->force || !hub_is_wanted(present) || hub_refused(next)) {
        hub_update_submit(update);
        return;
    }
    update->trial = diagnosis_try(app, next, hub_update_tried, update, &failure);
    if (update->trial == NULL)
        hub_update_fail(update, failure);
}

/* An invitation of a hub before 0.2 has a connection string in it. */
static gboolean
hub_update_split(HubUpdate *update, GError **error)
{
    g_auto(SecretText) text = g_steal_pointer(&update->secrets[SECRET_IDENTITY]);

    if (text == NULL)
        return TRUE;
    if (!invitation_split(text, &update->secrets[SECRET_IDENTITY], &update->ca, error))
        return FALSE;
    if (!invitation_is_ticket(update->secrets[SECRET_IDENTITY]))
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "an invitation is for a new hub: remove this one and add it again, or "
                        "give a connection string or a key");
    return FALSE;
}

static void
hub_update_go(HubUpdate *update)
{
    g_autoptr(GError) failure = NULL;
    HubChange *change = &update->change;

    if (!hub_update_split(update, &failure)) {
        hub_update_fail(update, failure);
        return;
    }
    change->connection_string = update->secrets[SECRET_IDENTITY];
    change->ca = update->ca;
    change->key = update->secrets[SECRET_KEY];
    change->proxy.credentials = update->secrets[SECRET_PROXY];
    change->allowed_users = update->allowed_users;
    change->stream_hosts = update->stream_hosts;
    update->update =
        app_update_new(bus_call_context(update->call)->app, update->name, change, &failure);
    if (update->update == NULL)
        hub_update_fail(update, failure);
    else
        hub_update_try(update);
}

static void hub_update_read(const char *text, const GError *error, void *data);

/* Reads the secrets that were given, one after the other. FALSE: one cannot be read. RET_DONE:
 * there is no other. */
static gboolean
hub_update_read_next(HubUpdate *update, gboolean *ret_done, GError **error)
{
    while (update->next < SECRETS && update->fds[update->next] < 0)
        update->next++;
    *ret_done = update->next == SECRETS;
    if (*ret_done)
        return TRUE;
    update->reading = bus_secret_read(update->fds[update->next], secret_sizes[update->next],
                                      hub_update_read, update, error);
    return update->reading != NULL;
}

static void
hub_update_read(const char *text, const GError *error, void *data)
{
    g_autoptr(GError) failure = NULL;
    HubUpdate *update = data;
    gboolean done = FALSE;

    update->reading = NULL;
    if (text == NULL) {
        hub_update_fail(update, error);
        return;
    }
    update->secrets[update->next++] = g_strdup(text);
    if (!hub_update_read_next(update, &done, &failure))
        hub_update_fail(update, failure);
    else if (done)
        hub_update_go(update);
}

static int
hub_update_take(HubUpdate *update, const char *transport, char **users, char **hosts,
                sd_bus_error *error)
{
    if (update->fds[SECRET_IDENTITY] >= 0 && update->fds[SECRET_KEY] >= 0)
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "'key' and 'connection-string' exclude each other");
    if (transport != NULL && !hub_transport_from_name(transport, &update->transport))
        return bus_error_setf(error, STREAMD_ERROR_INVALID,
                              "'transport' is 'wss' or 'mqtts', not '%.64s'", transport);
    update->change.no_resume = update->resume.given ? &update->resume.no_resume : NULL;
    update->change.resume_time = update->resume.time;
    update->change.transport = transport != NULL ? &update->transport : NULL;
    update->allowed_users = users != NULL ? g_strjoinv(" ", users) : NULL;
    update->stream_hosts = hosts != NULL ? g_strjoinv(" ", hosts) : NULL;
    return 0;
}

static int
hub_update_read_options(sd_bus_message *message, HubUpdate *update, sd_bus_error *error)
{
    HubChange *change = &update->change;
    g_auto(GStrv) users = NULL, hosts = NULL;
    const char *transport = NULL;
    BusOption options[] = {
        {"force", 'b', &update->force},
        {"connection-string", 'h', &update->fds[SECRET_IDENTITY]},
        {"key", 'h', &update->fds[SECRET_KEY]},
        {"proxy-credentials", 'h', &update->fds[SECRET_PROXY]},
        {"host", 's', &change->host},
        {"ca-file", 's', &change->ca_file},
        {"certificate-file", 's', &change->own.certificate},
        {"key-file", 's', &change->own.key},
        {"key-pin-file", 's', &change->own.pin_file},
        {"proxy", 's', &change->proxy.url},
        {"no-proxy", 's', &change->proxy.exceptions},
        {"transport", 's', &transport},
        {"mqtt-port", 'q', &change->mqtts_port},
        {"allowed-users", 'a', &users},
        {"stream-hosts", 'a', &hosts},
        {0},
        {0},
    };
    BusOption *resume = options + G_N_ELEMENTS(options) - BUS_RESUME_OPTIONS;
    gboolean any = FALSE;
    int r;

    bus_resume_expect(resume, &update->resume);
    r = bus_options_read(message, options, G_N_ELEMENTS(options), error);
    if (r >= 0)
        r = bus_resume_take(resume, &update->resume, error);
    for (guint i = 1; i < G_N_ELEMENTS(options); i++) /* all but "force" */
        any = any || options[i].given;
    if (r >= 0 && !any)
        r = bus_error_setf(error, STREAMD_ERROR_INVALID, "there is nothing to change");
    return r < 0 ? r : hub_update_take(update, transport, users, hosts, error);
}

/* Nothing to read: goes on at once, from the main loop as with secrets. */
static int
hub_update_begin(HubUpdate *update, BusItem *item, sd_bus_message *message, sd_bus_error *error)
{
    g_autoptr(GError) failure = NULL;
    gboolean done = FALSE;

    update->name = g_strdup(hub_name(item->object));
    if (!hub_update_read_next(update, &done, &failure)) {
        hub_update_free(update);
        return bus_error_set(error, failure);
    }
    update->call = bus_call_begin(item->context, message, error);
    if (update->call == NULL) {
        hub_update_free(update);
        return -EBUSY;
    }
    bus_call_set_cancel(update->call, hub_update_cancel, update);
    if (done)
        hub_update_go(update);
    return 1;
}

int
bus_hub_update(sd_bus_message *message, void *data, sd_bus_error *error)
{
    HubUpdate *update = g_new0(HubUpdate, 1);
    int r;

    for (guint i = 0; i < SECRETS; i++)
        update->fds[i] = -1;
    r = hub_update_read_options(message, update, error);
    if (r >= 0)
        return hub_update_begin(update, data, message, error);
    hub_update_free(update);
    return r;
}
