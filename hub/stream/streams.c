/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/streams.h"

#include "common/log/events.h"
#include "hub/edge/answer.h"
#include "hub/stream/streams-private.h"
#include "hub/stream/tell.h"

#include <string.h>

#define BEARER "Bearer "

static void streams_changed(HubStream *stream, HubStreamState before, void *data);

Streams *
streams_new(const StreamsNeeds *needs)
{
    Streams *streams = g_new0(Streams, 1);

    streams->world.needs = *needs;
    streams->world.tokens = token_store_new();
    streams->world.changed = streams_changed;
    streams->world.data = streams;
    streams->devices_back_by = clock_now() + needs->settings->device_return_time;
    streams->tick.func = stream_scopes_on_tick;
    streams->devices = by_device_new();
    streams->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, stream_account_free);
    return streams;
}

void
streams_free(Streams *streams)
{
    GHashTableIter iter;
    gpointer value;

    if (!streams)
        return;
    clock_clear(streams->world.needs.clock, &streams->tick);
    by_device_iter(streams->devices, &iter);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        while (((StreamDevice *)value)->streams.head) {
            HubStream *stream = ((StreamDevice *)value)->streams.head->data;

            g_queue_unlink(&((StreamDevice *)value)->streams, &stream->by_device);
            stream_tell_end(stream);
            hub_stream_free(stream);
        }
    while (streams->ended.head) {
        HubStream *stream = streams->ended.head->data;

        g_queue_unlink(&streams->ended, &stream->by_age);
        stream_tell_end(stream);
        hub_stream_free(stream);
    }
    by_device_free(streams->devices);
    g_hash_table_unref(streams->accounts);
    token_store_free(streams->world.tokens);
    g_free(streams->world.authority);
    g_free(streams->world.hub);
    g_free(streams);
}

void
streams_set_address(Streams *streams, const char *authority, const char *hub)
{
    g_free(streams->world.authority);
    g_free(streams->world.hub);
    streams->world.authority = g_strdup(authority);
    streams->world.hub = g_strdup(hub);
}

static StreamAccount *
account_entry(Streams *streams, const char *policy)
{
    StreamAccount *account = g_hash_table_lookup(streams->accounts, policy);

    if (account)
        return account;
    account = stream_account_new(policy, streams->world.needs.settings, clock_now());
    g_hash_table_insert(streams->accounts, account->name, account);
    return account;
}

/* The legs that the stream had before, or an earlier try to lead it back: the hub may not notice
 * for the time of a silence that they are lost, and what takes their place is no stream more. NULL:
 * there are none, or OPENING leads nothing back. */
static const HubStream *
device_replaced(const StreamDevice *device, const StreamAccount *account,
                const StreamOpening *opening)
{
    const char *id;

    if (!opening->resume || !opening->resume->resumes)
        return NULL;
    id = opening->resume->ask.id;
    for (GList *link = device->streams.head; link; link = link->next) {
        const HubStream *stream = link->data;

        if (stream->account == account &&
            (strcmp(stream->id, id) == 0 ||
             (stream->resume.resumes && strcmp(stream->resume.ask.id, id) == 0)))
            return stream;
    }
    return NULL;
}

/* How many of the device's streams are the account's, and how many of these are not open yet; all
 * but EXCEPT. */
static void
device_count(const StreamDevice *device, const StreamAccount *account, const HubStream *except,
             guint *ret_all, guint *ret_pending)
{
    *ret_all = *ret_pending = 0;
    for (GList *link = device->streams.head; link; link = link->next) {
        const HubStream *stream = link->data;

        if (stream->account != account || stream == except)
            continue;
        (*ret_all)++;
        *ret_pending += stream->state < STREAM_OPEN ? 1 : 0;
    }
}

/* Which limit is reached, or NULL (R10). */
static const char *
limit_reached(Streams *streams, const StreamDevice *device, StreamAccount *account,
              const StreamOpening *opening)
{
    const Settings *settings = streams->world.needs.settings;
    const HubStream *replaced = device_replaced(device, account, opening);
    const guint spared = replaced ? 1 : 0;
    guint all, pending;

    if (streams->live - spared >= settings->streams_max)
        return "The hub is at its limit of streams.";
    if (device->streams.length - spared >= settings->streams_per_device)
        return "The device is at its limit of streams.";
    if (device->pending - (replaced && replaced->state < STREAM_OPEN ? 1 : 0) >=
        settings->pending_per_device)
        return "The device is at its limit of waiting streams.";
    device_count(device, account, replaced, &all, &pending);
    if (all >= settings->streams_per_user_and_device)
        return "This user is at the limit of streams to this device.";
    if (pending >= settings->pending_per_user_and_device)
        return "This user is at the limit of waiting streams to this device.";
    if (opening->resume && opening->resume->resumes)
        return stream_account_resume(account, replaced != NULL, settings, clock_now(),
                                     g_get_real_time());
    return stream_account_limit(account, settings, clock_now(), g_get_real_time());
}

