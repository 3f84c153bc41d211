/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/device-link.h"

#include "common/base/error.h"
#include "daemon/net/keep-alive.h"

/* When the network changes, an attempt that is older than this was made on the old network. */
#define STALE_ATTEMPT (1 * G_TIME_SPAN_SECOND)
#define HURRY_MAX 250 /* ms */

/* A certificate that ends soon: the files are looked at no more often. */
#define DEVICE_CERTIFICATE_LEAST (75 * G_TIME_SPAN_SECOND)

struct DeviceLink {
    Runtime *runtime;
    DeviceSessionOptions options;
    DeviceSession *session; /* the session that is up or connecting */
    DeviceSession *heir;    /* renewal: takes over when it is connected */
    Backoff backoff;
    KeepAlive keep_alive;
    gboolean died_idle; /* the last session did; the next shows if its pause was too long */
    char *refusal; /* why the hub refused the identity; NULL: not since the hub last accepted it */
    gint64 tried_at, ready_since;
    gboolean slow;        /* it waits for long, because it is refused or disputed */
    gboolean new_key;     /* no connection was begun since the key has changed */
    guint retry, renewal; /* timers */
    gint64 retry_at;      /* monotonic: when that is due */
    const DeviceLinkEvents *events;
    void *data;
};

static void device_link_try(DeviceLink *link);
static void device_link_renew_in(DeviceLink *link, gint64 delay);

static void
clear_timer(guint *timer)
{
    if (*timer)
        g_source_remove(*timer);
    *timer = 0;
}

static void
device_link_tell(DeviceLink *link, HubState state, const char *error)
{
    link->events->state(link, state, error, link->data);
}

static gboolean
device_link_retry(gpointer data)
{
    DeviceLink *link = data;

    link->retry = 0;
    device_link_try(link);
    return G_SOURCE_REMOVE;
}

/* After a refusal the hub answers the next attempts with "wait". The state stays refused. */
static void
device_link_note_refusal(DeviceLink *link, const char *refusal)
{
    g_free(link->refusal);
    link->refusal = g_strdup(refusal);
}

static gint64
device_link_delay(DeviceLink *link, gboolean rarely)
{
    gint64 usual = backoff_next(&link->backoff, rarely, g_random_double());
    gint64 disputed =
        backoff_next_disputed(&link->backoff, g_get_monotonic_time(), g_random_double());
    gboolean awaited = !rarely && disputed == 0 && link->events->awaited(link, link->data);

    link->slow = rarely || disputed > 0;
    if (awaited)
        return MIN(usual, DEVICE_LINK_AWAITED);
    return MAX(usual, disputed); /* a macro: it would count a failure twice */
}

static void
device_link_lost(DeviceLink *link, const GError *error)
{
    gboolean waits = g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_BUSY) && link->refusal;
    gboolean refused = waits || g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED);
    gboolean rarely = refused || g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_PROXY_REFUSED);
    gint64 delay;

    if (link->ready_since > 0)
        backoff_lasted(&link->backoff, g_get_monotonic_time() - link->ready_since);
    link->ready_since = 0;
    clear_timer(&link->renewal);
    delay = device_link_delay(link, rarely);
    link->retry_at = g_get_monotonic_time() + delay;
    link->retry = g_timeout_add((guint)(delay / 1000), device_link_retry, link);
    if (refused && !waits)
        device_link_note_refusal(link, error->message);
    device_link_tell(link, refused ? HUB_REFUSED : HUB_DISCONNECTED,
                     waits ? link->refusal : error->message);
}

/* The hub was reachable all the time: something between us had dropped the connection. */
static void
device_link_note_death(DeviceLink *link, DeviceSession *session)
{
    if (link->died_idle && link->backoff.failures <= 1) {
        keep_alive_died(&link->keep_alive, g_get_monotonic_time());
        device_session_set_pause(session, link->keep_alive.pause);
        g_debug("an idle link did not last; the next pause is %u s", link->keep_alive.pause);
    }
    link->died_idle = FALSE;
}

