/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/stream/stream.h"

#include "hub/edge/answer.h"

#include <string.h>
#include <unistd.h>

#define PLAIN_CLOSE_TEXT "WS disconnected" /* the text that Azure uses */

static void hub_stream_leg_lost(Leg *leg, void *data);
static void hub_stream_leg_taken(Leg *leg, void *data);
static void hub_stream_relay_ended(Relay *relay, Reason reason, void *data);

static const LegEvents leg_events = {.lost = hub_stream_leg_lost, .taken = hub_stream_leg_taken};

static void
hub_stream_timer_fired(Timer *timer)
{
    HubStream *stream = CONTAINER_OF(timer, HubStream, timer);

    hub_stream_input(
        stream, stream->state == STREAM_WAITING ? STREAM_CONNECT_TIMEOUT : STREAM_RESPONSE_TIMEOUT,
        NULL);
}

static void
hub_stream_deadline_fired(Timer *timer)
{
    hub_stream_input(CONTAINER_OF(timer, HubStream, deadline), STREAM_DEADLINE, NULL);
}

static void
hub_stream_post_gone(Request *request G_GNUC_UNUSED, void *data)
{
    hub_stream_input(data, STREAM_CLIENT_GONE, NULL);
}

static void
hub_stream_make_id(HubStream *stream)
{
    guint8 bytes[(STREAM_ID_SIZE - 1) / 2];

    if (getentropy(bytes, sizeof bytes) < 0)
        g_error("the kernel gives no random bytes");
    for (guint i = 0; i < sizeof bytes; i++)
        g_snprintf(stream->id + 2 * i, 3, "%02x", bytes[i]);
}

static void
hub_stream_set_timers(HubStream *stream, const StreamOpening *opening, gint64 wait)
{
    Clock *clock = stream->world->needs.clock;
    gint64 most = stream->world->needs.settings->stream_deadline;
    gint64 deadline = most;

    /* The time-outs of streamd limit the whole opening, including the legs. Other clients may mean
     * only the device's answer. */
    if (stream->extended)
        deadline = MIN(most, opening->connect_timeout + opening->response_timeout);
    stream->timer.func = hub_stream_timer_fired;
    stream->deadline.func = hub_stream_deadline_fired;
    stream->deadline_at = clock_now() + deadline;
    stream->tokens_until = clock_now() + most;
    clock_set(clock, &stream->deadline, deadline);
    if (wait < deadline)
        clock_set(clock, &stream->timer, wait);
}

/* The device has been asked: from now on everything must be done within the time for its answer. */
static void
hub_stream_tighten(HubStream *stream)
{
    gint64 deadline = clock_now() + stream->response_timeout;

    if (!stream->extended || deadline >= stream->deadline_at)
        return;
    stream->deadline_at = deadline;
    clock_set(stream->world->needs.clock, &stream->deadline, stream->response_timeout);
}

HubStream *
hub_stream_new(StreamWorld *world, Request *post, const StreamOpening *opening, gint64 wait)
{
    HubStream *stream = g_new0(HubStream, 1);

    stream->world = world;
    hub_stream_make_id(stream);
    stream->device = g_strdup(opening->device);
    stream->client_id = opening->module ? g_strdup_printf("%s/%s", opening->device, opening->module)
                                        : g_strdup(opening->device);
    stream->name = g_strdup(opening->name);
    stream->policy = g_strdup(opening->policy);
    stream->policy_keys = opening->policy_keys;
    stream->tags = registry_tags_ref(opening->tags);
    stream->from = g_strdup(post->peer);
    stream->post = post;
    stream->extended = opening->extended;
    stream->asked = opening->caps;
    stream->order = g_strdup(opening->order);
    stream_resume_copy(&stream->resume, opening->resume);
    stream->response_timeout = opening->response_timeout;
    stream->error = REST_SERVER_ERROR;
    stream->by_device.data = stream->by_age.data = stream->by_number.data = stream;
    stream->begun = clock_now();
    g_strlcpy(post->stream_id, stream->id, sizeof post->stream_id);
    post->gone = hub_stream_post_gone;
    post->data = stream;
    hub_stream_set_timers(stream, opening, wait);
    return stream;
}