/* How long a stream waits for a device that is away: as long as the request says. Shortly after the
 * hub's start, when the device may be reconnecting, up to the time for an answer is added. */
static gint64
opening_wait(const Streams *streams, const StreamOpening *opening)
{
    gint64 own = opening->connect_timeout + opening->response_timeout;

    return MAX(opening->connect_timeout, MIN(own, streams->devices_back_by - clock_now()));
}

static void
stream_begin(Streams *streams, Request *post, const StreamOpening *opening, StreamDevice *device,
             StreamAccount *account)
{
    gint64 wait = opening_wait(streams, opening);
    HubStream *stream = hub_stream_new(&streams->world, post, opening, wait);

    stream->owner = device;
    stream->account = account;
    g_queue_push_tail_link(&device->streams, &stream->by_device);
    device->pending++;
    account->live++;
    stream_scopes_watch(streams, account);
    streams->live++;
    stream->number = ++streams->total;
    g_queue_push_tail_link(&streams->running, &stream->by_number);
    stream_tell_asked(stream);
    if (devices_is_online(streams->world.needs.devices, stream->client_id))
        hub_stream_input(stream, STREAM_SUBSCRIBED, NULL);
    else if (wait <= 0)
        hub_stream_input(stream, STREAM_CONNECT_TIMEOUT, NULL);
}

static void
device_settle(Streams *streams, StreamDevice *device)
{
    by_device_settle(streams->devices, device,
                     devices_is_connected(streams->world.needs.devices, device->client_id),
                     clock_now());
}

void
streams_open(Streams *streams, Request *post, const StreamOpening *opening)
{
    g_autofree char *client_id = opening->module
                                     ? g_strdup_printf("%s/%s", opening->device, opening->module)
                                     : g_strdup(opening->device);
    gboolean resumes = opening->resume && opening->resume->resumes;
    StreamDevice *device;
    StreamAccount *account;
    const char *limit;

    /* What is led back is no new stream. */
    if (streams->stopping || (streams->draining && !resumes)) {
        post->reason = REASON_HUB_STOPPING;
        rest_answer_error(post, REST_UNAVAILABLE, NULL);
        return;
    }
    device = by_device_entry(streams->devices, client_id);
    account = account_entry(streams, opening->policy);
    stream_account_set_scope(account, opening->scope);
    limit = limit_reached(streams, device, account, opening);
    if (!limit) {
        stream_begin(streams, post, opening, device, account);
        return;
    }
    event_log(EVENT_LIMIT_REACHED, &(EventData){.device = client_id,
                                                .initiator = opening->policy,
                                                .peer = post->peer,
                                                .detail = limit});
    device_settle(streams, device);
    post->reason = REASON_LIMIT;
    rest_answer_error(post, REST_THROTTLED, limit);
}

/* The stream has ended, and has no bridge any more. */
static void
stream_rests(Streams *streams, HubStream *stream)
{
    if (stream->relay || !stream->by_number.data)
        return;
    for (guint i = 0; i < LEG_SIDES; i++)
        streams->bytes[i] += atomic_load_explicit(&stream->meter.bytes[i], memory_order_relaxed);
    g_queue_unlink(&streams->running, &stream->by_number);
    stream->by_number.data = NULL;
}

/* An ended stream stays while its bridge delivers, and while a leg may still come. */
static void
stream_dispose(Streams *streams, HubStream *stream)
{
    gboolean late = clock_now() >= stream->tokens_until;
    gboolean wanted = stream->relay || (!late && hub_stream_has_tokens(stream));

    if (wanted)
        return;
    g_queue_unlink(&streams->ended, &stream->by_age);
    hub_stream_free(stream);
}

static void
ended_trim(Streams *streams)
{
    GList *link = streams->ended.head;

    while (link && streams->ended.length > STREAMS_ENDED_MAX) {
        HubStream *stream = link->data;

        link = link->next;
        if (stream->relay)
            continue;
        g_queue_unlink(&streams->ended, &stream->by_age);
        hub_stream_free(stream);
    }
}

static void
streams_check_empty(Streams *streams)
{
    if (streams->live == 0 && streams->closing == 0 && streams->empty) {
        void (*empty)(void *data) = g_steal_pointer(&streams->empty);

        empty(streams->empty_data);
    }
}