/* How long the present connection is good for: that of a token; or what the certificate has left,
 * in whose last minute another one may come at any time. */
static gint64
device_link_life(const DeviceLink *link)
{
    gint64 life = link->options.token_life * G_TIME_SPAN_SECOND;
    gint64 left;

    if (!link->options.own)
        return life;
    left = own_certificate_end(link->options.own) * G_TIME_SPAN_SECOND - g_get_real_time();
    return CLAMP(left, DEVICE_CERTIFICATE_LEAST, MAX(life, DEVICE_CERTIFICATE_LEAST));
}

static void
device_link_session_ready(DeviceSession *session, void *data)
{
    DeviceLink *link = data;

    device_link_note_death(link, session);
    device_link_note_refusal(link, NULL);
    if (session == link->heir) {
        device_session_free(link->session);
        link->session = g_steal_pointer(&link->heir);
    }
    if (link->ready_since == 0)
        link->ready_since = g_get_monotonic_time();
    if (link->new_key)
        device_link_use_key(link);
    else
        device_link_renew_in(link, device_link_life(link) / 5 * 4);
    device_link_tell(link, HUB_CONNECTED, NULL);
}

static void
device_link_session_request(DeviceSession *session, const StreamRequest *request, void *data)
{
    DeviceLink *link = data;

    link->events->request(link, request, link->data);
}

static void
device_link_session_notice(DeviceSession *session G_GNUC_UNUSED, const Notice *notice, void *data)
{
    DeviceLink *link = data;

    link->events->notice(link, notice, link->data);
}

/* While the successor is connecting, the end of the old session is the hub's answer to the new
 * CONNECT. */
static void
device_link_session_closed(DeviceSession *session, const GError *error, void *data)
{
    DeviceLink *link = data;

    if (session == link->heir) {
        g_clear_pointer(&link->heir, device_session_free);
        if (link->session)
            device_link_renew_in(link, backoff_next(&link->backoff, FALSE, g_random_double()));
        else
            device_link_lost(link, error);
        return;
    }
    link->died_idle = device_session_died_idle(session);
    if (device_session_was_taken_over(session))
        link->events->taken_over(link, link->data);
    g_clear_pointer(&link->session, device_session_free);
    if (!link->heir)
        device_link_lost(link, error);
}

static void
device_link_session_survived(DeviceSession *session, void *data)
{
    DeviceLink *link = data;

    /* Only a new connection can tell the hub the longer pause, as at a renewal. */
    if (session == link->session && keep_alive_survived(&link->keep_alive, g_get_monotonic_time()))
        device_link_renew_in(link, 0);
}

static void
device_link_session_key(DeviceSession *session, const KeyOffer *offer, void *data)
{
    DeviceLink *link = data;

    link->events->key(link, offer, link->data);
}

static const DeviceSessionEvents session_events = {
    .ready = device_link_session_ready,
    .request = device_link_session_request,
    .notice = device_link_session_notice,
    .key = device_link_session_key,
    .survived = device_link_session_survived,
    .closed = device_link_session_closed,
};

static DeviceSession *
device_link_dial(DeviceLink *link)
{
    DeviceSessionOptions options = link->options;

    options.keep_alive = link->keep_alive.pause;
    link->new_key = FALSE;
    if (options.own)
        options.tls = own_certificate_tls(options.own);
    link->tried_at = g_get_monotonic_time();
    return device_session_new(link->runtime, &options, &session_events, link);
}

static gboolean
device_link_renew(gpointer data)
{
    DeviceLink *link = data;

    link->renewal = 0;
    if (!link->heir)
        link->heir = device_link_dial(link);
    return G_SOURCE_REMOVE;
}

static void
device_link_renew_in(DeviceLink *link, gint64 delay)
{
    clear_timer(&link->renewal);
    link->renewal = g_timeout_add((guint)(delay / 1000), device_link_renew, link);
}

static void
device_link_try(DeviceLink *link)
{
    clear_timer(&link->retry);
    link->session = device_link_dial(link);
    device_link_tell(link, HUB_CONNECTING, NULL);
}