static void
hub_stream_drop_tokens(HubStream *stream)
{
    for (guint i = 0; i < LEG_SIDES; i++)
        token_drop(stream->world->tokens, &stream->tokens[i]);
    explicit_bzero(stream->device_token, sizeof stream->device_token);
    stream_resume_forget_key(&stream->resume);
}

void
hub_stream_free(HubStream *stream)
{
    if (!stream)
        return;
    clock_clear(stream->world->needs.clock, &stream->timer);
    clock_clear(stream->world->needs.clock, &stream->deadline);
    hub_stream_drop_tokens(stream);
    if (stream->post) {
        stream->post->reason = REASON_HUB_STOPPING;
        rest_answer_error(stream->post, REST_UNAVAILABLE, NULL);
    }
    for (guint i = 0; i < LEG_SIDES; i++)
        leg_close(stream->legs[i], reason_close_code(REASON_HUB_STOPPING), NULL);
    if (stream->relay)
        relay_unref(stream->relay);
    g_free(stream->device);
    g_free(stream->client_id);
    g_free(stream->name);
    g_free(stream->policy);
    registry_tags_unref(stream->tags);
    g_free(stream->from);
    g_free(stream->order);
    g_free(stream->rejection_text);
    g_free(stream->rule);
    g_free(stream);
}

gboolean
hub_stream_has_tokens(const HubStream *stream)
{
    return token_is_issued(&stream->tokens[LEG_DEVICE]) ||
           token_is_issued(&stream->tokens[LEG_SERVICE]);
}

/* The capabilities that SIDE's peer shares with the hub. Before its answer, a device has those of
 * its CONNECT; because of them it was sent $streamd. */
static Caps
hub_stream_caps(const HubStream *stream, LegSide side)
{
    gboolean answered = stream->state == STREAM_ACCEPTED || stream->state == STREAM_OPEN ||
                        (stream->state == STREAM_ENDED && stream->ended_in != STREAM_ASKED);
    Caps device = answered ? stream->agreed : stream->capable;
    Caps own = side == LEG_DEVICE ? device : stream->asked;

    return (own & CAP_REASON) | (stream->agreed & stream->asked & (CAP_HALF_CLOSE | CAP_RESUME));
}

/* CODE: the close code for a plain peer. A capable one gets the code of the reason, unless LATE. */
static void
hub_stream_close_leg(HubStream *stream, Leg *leg, LegSide side, guint16 code, gboolean late)
{
    gboolean capable = hub_stream_caps(stream, side) & CAP_REASON;
    const char *plain = code == 1000 ? NULL : PLAIN_CLOSE_TEXT;

    if (capable && !late)
        code = reason_close_code(stream->reason);
    leg_close(leg, code, capable ? reason_code(stream->reason) : plain);
}

static char *
hub_stream_url(const HubStream *stream, LegSide side)
{
    return g_strdup_printf("wss://%s/bridges/ih/%s/d/%s/sid/%s/r/%s", stream->world->authority,
                           stream->world->hub, stream->device, stream->id,
                           side == LEG_DEVICE ? "device" : "service");
}

/* It may survive its legs, as far as service, device and hub can. */
static gboolean
hub_stream_may_resume(const HubStream *stream)
{
    return stream_resume_applies(stream->world->needs.settings, stream->asked, stream->capable);
}