static void
stream_ended(Streams *streams, HubStream *stream)
{
    StreamDevice *device = stream->owner;

    g_debug("stream %s to %s ended when %s: %s", stream->id, stream->client_id,
            hub_stream_state_name(stream->ended_in), reason_code(stream->reason));
    g_queue_unlink(&device->streams, &stream->by_device);
    g_queue_push_tail_link(&streams->ended, &stream->by_age);
    streams->live--;
    streams->ended_for[stream_end_reason(stream)]++;
    (void)stream_scopes_count(stream);
    if (stream->resume.resumes && stream->rejection == REASON_RESUME_UNKNOWN)
        stream_account_charge(stream->account);
    ((StreamAccount *)stream->account)->live--;
    if (stream->relay) {
        stream->closing = TRUE;
        streams->closing++;
    }
    device_settle(streams, device);
    stream->owner = NULL;
    stream->account = NULL;
    stream_rests(streams, stream);
    stream_dispose(streams, stream);
    ended_trim(streams);
}

/* Once its device has answered. */
static void
resumption_count(Streams *streams, const HubStream *stream, HubStreamState before)
{
    if (!stream->resume.resumes || before != STREAM_ASKED)
        return;
    if (stream->state == STREAM_ACCEPTED)
        streams->resumed++;
    else if (stream->state == STREAM_ENDED && stream->rejection != REASON_NONE)
        streams->resume_refused[stream->rejection]++;
}

static void
streams_changed(HubStream *stream, HubStreamState before, void *data)
{
    Streams *streams = data;
    gboolean was_pending = before < STREAM_OPEN;
    gboolean is_pending = stream->state < STREAM_OPEN;

    stream_tell(stream, before);
    resumption_count(streams, stream, before);
    if (was_pending && !is_pending)
        stream->owner->pending--;
    if (stream->state == STREAM_ENDED && before != STREAM_ENDED) {
        stream_ended(streams, stream);
    } else if (stream->state == STREAM_ENDED) {
        if (stream->closing && !stream->relay) {
            stream->closing = FALSE;
            streams->closing--;
        }
        stream_rests(streams, stream);
        stream_dispose(streams, stream);
    }
    streams_check_empty(streams);
}

/* Whether the path names the device, stream and side that the token was made for. */
static gboolean
path_fits(const RouteMatch *match, const HubStream *stream, LegSide side)
{
    return g_strcmp0(match->parts[ROUTE_DEVICE], stream->device) == 0 &&
           g_strcmp0(match->parts[ROUTE_STREAM_ID], stream->id) == 0 &&
           g_strcmp0(match->parts[ROUTE_SIDE], side == LEG_DEVICE ? "device" : "service") == 0;
}

void
streams_leg(Streams *streams, Request *request)
{
    const char *field = request->authorization;
    gsize prefix = strlen(BEARER);
    Token *token = NULL;

    if (field && g_ascii_strncasecmp(field, BEARER, prefix) == 0)
        token =
            token_find(streams->world.tokens, field + prefix, strlen(field + prefix), clock_now());
    if (!token || !path_fits(&request->match, token->owner, token->side)) {
        hub_stream_refuse_leg(&streams->world, request);
        return;
    }
    hub_stream_leg(token->owner, token->side, request);
}

/* What a device says of a leg that it has lost and that survives: this hub may have seen the loss,
 * or is a process that had never known of the leg. No refusal has these reasons. */
static gboolean
answer_is_of_a_lost_leg(const StreamAnswer *answer)
{
    return !answer->accepted &&
           (answer->reason == REASON_CUT || answer->reason == REASON_SILENT ||
            answer->reason == REASON_HUB_STOPPING || answer->reason == REASON_NOT_PAIRED);
}

void
streams_answer(Streams *streams, const char *client_id, const StreamAnswer *answer)
{
    StreamDevice *device = by_device_find(streams->devices, client_id);
    HubStream *stream = NULL;
    guint64 rid = 0;

    if (device && g_ascii_string_to_unsigned(answer->rid, 10, 1, RID_CAPABLE_MAX, &rid, NULL))
        stream = stream_device_by_rid(device, rid);
    if (stream && hub_stream_is_meant(stream, answer))
        hub_stream_answered(stream, answer);
    else if (!answer_is_of_a_lost_leg(answer))
        streams->world.ignored++;
}

static gboolean
stream_is_of(const HubStream *stream, const char *device, const char *module)
{
    gsize len = strlen(stream->device);

    if (strcmp(stream->device, device) != 0)
        return FALSE;
    return !module ||
           (stream->client_id[len] == '/' && strcmp(stream->client_id + len + 1, module) == 0);
}

static gboolean
stream_is_to(const HubStream *stream, const char *client_id, const char *unused G_GNUC_UNUSED)
{
    return strcmp(stream->client_id, client_id) == 0;
}

