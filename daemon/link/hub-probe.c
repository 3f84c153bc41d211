/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hub in the service role, which has no lasting connection: whether it is there and trusted, and
 * what the last request said of it. */
#include "daemon/link/hub-struct.h"

#include "common/base/error.h"
#include "daemon/link/hub-pending.h"

#define REFUSED_FAILURES                                                                           \
    5 /* a refused identity is shown again within half a minute at the soonest:                    \
         each time makes the hub wary of our address */
#define ASK_LIMIT (10 * G_TIME_SPAN_SECOND)

static void hub_probe_dial(Hub *hub);

static gboolean
hub_probe_again(gpointer data)
{
    Hub *hub = data;

    hub->retry = 0;
    if (hub->state == HUB_REFUSED)
        hub_probe_dial(hub); /* it stays refused until it is not */
    else
        hub_connect(hub);
    return G_SOURCE_REMOVE;
}

static void
hub_probe_later(Hub *hub, gboolean refused)
{
    gint64 delay = backoff_next(&hub->backoff, refused, g_random_double());

    hub->retry = g_timeout_add((guint)(delay / 1000), hub_probe_again, hub);
}

static void
hub_probe_failed(Hub *hub, const GError *error)
{
    hub_try_elsewhere(hub);
    hub_probe_later(hub, error->code == STREAMD_ERROR_PROXY_REFUSED);
    hub_set_state(hub, HUB_DISCONNECTED, error->message);
}

static void
hub_reached(Hub *hub)
{
    hub->unsure = FALSE;
    hub->backoff.failures = 0;
    hub_set_state(hub, HUB_CONNECTED, NULL);
    hub_look_at_pending(hub);
}

static void hub_note_refused(Hub *hub, const GError *error);

/* That it knows no such device is said only to whom the hub knows. What says nothing of the
 * identity leaves it unsure. */
static void
hub_asked(Connection *connection, const HttpAnswer *answer, const GError *error, void *data)
{
    Hub *hub = data;
    g_autoptr(GError) refusal = NULL;
    Reason reason;

    hub->ask = NULL;
    connection_free(connection);
    if (error) {
        hub_probe_failed(hub, error);
        return;
    }
    (void)service_answer_check(&answer->head, &reason, &refusal);
    if (!refusal || refusal->code == STREAMD_ERROR_NOT_FOUND) {
        hub_reached(hub);
    } else if (refusal->code == STREAMD_ERROR_UNAUTHORIZED || refusal->code == STREAMD_ERROR_BUSY) {
        refusal->code = STREAMD_ERROR_UNAUTHORIZED; /* BUSY: it was refused before */
        hub_note_refused(hub, refusal);
    } else {
        hub_probe_failed(hub, refusal);
    }
}

/* Where the identity was refused, to be reached says too little: the hub is asked with it. */
static void
hub_ask(Hub *hub, Connection *connection)
{
    GString *request = service_request_nobody(hub->parts, ASK_LIMIT);

    if (!request) {
        connection_free(connection);
        hub_set_state(hub, HUB_REFUSED, "cannot make a request from this identity");
        return;
    }
    hub->ask = http_exchange_new(hub->context.runtime, runtime_pick(hub->context.runtime),
                                 connection, request, ASK_LIMIT, hub_asked, hub);
}

static void
hub_probed(Connection *connection, const GError *error, void *data)
{
    Hub *hub = data;

    hub->probe = NULL;
    if (error) {
        hub_probe_failed(hub, error);
        return;
    }
    if (hub->unsure) {
        hub_ask(hub, connection);
        return;
    }
    connection_free(connection);
    hub_reached(hub);
}

static void
hub_probe_dial(Hub *hub)
{
    ServiceOpenOptions way = {0};

    hub_fill_open(hub, &way);
    hub->probe = dial_new(way.runtime, runtime_pick(way.runtime), way.host, way.port, way.tls,
                          way.proxy, hub_probed, hub);
}

void
hub_probe_start(Hub *hub)
{
    if (hub->probe || hub->ask)
        return;
    hub_probe_stop(hub);
    hub_probe_dial(hub);
    if (hub->state != HUB_CONNECTED)
        hub_set_state(hub, HUB_CONNECTING, NULL);
}

void
hub_probe_stop(Hub *hub)
{
    g_clear_pointer(&hub->probe, dial_cancel);
    g_clear_pointer(&hub->ask, http_exchange_cancel);
    if (hub->retry)
        g_source_remove(hub->retry);
    hub->retry = 0;
}

GError *
hub_explain(const Hub *hub, const GError *error)
{
    g_autofree char *cure = NULL;

    if (!g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED) ||
        hub_role(hub) != HUB_ROLE_SERVICE)
        return g_error_copy(error);
    cure = hub->source
               ? g_strdup_printf("change its key in %s and reload", hub->source)
               : g_strdup_printf("'streamctl hub set %s --shared-access-key-file FILE' sets "
                                 "another key",
                                 hub->name);
    return g_error_new(
        STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED,
        "the user \"%s\" was revoked or its key is no longer valid at hub %s: %s; or "
        "it may not connect to devices, or our clock is wrong by minutes",
        hub->identity, hub->parts->host, cure);
}

static void
hub_note_refused(Hub *hub, const GError *error)
{
    g_autoptr(GError) words = hub_explain(hub, error);

    hub->unsure = TRUE;
    hub->backoff.failures = MAX(hub->backoff.failures, REFUSED_FAILURES);
    if (hub->wanted && !hub->probe && !hub->ask && !hub->retry)
        hub_probe_later(hub, TRUE);
    hub_set_state(hub, HUB_REFUSED, words->message);
}

static void
hub_note_lost(Hub *hub, const GError *error)
{
    if (hub->wanted && !hub->probe && !hub->ask && !hub->retry)
        hub_probe_later(hub, error->code == STREAMD_ERROR_PROXY_REFUSED);
    hub_set_state(hub, HUB_DISCONNECTED, error->message);
    hub_try_elsewhere(hub);
}

/* Only errors about the hub itself change its state, not for example an offline device. */
void
hub_note(Hub *hub, const GError *error)
{
    if (error && error->domain == STREAMD_ERROR && error->code == STREAMD_ERROR_CANCELLED)
        return;
    if (error &&
        (error->code == STREAMD_ERROR_UNREACHABLE || error->code == STREAMD_ERROR_UNTRUSTED ||
         error->code == STREAMD_ERROR_PROTOCOL || error->code == STREAMD_ERROR_PROXY_REFUSED)) {
        hub_note_lost(hub, error);
    } else if (error && error->code == STREAMD_ERROR_UNAUTHORIZED) {
        hub_note_refused(hub, error);
    } else if (!error ||
               (error->code != STREAMD_ERROR_TIMED_OUT && error->code != STREAMD_ERROR_BUSY)) {
        hub_reached(hub);
    }
}

void
hub_set_first_stream(Hub *hub, guint64 first)
{
    hub->first_stream = first;
}

gboolean
hub_opens_stream(const Hub *hub, guint64 id)
{
    return id >= hub->first_stream;
}
