/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/stream/streams-fixture.h"

#include "common/topic/stream-topic.h"

#include "common/codec/ws-frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000

/* ---- a look at what the streams make and free ---- */

HubStream *
__real_hub_stream_new(StreamWorld *world, Request *post, const StreamOpening *opening, gint64 wait);
HubStream *
__wrap_hub_stream_new(StreamWorld *world, Request *post, const StreamOpening *opening, gint64 wait);
void __real_hub_stream_free(HubStream *stream);
void __wrap_hub_stream_free(HubStream *stream);
ByDevice *__real_by_device_new(void);
ByDevice *__wrap_by_device_new(void);
TokenStore *__real_token_store_new(void);
TokenStore *__wrap_token_store_new(void);

static guint freed;
static const HubStream *last_freed;
static ByDevice *last_table;
static TokenStore *last_store;

HubStream *
__wrap_hub_stream_new(StreamWorld *world, Request *post, const StreamOpening *opening, gint64 wait)
{
    HubStream *stream = __real_hub_stream_new(world, post, opening, wait);

    ((Asked *)post)->stream = stream;
    return stream;
}

void
__wrap_hub_stream_free(HubStream *stream)
{
    freed++;
    last_freed = stream;
    __real_hub_stream_free(stream);
}

ByDevice *
__wrap_by_device_new(void)
{
    last_table = __real_by_device_new();
    return last_table;
}

TokenStore *
__wrap_token_store_new(void)
{
    last_store = __real_token_store_new();
    return last_store;
}

guint
hub_streams_freed(void)
{
    return freed;
}

const HubStream *
hub_last_freed(void)
{
    return last_freed;
}

guint
hub_tokens_known(void)
{
    return token_store_size(last_store);
}

guint
hub_devices_known(void)
{
    return by_device_size(last_table);
}

/* ---- the edge's part ---- */

void
request_authenticated(Request *request G_GNUC_UNUSED)
{
}

gboolean
request_take_user(Request *request G_GNUC_UNUSED, const char *user G_GNUC_UNUSED,
                  gboolean force G_GNUC_UNUSED)
{
    return TRUE;
}

void
request_answer(Request *request, guint status, const char *fields, const char *body)
{
    Asked *asked = (Asked *)request;

    g_assert_cmpuint(asked->status, ==, 0); /* once */
    asked->status = status;
    asked->fields = g_strdup(fields);
    asked->body = g_strdup(body);
    request->gone = NULL;
}

static void
upgrade_done(void *data)
{
    Asked *asked = data;
    Handover handover = {.reactor = reactor_pool_pick(asked->hub->reactors), .framed = TRUE};
    int fds[2];

    asked->done = TRUE;
    if (!asked->hub->peers_gone) {
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
        handover.connection = connection_new(fds[0]);
        asked->peer = fds[1];
    }
    asked->upgraded(&handover, asked->upgraded_data);
}

void
request_upgrade(Request *request, RequestUpgraded func, void *data)
{
    Asked *asked = (Asked *)request;

    g_assert_cmpuint(asked->status, ==, 0);
    asked->status = 101;
    asked->upgraded = func;
    asked->upgraded_data = data;
    queue_call(asked->hub->queue, upgrade_done, asked);
}

/* ---- the hub ---- */

static void
on_subscribed(const char *client_id, void *data)
{
    streams_subscribed(((Hub *)data)->streams, client_id);
}

static void
on_link_lost(const char *client_id, void *data)
{
    if (((Hub *)data)->streams) /* a test may free them before */
        streams_link_lost(((Hub *)data)->streams, client_id);
}

static void
on_answer(const char *client_id, const StreamAnswer *answer, void *data)
{
    streams_answer(((Hub *)data)->streams, client_id, answer);
}

static const DevicesEvents devices_events = {
    .subscribed = on_subscribed, .link_lost = on_link_lost, .answer = on_answer};

static void
asked_free(gpointer data)
{
    Asked *asked = data;

    if (asked->peer >= 0)
        close(asked->peer);
    route_match_clear(&asked->request.match);
    g_free(asked->request.authorization);
    g_free(asked->request.caps);
    g_free(asked->request.connect_timeout);
    g_free(asked->request.if_match);
    if (asked->request.body)
        (void)g_string_free(asked->request.body, TRUE);
    g_free(asked->fields);
    g_free(asked->body);
    g_free(asked);
}

static void
session_drop(gpointer data)
{
    session_free(data);
}