static gboolean
stream_is_by(const HubStream *stream, const char *policy, const char *unused G_GNUC_UNUSED)
{
    return strcmp(stream->policy, policy) == 0;
}

/* One that survives is closed at once: it goes on at the next hub. */
static gboolean
stream_is_at_once(const HubStream *stream, const char *a G_GNUC_UNUSED, const char *b G_GNUC_UNUSED)
{
    if (stream->state == STREAM_OPEN && (stream->agreed & CAP_RESUME))
        return TRUE;
    return !(stream_table_look(stream->state, STREAM_HUB_STOPS)->actions & STREAM_AFTER_GRACE);
}

static gboolean
stream_is_any(const HubStream *stream, const char *a G_GNUC_UNUSED, const char *b G_GNUC_UNUSED)
{
    return TRUE;
}

/* Ending a stream changes the tables: so a list is made first. No end ends another stream. */
void
streams_each(Streams *streams, StreamTest test, const char *a, const char *b, StreamInput input,
             RestError error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    by_device_iter(streams->devices, &iter);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        for (GList *link = ((StreamDevice *)value)->streams.head; link; link = link->next)
            if (test(link->data, a, b))
                g_ptr_array_add(found, link->data);
    for (guint i = 0; i < found->len; i++) {
        HubStream *stream = found->pdata[i];

        stream->error = error;
        hub_stream_input(stream, input, NULL);
    }
}

static void
device_each(StreamDevice *device, StreamInput input)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    for (GList *link = device->streams.head; link; link = link->next)
        g_ptr_array_add(found, link->data);
    for (guint i = 0; i < found->len; i++)
        hub_stream_input(found->pdata[i], input, NULL);
}

void
streams_subscribed(Streams *streams, const char *client_id)
{
    StreamDevice *device = by_device_find(streams->devices, client_id);

    if (device)
        device_each(device, STREAM_SUBSCRIBED);
}

void
streams_link_lost(Streams *streams, const char *client_id)
{
    StreamDevice *device = by_device_find(streams->devices, client_id);

    if (!device)
        return;
    device_each(device, STREAM_LINK_LOST);
    device_settle(streams, device);
}

void
streams_revoke_device(Streams *streams, const char *device, const char *module, RestError error)
{
    streams_each(streams, stream_is_of, device, module, STREAM_REVOKED, error);
}

void
streams_revoke_client(Streams *streams, const char *client_id, RestError error)
{
    streams_each(streams, stream_is_to, client_id, NULL, STREAM_REVOKED, error);
}

void
streams_revoke_policy(Streams *streams, const char *policy)
{
    streams_each(streams, stream_is_by, policy, NULL, STREAM_REVOKED, REST_UNAUTHORIZED_ACCESS);
    /* Streams keep a pointer to an account only until they have ended. */
    g_hash_table_remove(streams->accounts, policy);
}

HubStream *
streams_find(Streams *streams, const char *id)
{
    for (GList *link = streams->running.head; link; link = link->next)
        if (strcmp(((HubStream *)link->data)->id, id) == 0)
            return link->data;
    return NULL;
}

HubStream *
streams_next(Streams *streams, guint64 number)
{
    GList *link = streams->running.head;

    while (link && ((HubStream *)link->data)->number <= number)
        link = link->next;
    return link ? link->data : NULL;
}

gboolean
streams_close(Streams *streams, const char *id)
{
    HubStream *stream = streams_find(streams, id);

    if (!stream || stream->state == STREAM_ENDED)
        return FALSE;
    if (stream->post)
        stream->rejection = REASON_CLOSED_BY_OPERATOR; /* what the POST is told */
    hub_stream_input(stream, STREAM_OPERATOR_CLOSES, NULL);
    return TRUE;
}

void
streams_drain(Streams *streams, gboolean draining)
{
    streams->draining = draining;
}

gboolean
streams_is_draining(Streams *streams)
{
    return streams->draining;
}

void
streams_stop(Streams *streams, void (*empty)(void *data), void *data)
{
    streams->stopping = TRUE;
    streams->empty = empty;
    streams->empty_data = data;
    streams_each(streams, stream_is_at_once, NULL, NULL, STREAM_HUB_STOPS, REST_UNAVAILABLE);
    streams_check_empty(streams);
}

void
streams_cut(Streams *streams)
{
    streams_each(streams, stream_is_any, NULL, NULL, STREAM_HUB_STOPS, REST_UNAVAILABLE);
}

guint
streams_count(Streams *streams)
{
    return streams->live;
}

guint64
streams_total(Streams *streams)
{
    return streams->total;
}

guint64
streams_ignored(Streams *streams)
{
    return streams->world.ignored;
}