/* Adds what a capable device is told beyond the original protocol (section 8). */
static void
hub_stream_extend(const HubStream *stream, StreamRequest *request)
{
    gint64 left = MIN(stream->deadline_at, stream->answer_by) - clock_now();

    request->deadline = -1;
    request->capable = stream->capable != 0;
    if (!request->capable)
        return;
    request->caps = CAP_REASON | (stream->capable & stream->asked & CAP_HALF_CLOSE);
    if (stream->capable & CAP_DEADLINE)
        request->deadline = MAX(left, 0) / G_TIME_SPAN_MILLISECOND;
    if (stream->capable & CAP_SID)
        request->sid = stream->id;
    if (stream->capable & CAP_INITIATOR) {
        request->initiator = stream->policy;
        request->from = stream->from;
    }
    if (stream->capable & CAP_ORDER)
        request->order = stream->order;
    if (!hub_stream_may_resume(stream))
        return;
    request->caps |= CAP_RESUME;
    request->rkey = stream->resume.key;
}

/* Sets the rid and the token of the request. They stay the same when it is sent again, unless
 * another client on the device accepts only shorter numbers. */
static void
hub_stream_name_request(HubStream *stream)
{
    gboolean capable = stream->capable != 0;

    if (stream->rid == 0 || (!capable && stream->rid > RID_PLAIN_MAX))
        stream->rid = stream_device_next_rid(stream->owner, capable, clock_now());
    if (!*stream->device_token)
        token_issue(stream->world->tokens, &stream->tokens[LEG_DEVICE], stream, LEG_DEVICE,
                    stream->tokens_until, stream->device_token);
}

/* Sends the request, perhaps again. When the device's leg is here, the device has accepted, but its
 * answer may have been lost with its connection. A device with capabilities then only repeats its
 * answer. A plain one is not asked again, because it would open a second leg. */
static void
hub_stream_request(HubStream *stream)
{
    g_autofree char *url = hub_stream_url(stream, LEG_DEVICE), *rid = NULL, *resume = NULL;
    StreamRequest request = {.name = stream->name, .url = url};
    Devices *devices = stream->world->needs.devices;
    Caps capable = devices_caps(devices, stream->client_id);

    if (stream->leg_lost[LEG_DEVICE] || (stream->legs[LEG_DEVICE] && !capable))
        return;
    stream->capable = capable;
    stream->device_keys = devices_keys(devices, stream->client_id);
    stream->unresumable = stream->resume.resumes && !hub_stream_may_resume(stream);
    if (stream->unresumable)
        return;
    hub_stream_name_request(stream);
    if (stream->answer_by == 0)
        stream->answer_by = clock_now() + stream->response_timeout;
    request.rid = rid = g_strdup_printf("%u", stream->rid);
    request.token = stream->device_token;
    hub_stream_extend(stream, &request);
    if (stream->resume.resumes)
        request.resume = resume = resume_ask_format(&stream->resume.ask, RESUME_ASK_TOPIC);
    (void)devices_request(devices, stream->client_id, &request);
}

static Request *
hub_stream_take_post(HubStream *stream)
{
    Request *post = g_steal_pointer(&stream->post);

    if (post) {
        post->gone = NULL;
        post->reason = stream->rejection != REASON_NONE ? stream->rejection : stream->reason;
    }
    return post;
}

static void
hub_stream_post_accepted(HubStream *stream)
{
    char token[TOKEN_TEXT + 1];
    g_autofree char *url = hub_stream_url(stream, LEG_SERVICE);
    RestAccepted accepted = {.url = url, .token = token, .stream_id = stream->id};

    token_issue(stream->world->tokens, &stream->tokens[LEG_SERVICE], stream, LEG_SERVICE,
                stream->tokens_until, token);
    accepted.caps = hub_stream_caps(stream, LEG_SERVICE);
    rest_answer_accepted(hub_stream_take_post(stream), &accepted);
    explicit_bzero(token, sizeof token);
}

static void
hub_stream_post_rejected(HubStream *stream)
{
    if (stream->post)
        rest_answer_rejected(hub_stream_take_post(stream), stream->id, stream->rejection,
                             stream->rejection_text);
}