DeviceLink *
device_link_new(Runtime *runtime, const DeviceSessionOptions *options,
                const DeviceLinkEvents *events, void *data)
{
    DeviceLink *link = g_new0(DeviceLink, 1);

    link->runtime = runtime;
    link->options = *options;
    keep_alive_init(&link->keep_alive, options->keep_alive);
    link->events = events;
    link->data = data;
    return link;
}

static void
device_link_drop(DeviceLink *link)
{
    clear_timer(&link->retry);
    clear_timer(&link->renewal);
    g_clear_pointer(&link->session, device_session_free);
    g_clear_pointer(&link->heir, device_session_free);
    link->ready_since = 0;
}

void
device_link_free(DeviceLink *link)
{
    if (!link)
        return;
    device_link_drop(link);
    g_free(link->refusal);
    g_free(link);
}

void
device_link_start(DeviceLink *link)
{
    if (!link->session && !link->heir)
        device_link_try(link);
}

void
device_link_stop(DeviceLink *link)
{
    device_link_drop(link);
    link->backoff = (Backoff){0};
    device_link_note_refusal(link, NULL);
    device_link_tell(link, HUB_DISCONNECTED, NULL);
}

void
device_link_dispute(DeviceLink *link)
{
    backoff_dispute(&link->backoff, g_get_monotonic_time());
}

void
device_link_probe(DeviceLink *link)
{
    if (link->session)
        device_session_probe(link->session, DEVICE_PROBE);
}

void
device_link_probe_soon(DeviceLink *link)
{
    if (link->session)
        device_session_probe(link->session, DEVICE_LINK_WAITED_FOR);
}

static void
device_link_again(DeviceLink *link)
{
    g_clear_pointer(&link->session, device_session_free);
    clear_timer(&link->retry);
    link->backoff.failures = 0;
    link->retry = g_timeout_add((guint)g_random_int_range(0, HURRY_MAX), device_link_retry, link);
}

/* Tries again soon what waits or hangs; at a random time, so that a site's devices do not all come
 * at once. */
static void
device_link_try_anew(DeviceLink *link)
{
    gboolean stale = g_get_monotonic_time() - link->tried_at >= STALE_ATTEMPT;

    if (!link->session || stale)
        device_link_again(link);
}

void
device_link_network_changed(DeviceLink *link)
{
    keep_alive_init(&link->keep_alive, link->options.keep_alive);
    if (link->session && device_session_is_ready(link->session)) {
        device_session_set_pause(link->session, link->keep_alive.pause);
        device_session_probe(link->session, DEVICE_LINK_PROBE);
    } else if (!link->heir && (link->session || link->retry)) {
        device_link_try_anew(link);
    }
}

void
device_link_hurry(DeviceLink *link)
{
    if (!link->retry || link->slow ||
        link->retry_at - g_get_monotonic_time() <= DEVICE_LINK_AWAITED)
        return;
    clear_timer(&link->retry);
    link->retry = g_timeout_add((guint)g_random_int_range(0, HURRY_MAX), device_link_retry, link);
}

void
device_link_certificate_changed(DeviceLink *link)
{
    gboolean trying = link->heir || link->session || link->retry;

    g_clear_pointer(&link->heir, device_session_free);
    if (link->session && device_session_is_ready(link->session))
        device_link_renew_in(link, 0);
    else if (trying)
        device_link_again(link);
}

gboolean
device_link_publish(DeviceLink *link, const char *topic)
{
    return link->session && device_session_publish(link->session, topic);
}

/* At a random time, so that the devices of a fleet do not all come at once. */
void
device_link_use_key(DeviceLink *link)
{
    link->new_key = TRUE;
    if (link->session && device_session_is_ready(link->session))
        device_link_renew_in(link, g_random_int_range(0, (gint32)DEVICE_LINK_KEY_WAIT));
}

void
device_link_set_way(DeviceLink *link, const char *host, guint16 port)
{
    link->options.host = host;
    link->options.port = port;
}