Hub *
hub_new_just_started(const Settings *settings)
{
    Hub *hub = g_new0(Hub, 1);
    StreamsNeeds needs;

    hub->settings = settings ? g_memdup2(settings, sizeof *settings) : settings_new();
    hub->clock = clock_new();
    hub->queue = queue_new();
    hub->source = queue_source_new(hub->queue);
    g_source_attach(hub->source, NULL);
    hub->reactors = reactor_pool_new(1, "test");
    hub->devices = devices_new(hub->settings, &devices_events, hub);
    needs = (StreamsNeeds){.settings = hub->settings,
                           .clock = hub->clock,
                           .queue = hub->queue,
                           .devices = hub->devices};
    hub->streams = streams_new(&needs);
    streams_set_address(hub->streams, "hub.example:443", "hub.example");
    hub->sessions = g_ptr_array_new_with_free_func(session_drop);
    hub->asked = g_ptr_array_new_with_free_func(asked_free);
    return hub;
}

Hub *
hub_new(const Settings *settings)
{
    Hub *hub = hub_new_just_started(settings);

    clock_pass(hub->clock, hub->settings->device_return_time);
    return hub;
}

void
hub_free(Hub *hub)
{
    devices_close_all(hub->devices);
    streams_free(hub->streams);
    hub_settle(hub);
    devices_free(hub->devices);
    reactor_pool_free(hub->reactors);
    g_source_destroy(hub->source);
    g_source_unref(hub->source);
    queue_free(hub->queue);
    clock_free(hub->clock);
    g_ptr_array_unref(hub->sessions);
    g_ptr_array_unref(hub->asked);
    settings_free(hub->settings);
    g_free(hub);
}

Session *
hub_device(Hub *hub, const char *client_id, Caps caps)
{
    Session *session = session_new(hub->devices, client_id, NULL, caps);
    gboolean present;

    g_ptr_array_add(hub->sessions, session);
    g_assert_true(devices_connect(hub->devices, &session->link, TRUE, &present));
    devices_connected(hub->devices, &session->link);
    devices_subscribe(hub->devices, &session->link, DEVICE_FEED_REQUESTS);
    return session;
}

Asked *
asked_new(Hub *hub, const char *method, const char *path)
{
    Asked *asked = g_new0(Asked, 1);

    asked->hub = hub;
    asked->peer = -1;
    g_assert_true(route_find(&route_hub, slice_of(method), slice_of(path), &asked->request.match));
    g_strlcpy(asked->request.peer, "192.0.2.1:7", sizeof asked->request.peer);
    g_ptr_array_add(hub->asked, asked);
    return asked;
}

RegistryScope *
scope_of(const char *text)
{
    RegistryScope *scope = NULL;

    g_assert_true(registry_scope_parse(text ? text : "", &scope));
    return scope;
}

Asked *
hub_post(Hub *hub, const Post *post)
{
    Asked *asked = asked_new(hub, "POST", "/twins/any/streams/ssh");
    g_autoptr(RegistryTags) tags = registry_tags_parse(post->tags);
    g_autoptr(RegistryScope) scope = scope_of(post->scope);
    const StreamOpening opening = {
        .device = post->device ? post->device : "dev1",
        .module = post->module,
        .name = "ssh",
        .policy = post->user ? post->user : "anna",
        .order = post->order,
        .scope = scope,
        .tags = tags,
        .extended = post->extended,
        .caps = post->caps,
        .connect_timeout = post->connect_timeout,
        .response_timeout = post->response_timeout ? post->response_timeout : 30 * SECOND,
    };

    asked->request.caps = post->extended ? g_strdup("whatever it asked for") : NULL;
    streams_open(hub->streams, &asked->request, &opening);
    return asked;
}

char *
asked_field(const Asked *asked, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(asked->fields ? asked->fields : "", "\r\n", -1);
    gsize len = strlen(name);

    for (guint i = 0; lines[i]; i++)
        if (g_str_has_prefix(lines[i], name) && g_str_has_prefix(lines[i] + len, ": "))
            return g_strdup(lines[i] + len + 2);
    return NULL;
}

StreamRequest
session_request(const Session *session)
{
    StreamRequest request = {0};

    g_assert_cmpuint(session->topics->len, >, 0);
    g_assert_cmpint(
        stream_request_parse(slice_of(session->topics->pdata[session->topics->len - 1]), &request),
        ==, STREAM_TOPIC_OK);
    return request;
}

static void
session_answer(Session *session, const StreamAnswer *with, Hub *hub)
{
    g_auto(StreamRequest) request = session_request(session);
    StreamAnswer answer = *with;

    answer.rid = request.rid;
    answer.sid = request.sid;
    streams_answer(hub->streams, session->link.client_id, &answer);
}

void
session_accept(Session *session, Caps caps, Hub *hub)
{
    session_answer(session, &(StreamAnswer){.accepted = TRUE, .caps = caps}, hub);
}