static void
hub_stream_post_error(HubStream *stream, const StreamCell *cell)
{
    RestError error = cell->error ? (RestError)cell->error : stream->error;

    if (stream->post)
        rest_answer_error(hub_stream_take_post(stream), error, NULL);
}

static void
hub_stream_close_legs(HubStream *stream, const StreamCell *cell)
{
    if (stream->relay) {
        relay_close(stream->relay, stream->reason);
        return;
    }
    for (guint i = 0; i < LEG_SIDES; i++)
        if (stream->legs[i])
            hub_stream_close_leg(stream, g_steal_pointer(&stream->legs[i]), (LegSide)i,
                                 cell->close_code, FALSE);
}

static void
hub_stream_hold_leg(HubStream *stream, LegSide side, Request *request)
{
    const StreamsNeeds *needs = &stream->world->needs;

    /* Counted even beyond the user's limit: the stream itself was admitted. */
    if (side == LEG_SERVICE)
        (void)request_take_user(request, stream->policy, TRUE);
    if (side == LEG_DEVICE)
        g_strlcpy(stream->device_from, request->peer, sizeof stream->device_from);
    stream->legs[side] = leg_new(request, needs->queue, &leg_events, stream);
    stream->leg_lost[side] = FALSE;
}

/* For a stream that has ended: sends 101, then the close frame. */
static void
hub_stream_tell_leg(HubStream *stream, LegSide side, Request *request)
{
    const StreamsNeeds *needs = &stream->world->needs;
    Leg *leg = leg_new(request, needs->queue, &leg_events, stream);

    hub_stream_close_leg(stream, leg, side, 1011, TRUE);
}

static void
hub_stream_bridge(HubStream *stream)
{
    for (guint i = 0; i < LEG_SIDES; i++)
        leg_take(stream->legs[i]);
}

/* The bridge has closed both legs, or there was no bridge yet and one leg is gone. */
static void
hub_stream_drain(HubStream *stream)
{
    for (guint i = 0; i < LEG_SIDES; i++)
        if (stream->legs[i])
            hub_stream_close_leg(stream, g_steal_pointer(&stream->legs[i]), (LegSide)i, 1011,
                                 FALSE);
}

void
hub_stream_refuse_leg(const StreamWorld *world, Request *request)
{
    char *const *parts = request->match.parts;
    gboolean device = g_strcmp0(parts[ROUTE_SIDE], "device") == 0;

    refusal_log_note(world->needs.refusals,
                     &(Refused){.kind = EVENT_SERVICE_REFUSED,
                                .peer = request->peer,
                                .claimed = device ? parts[ROUTE_DEVICE] : NULL,
                                .why = "the token of the leg is unknown, used or too old"});
    request_answer(request, 401, NULL, NULL);
}

static void
hub_stream_act(HubStream *stream, const StreamCell *cell, LegSide side, Request *request)
{
    guint32 actions = cell->actions;

    if (actions & STREAM_COUNT_IGNORED)
        stream->world->ignored++;
    if (actions & STREAM_SEND_REQUEST)
        hub_stream_request(stream);
    if (actions & STREAM_POST_ACCEPTED)
        hub_stream_post_accepted(stream);
    if (actions & STREAM_POST_REJECTED)
        hub_stream_post_rejected(stream);
    if (actions & STREAM_POST_ERROR)
        hub_stream_post_error(stream, cell);
    if (actions & STREAM_LEG_HOLD)
        hub_stream_hold_leg(stream, side, request);
    if (actions & STREAM_LEG_TELL)
        hub_stream_tell_leg(stream, side, request);
    if (actions & STREAM_LEG_REFUSE)
        hub_stream_refuse_leg(stream->world, request);
    if (actions & STREAM_BRIDGE)
        hub_stream_bridge(stream);
    if (actions & STREAM_TELL_BRIDGE)
        relay_ended_by(stream->relay, LEG_DEVICE, stream->told);
    if (actions & STREAM_REMEMBER_LOSS) {
        stream->leg_lost[LEG_DEVICE] = TRUE;
        leg_close(g_steal_pointer(&stream->legs[LEG_DEVICE]), 1011, NULL);
    }
    if (actions & STREAM_REVOKE_TOKENS)
        hub_stream_drop_tokens(stream);
    if (actions & STREAM_CLOSE_LEGS)
        hub_stream_close_legs(stream, cell);
    if (actions & STREAM_DRAIN)
        hub_stream_drain(stream);
}

