/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/enroll.h"

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/codec/http-build.h"
#include "common/codec/sas-token.h"
#include "daemon/link/hub-struct.h"
#include "daemon/link/service-open.h"
#include "daemon/net/dial.h"
#include "daemon/net/http-exchange.h"

#include <string.h>

#define RETRY_AFTER_MAX 3600 /* s; more is not believed */

struct Enroll {
    Runtime *runtime;
    Reactor *reactor;
    ConnectionString *identity; /* without its key */
    GString *request;           /* NULL once it is sent */
    Dial *dial;
    HttpExchange *put;
    EnrollDone done;
    void *data;
};

static void
enroll_free(Enroll *enroll)
{
    dial_cancel(enroll->dial);
    http_exchange_cancel(enroll->put);
    http_request_wipe(enroll->request);
    connection_string_free(enroll->identity);
    g_free(enroll);
}

void
enroll_cancel(Enroll *enroll)
{
    if (enroll)
        enroll_free(enroll);
}

static void
enroll_end(Enroll *enroll, EnrollResult result, const char *text, gint64 wait)
{
    enroll->done(result, text, wait, enroll->data);
    enroll_free(enroll);
}

/* The errors of section 9; %s is the name of the device or user. */
static const struct {
    const char *code;
    const char *text;
} refusals[] = {
    {"InvitationNotForIt", "the invitation is not for %s"},
    {"InvitationUsedUp", "the invitation is used up, and not by %s with this key"},
    {"InvitationExpired", "the invitation has expired"},
    {"InvitationRevoked", "the invitation is revoked"},
    {"DeviceAlreadyExists",
     "%s is at the hub already, with another key: its operator may remove it"},
    {"DeviceNotFound", "%s is a module of a device that the hub does not know"},
    {"IotHubQuotaExceeded", "the hub has as many as it may have"},
};

static char *
refusal_text(const char *code, guint status, const char *name)
{
    g_auto(GStrv) parts = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (strcmp(refusals[i].code, code) == 0) {
            parts = g_strsplit(refusals[i].text, "%s", 2);
            return g_strjoinv(name, parts);
        }
    if (status == 401)
        return g_strdup("the hub does not know this invitation, or the clock here is wrong");
    if (status == 404)
        return g_strdup("the hub takes no enrolments: it is older than 0.2, or none of ours");
    return g_strdup_printf("the hub refused the enrolment with status %u", status);
}

EnrollResult
enroll_judge(guint status, const char *code, const ConnectionString *identity, char **ret_text)
{
    const char *device = identity->device_id;
    g_autofree char *name =
        device ? g_strjoin("/", device, identity->module_id, NULL) : g_strdup(identity->policy);

    *ret_text = NULL;
    if (status == 200)
        return ENROLL_JOINED;
    if (status == 202) {
        *ret_text =
            g_strdup_printf("waits for approval: 'streamhub device approve %s' at the hub", name);
        return ENROLL_WAITS;
    }
    if (status == 507)
        *ret_text = g_strdup("the hub's disk takes no change");
    else if (status == 429 || status >= 500)
        *ret_text = g_strdup_printf("the hub asks to come again later (status %u)", status);
    if (*ret_text)
        return ENROLL_FAILED;
    *ret_text = refusal_text(code, status, name);
    return ENROLL_REFUSED;
}

static gint64
retry_after(const HttpHeaders *headers)
{
    Slice field;
    gint64 wait = 0;

    if (!http_headers_get(headers, "Retry-After", &field) || !http_seconds_parse(field, &wait))
        return 0;
    return CLAMP(wait, 0, RETRY_AFTER_MAX * G_TIME_SPAN_SECOND);
}

static void
enroll_answered(Connection *connection, const HttpAnswer *answer, const GError *error, void *data)
{
    Enroll *enroll = data;
    g_autofree char *code = NULL, *text = NULL;
    EnrollResult result;
    Slice field = {0};
    gint64 wait;

    enroll->put = NULL;
    connection_free(connection);
    if (error) {
        enroll_end(enroll, ENROLL_FAILED, error->message, 0);
        return;
    }
    (void)http_headers_get(&answer->head.headers, "iothub-errorcode", &field);
    code = slice_dup(field);
    wait = retry_after(&answer->head.headers);
    result = enroll_judge(answer->head.status, code, enroll->identity, &text);
    enroll_end(enroll, result, text, wait);
}

static void
enroll_connected(Connection *connection, const GError *error, void *data)
{
    Enroll *enroll = data;

    enroll->dial = NULL;
    if (error)
        enroll_end(enroll, ENROLL_FAILED, error->message, 0);
    else
        enroll->put = http_exchange_new(enroll->runtime, enroll->reactor, connection,
                                        g_steal_pointer(&enroll->request), ENROLL_TIME,
                                        enroll_answered, enroll);
}

/* "enrollments/factory/devices/gw-1" */
static char *
enroll_path(const EnrollOptions *options)
{
    const ConnectionString *identity = options->identity;
    const char *module = identity->module_id;

    return g_strconcat("enrollments/", options->ticket->name,
                       identity->policy ? "/users/" : "/devices/",
                       identity->policy ? identity->policy : identity->device_id,
                       module ? "/modules/" : NULL, module, NULL);
}