void
session_reject(Session *session, Reason reason, Hub *hub)
{
    session_reject_with(session, reason, NULL, hub);
}

void
session_reject_with(Session *session, Reason reason, const char *text, Hub *hub)
{
    session_answer(session, &(StreamAnswer){.reason = reason, .reason_text = text}, hub);
}

Asked *
hub_leg(Hub *hub, const char *url, const char *token)
{
    Asked *asked = asked_new(hub, "GET", strstr(url, "/bridges"));

    asked->request.authorization = g_strconcat("Bearer ", token, NULL);
    streams_leg(hub->streams, &asked->request);
    g_assert_true(asked->status == 101 || asked->status == 401);
    while (asked->status == 101 && !asked->done)
        g_main_context_iteration(NULL, TRUE);
    return asked;
}

Asked *
hub_device_leg(Hub *hub, const Session *session)
{
    g_auto(StreamRequest) request = session_request(session);

    return hub_leg(hub, request.url, request.token);
}

Asked *
hub_service_leg(Hub *hub, const Asked *post)
{
    g_autofree char *url = asked_field(post, "iothub-streaming-url");
    g_autofree char *token = asked_field(post, "iothub-streaming-auth-token");

    g_assert_cmpuint(post->status, ==, 200);
    return hub_leg(hub, url, token);
}

/* ---- what is between the threads ---- */

typedef struct {
    Hub *hub;
    gboolean back;
} Round;

static void
round_back(void *data)
{
    ((Round *)data)->back = TRUE;
}

static void
round_there(void *data)
{
    queue_call(((Round *)data)->hub->queue, round_back, data);
}

void
hub_settle(Hub *hub)
{
    for (guint i = 0; i < 4; i++) {
        Round round = {.hub = hub};

        reactor_call(reactor_pool_get(hub->reactors, 0), round_there, &round);
        while (!round.back)
            g_main_context_iteration(NULL, TRUE);
    }
}

/* ---- the peer's part ---- */

void
peer_send(const Asked *leg, const char *text)
{
    gsize len = strlen(text);
    guint8 frame[2 + 4 + 125] = {0x82, (guint8)(0x80 | len)};

    g_assert_cmpuint(len, <=, 125);
    memcpy(frame + 6, text, len); /* the mask is zero */
    g_assert_true(send(leg->peer, frame, 6 + len, MSG_NOSIGNAL) == (ssize_t)(6 + len));
}

void
peer_leave(Asked *leg)
{
    close(leg->peer);
    leg->peer = -1;
}

/* What has come, in at most PATIENCE_MS, while the hub goes on. 0: the end. */
static gsize
peer_receive(Asked *leg, guint8 *bytes, gsize size)
{
    for (guint waited = 0; waited < PATIENCE_MS; waited++) {
        ssize_t n = recv(leg->peer, bytes, size, MSG_DONTWAIT);

        while (g_main_context_iteration(NULL, FALSE))
            continue;
        if (n >= 0)
            return (gsize)n;
        g_assert_true(errno == EAGAIN || errno == ECONNRESET);
        if (errno == ECONNRESET)
            return 0;
        g_usleep(1000);
    }
    g_assert_not_reached();
}

guint8
peer_first(Asked *leg)
{
    guint8 byte = 0;

    (void)peer_receive(leg, &byte, 1);
    return byte;
}

/* Appends the data of BYTES; TRUE with the close frame. */
static gboolean
peer_decode(WsDecoder *decoder, guint8 *bytes, gsize len, GString *data, WsEvent *ret_event)
{
    while (len > 0) {
        gsize used = 0;

        ws_decoder_run(decoder, bytes, len, &used, ret_event);
        g_assert_cmpint(ret_event->type, !=, WS_EVENT_ERROR);
        g_string_append_len(data, (const char *)bytes, (gssize)ret_event->data_len);
        if (ret_event->type == WS_EVENT_CLOSE)
            return TRUE;
        bytes += used;
        len -= used;
    }
    return FALSE;
}

char *
peer_read(Asked *leg, guint *ret_code, char **ret_text)
{
    GString *data = g_string_new(NULL);
    guint8 bytes[65536];
    WsDecoder decoder;
    WsEvent event = {0};
    gsize len;

    *ret_code = 0;
    *ret_text = NULL;
    ws_decoder_init(&decoder, WS_ROLE_CLIENT, 0);
    while ((len = peer_receive(leg, bytes, sizeof bytes)) > 0) {
        if (!peer_decode(&decoder, bytes, len, data, &event))
            continue;
        *ret_code = event.code;
        *ret_text = g_strndup((const char *)event.payload, event.payload_len);
        break;
    }
    peer_leave(leg);
    return g_string_free(data, FALSE);
}