/* Sets and clears what depends on the state: the timers, and the device's token. */
static void
hub_stream_enter(HubStream *stream, HubStreamState before)
{
    Clock *clock = stream->world->needs.clock;

    if (stream->state == before)
        return;
    if (before == STREAM_WAITING || before == STREAM_ASKED)
        clock_clear(clock, &stream->timer);
    if (stream->state == STREAM_ASKED) {
        clock_set(clock, &stream->timer, stream->response_timeout);
        hub_stream_tighten(stream);
    }
    if (before == STREAM_ASKED) /* the request is not sent again */
        explicit_bzero(stream->device_token, sizeof stream->device_token);
    if (before == STREAM_ASKED || stream->state == STREAM_ENDED)
        stream_resume_forget_key(&stream->resume);
    if (stream->state == STREAM_OPEN)
        clock_clear(clock, &stream->deadline);
    if (stream->state == STREAM_ENDED)
        clock_set(clock, &stream->deadline, MAX(stream->tokens_until - clock_now(), 0));
}

static LegSide
input_side(StreamInput input)
{
    return input == STREAM_SERVICE_LEG || input == STREAM_SERVICE_LEG_PAIRS ? LEG_SERVICE
                                                                            : LEG_DEVICE;
}

static void
hub_stream_run(HubStream *stream, StreamInput input, LegSide side, Request *request)
{
    HubStreamState before = stream->state;
    HubStreamState column = before == STREAM_ENDED ? stream->ended_in : before;
    const StreamCell *cell = stream_table_look(column, input);

    if (before != STREAM_ENDED) {
        stream->state = cell->next;
        if (cell->next == STREAM_ENDED) {
            stream->ended_in = before;
            if (cell->reason != REASON_NONE)
                stream->reason = cell->reason;
        }
    }
    hub_stream_act(stream, cell, side, request);
    hub_stream_enter(stream, before);
    if (stream->state == STREAM_ENDED && before != STREAM_ENDED && stream->post)
        rest_answer_error(hub_stream_take_post(stream), REST_TIMED_OUT, NULL); /* nobody reads it */
    if (stream->state != before)
        stream->world->changed(stream, before, stream->world->data);
}

void
hub_stream_input(HubStream *stream, StreamInput input, Request *request)
{
    /* After the end only a late leg and the end of its tokens matter. */
    if (stream->state == STREAM_ENDED && input != STREAM_LATE_LEG) {
        if (input == STREAM_DEADLINE)
            stream->world->changed(stream, STREAM_ENDED, stream->world->data);
        return;
    }
    hub_stream_run(stream, input, input_side(input), request);
    if (input != STREAM_SUBSCRIBED || !stream->unresumable)
        return;
    stream->rejection = REASON_RESUME_UNKNOWN; /* in the name of a device that knows of none */
    hub_stream_run(stream, STREAM_ANSWER_400, LEG_DEVICE, NULL);
}

/* A device whose leg is stuck inside a frame can say only here why it has ended the stream. */
static gboolean
answer_is_end(const HubStream *stream, const StreamAnswer *answer)
{
    return stream->state == STREAM_OPEN && stream->relay && (stream->agreed & CAP_REASON) &&
           answer->reason != REASON_NONE && !reason_is_orderly(answer->reason);
}

gboolean
hub_stream_is_meant(const HubStream *stream, const StreamAnswer *answer)
{
    if (!answer->sid)
        return !(stream->capable & CAP_SID);
    return strcmp(answer->sid, stream->id) == 0;
}