static char *
enroll_token(const EnrollOptions *options, const char *path)
{
    g_auto(SasKey) key = {0};
    g_autofree char *resource = g_strdup_printf("%s/%s", options->identity->host, path);
    guint64 expiry = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + SERVICE_TOKEN_LIFE;

    if (!sas_key_decode(&key, options->ticket->key, strlen(options->ticket->key)))
        return NULL;
    return sas_token_build(resource, key.data, key.len, expiry, NULL);
}

static GString *
enroll_request(const EnrollOptions *options)
{
    static const char body_format[] = "{\"key\":\"%s\"}";
    g_autofree char *path = enroll_path(options);
    g_autofree char *target = g_strconcat("/", path, "?api-version=" SERVICE_API_VERSION, NULL);
    g_autofree char *authority = http_authority(options->identity->host, options->identity->port);
    g_auto(SecretText) token = enroll_token(options, path);
    g_auto(SecretText) body = g_strdup_printf(body_format, options->identity->key);
    GString *out = g_string_sized_new(4096); /* so that no copy of the key is left by growing */

    if (!token || !http_request_line(out, "PUT", target) ||
        !http_header_append(out, "Host", authority) ||
        !http_header_append(out, "Authorization", token) ||
        !http_header_append(out, "User-Agent", "streamd/" STREAMD_VERSION)) {
        http_request_wipe(out);
        return NULL;
    }
    (void)!http_header_append(out, "Content-Type", "application/json");
    http_header_append_number(out, "Content-Length", strlen(body));
    http_head_end(out);
    g_string_append(out, body);
    return out;
}

Enroll *
enroll_new(const EnrollOptions *options, EnrollDone done, void *data, GError **error)
{
    GString *request = options->identity->key ? enroll_request(options) : NULL;
    Enroll *enroll;

    if (!request) {
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                            "cannot make a request from this invitation");
        return NULL;
    }
    enroll = g_new0(Enroll, 1);
    enroll->runtime = options->runtime;
    enroll->reactor = runtime_pick(options->runtime);
    enroll->identity = g_new0(ConnectionString, 1);
    enroll->identity->device_id = g_strdup(options->identity->device_id);
    enroll->identity->module_id = g_strdup(options->identity->module_id);
    enroll->identity->policy = g_strdup(options->identity->policy);
    enroll->request = request;
    enroll->done = done;
    enroll->data = data;
    enroll->dial = dial_new(enroll->runtime, enroll->reactor, options->host, options->port,
                            options->tls, options->proxy, enroll_connected, enroll);
    return enroll;
}

/* A hub that we have not joined yet: it tries again and again, with the key that is kept, until the
 * hub has taken it; then the app is told, and keeps that. */
static gboolean
enroll_again(gpointer data)
{
    Hub *hub = data;

    hub->retry = 0;
    hub_enroll_start(hub);
    return G_SOURCE_REMOVE;
}

static void
enroll_later(Hub *hub, gboolean refused, gint64 wait)
{
    gint64 usual = backoff_next(&hub->backoff, refused, g_random_double());
    gint64 delay = MAX(usual, wait); /* a macro: it would count a failure twice */

    if (hub->retry)
        g_source_remove(hub->retry);
    hub->retry = g_timeout_add((guint)(delay / 1000), enroll_again, hub);
}

/* After success, too, it would come again, but the app ends that when it has kept it. If the disk
 * does not take that, the hub says once more that we have joined. */
static void
enroll_done(EnrollResult result, const char *text, gint64 wait, void *data)
{
    Hub *hub = data;

    hub->enroll = NULL;
    enroll_later(hub, result == ENROLL_REFUSED, wait);
    switch (result) {
    case ENROLL_JOINED:
        hub_set_state(hub, HUB_CONNECTING, NULL);
        hub->context.enrolled(hub, hub->context.data);
        break;
    case ENROLL_WAITS:
    case ENROLL_FAILED:
        hub_set_state(hub, HUB_DISCONNECTED, text);
        break;
    case ENROLL_REFUSED:
        hub_set_state(hub, HUB_REFUSED, text);
        break;
    }
}

void
hub_enroll_stop(Hub *hub)
{
    g_clear_pointer(&hub->enroll, enroll_cancel);
    if (hub->retry)
        g_source_remove(hub->retry);
    hub->retry = 0;
}

void
hub_enroll_start(Hub *hub)
{
    ServiceOpenOptions open = {0};
    EnrollOptions options = {.runtime = hub->context.runtime,
                             .tls = hub->tls,
                             .proxy = hub->proxy,
                             .identity = hub->parts};
    g_autoptr(InvitationTicket) ticket = invitation_ticket_parse(hub->invitation, NULL);
    g_autoptr(GError) error = NULL;

    if (hub->enroll)
        return;
    hub_enroll_stop(hub);
    hub_fill_open(hub, &open);
    options.host = open.host;
    options.port = open.port;
    options.ticket = ticket;
    hub->enroll = enroll_new(&options, enroll_done, hub, &error);
    hub_set_state(hub, hub->enroll ? HUB_CONNECTING : HUB_REFUSED, error ? error->message : NULL);
}

void
hub_set_enrolled(Hub *hub)
{
    hub_enroll_stop(hub);
    g_clear_pointer(&hub->invitation, secret_free);
    hub->backoff = (Backoff){0};
    if (hub->wanted)
        hub_connect(hub);
}