void
hub_stream_answered(HubStream *stream, const StreamAnswer *answer)
{
    if (stream->state == STREAM_ASKED && !stream->rule)
        stream->rule = g_strdup(answer->rule);
    if (!answer->accepted) {
        if (stream->state == STREAM_ASKED) {
            stream->rejection = answer->reason != REASON_NONE ? answer->reason : REASON_REJECTED;
            stream->rejection_text = g_strdup(answer->reason_text);
        }
        stream->told = answer->reason;
        hub_stream_input(
            stream, answer_is_end(stream, answer) ? STREAM_ANSWER_400_TOO_LATE : STREAM_ANSWER_400,
            NULL);
        return;
    }
    if (stream->state == STREAM_ASKED)
        stream->agreed =
            stream_resume_agreed(answer->caps & stream->capable, hub_stream_may_resume(stream));
    hub_stream_input(stream,
                     stream->leg_lost[LEG_DEVICE] ? STREAM_ANSWER_200_TOO_LATE : STREAM_ANSWER_200,
                     NULL);
}

void
hub_stream_leg(HubStream *stream, LegSide side, Request *request)
{
    gboolean pairs = stream->legs[1 - side] != NULL;

    token_drop(stream->world->tokens, &stream->tokens[side]);
    if (stream->state == STREAM_ENDED)
        hub_stream_run(stream, STREAM_LATE_LEG, side, request);
    else if (side == LEG_DEVICE)
        hub_stream_input(stream, pairs ? STREAM_DEVICE_LEG_PAIRS : STREAM_DEVICE_LEG, request);
    else
        hub_stream_input(stream, pairs ? STREAM_SERVICE_LEG_PAIRS : STREAM_SERVICE_LEG, request);
}

static void
hub_stream_leg_lost(Leg *leg, void *data)
{
    HubStream *stream = data;
    LegSide side = stream->legs[LEG_DEVICE] == leg ? LEG_DEVICE : LEG_SERVICE;

    /* The leg is on its way into the bridge. The bridge will notice, after it has delivered what
     * came before. */
    if (stream->state == STREAM_OPEN)
        return;
    stream->leg_lost[side] = TRUE;
    hub_stream_input(stream, side == LEG_DEVICE ? STREAM_DEVICE_LEG_LOST : STREAM_SERVICE_LEG_LOST,
                     NULL);
}

static void
hub_stream_end_open(HubStream *stream, Reason reason)
{
    gboolean by_service = reason == REASON_SERVICE_CLOSED;

    stream->reason = reason;
    hub_stream_input(stream, by_service ? STREAM_SERVICE_LEG_LOST : STREAM_DEVICE_LEG_LOST, NULL);
}

static void
hub_stream_leg_taken(Leg *leg, void *data)
{
    HubStream *stream = data;
    const StreamsNeeds *needs = &stream->world->needs;
    BridgeLegs legs = {0};

    for (guint i = 0; i < LEG_SIDES; i++) {
        legs.legs[i] = stream->legs[i];
        legs.caps[i] = hub_stream_caps(stream, (LegSide)i);
        stream->leg_taken[i] = stream->leg_taken[i] || stream->legs[i] == leg;
    }
    if (!stream->leg_taken[LEG_DEVICE] || !stream->leg_taken[LEG_SERVICE])
        return;
    stream->relay = bridge_new(&legs, needs->settings, &stream->meter, needs->queue,
                               hub_stream_relay_ended, stream);
    if (!stream->relay)
        hub_stream_end_open(stream, REASON_CUT);
}

static void
hub_stream_relay_ended(Relay *relay G_GNUC_UNUSED, Reason reason, void *data)
{
    HubStream *stream = data;

    relay_unref(g_steal_pointer(&stream->relay));
    if (stream->state == STREAM_OPEN)
        hub_stream_end_open(stream, reason);
    else /* ended by us; the stream waited for its bridge */
        stream->world->changed(stream, STREAM_ENDED, stream->world->data);
}
