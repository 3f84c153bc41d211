/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The edge and the MQTT sessions are stand-ins; the streams are the hub's. */
#include "tests/unit/hub/stream/streams-script.h"

#include "common/loop/reactor.h"
#include "hub/device/mqtt-session.h"
#include "hub/stream/look.h"
#include "hub/stream/stream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICES 3
#define SETTLE_ROUNDS 4
#define ROUTE_POST "/twins/dev0/streams/s"

typedef struct Script Script;

/* What is left to draw from. */
typedef struct {
    const guint8 *bytes;
    gsize left;
} Dice;

typedef struct {
    DeviceLink link; /* first */
    Script *script;
    char client_id[16];
    gboolean closed;
} Session;

typedef struct {
    Request request; /* first */
    Script *script;
    guint answers;
    guint status;
    gboolean gone;
    gboolean leg;
    RequestUpgraded upgraded;
    void *upgraded_data;
    char *path; /* of the service's leg */
    char *token;
} Asked;

struct Script {
    Dice dice;
    Settings *settings;
    Clock *clock;
    Queue *queue;
    GSource *source;
    ReactorPool *reactors;
    Devices *devices;
    Streams *streams;
    Session *sessions[DEVICES];
    GPtrArray *graveyard; /* sessions, until the end */
    GPtrArray *asked;     /* all requests */
    GPtrArray *legs;      /* "path token" that were given out */
    GArray *peers;        /* sockets of the legs that are open */
    GPtrArray *rids;      /* "client-id rid sid", without the sid toward plain devices */
    GHashTable *named;    /* "client-id rid" of a capable device -> sid */
    gboolean empty;
    StreamLooks *looks;
    guint looking;  /* looks under way */
    guint settling; /* reactors that have not answered */
};

/* From LEAST to below MOST; the least of all once nothing is left. */
static gint
script_dice(Script *script, gint least, gint most)
{
    guint value = 0;

    for (guint i = 0; i < 2 && script->dice.left > 0; i++) {
        value = value << 8 | *script->dice.bytes++;
        script->dice.left--;
        if (most - least <= 256)
            break;
    }
    return least + (gint)(value % (guint)(most - least));
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

static char *
field_value(const char *fields, const char *name)
{
    const char *at = fields ? strstr(fields, name) : NULL;

    at = at ? at + strlen(name) + 2 : NULL;
    return at ? g_strndup(at, strcspn(at, "\r")) : NULL;
}

void
request_answer(Request *request, guint status, const char *fields, const char *body G_GNUC_UNUSED)
{
    Asked *asked = (Asked *)request;
    g_autofree char *url = field_value(fields, "iothub-streaming-url");
    g_autofree char *token = field_value(fields, "iothub-streaming-auth-token");

    g_assert_cmpuint(asked->answers++, ==, 0);
    asked->status = status;
    request->gone = NULL;
    if (url) {
        g_assert_nonnull(token);
        g_ptr_array_add(asked->script->legs,
                        g_strconcat(strstr(url, "/bridges"), " ", token, NULL));
    }
}

static void
upgrade_done(void *data)
{
    Asked *asked = data;
    Handover handover = {.reactor = reactor_pool_pick(asked->script->reactors), .framed = TRUE};
    int fds[2];

    if (!asked->gone) {
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
        handover.connection = connection_new(fds[0]);
        g_array_append_val(asked->script->peers, fds[1]);
    }
    asked->upgraded(&handover, asked->upgraded_data);
}

void
request_upgrade(Request *request, RequestUpgraded func, void *data)
{
    Asked *asked = (Asked *)request;

    g_assert_cmpuint(asked->answers++, ==, 0);
    asked->status = 101;
    asked->upgraded = func;
    asked->upgraded_data = data;
    asked->gone = script_dice(asked->script, 0, 10) == 0;
    queue_call(asked->script->queue, upgrade_done, asked);
}

/* A number names one stream, whatever came and went. */
static void
check_named(Script *script, const char *client_id, const StreamRequest *request)
{
    char *key = g_strconcat(client_id, " ", request->rid, NULL);
    const char *sid = g_hash_table_lookup(script->named, key);

    if (sid)
        g_assert_cmpstr(sid, ==, request->sid);
    g_hash_table_replace(script->named, key, g_strdup(request->sid));
}

static void
session_request(DeviceLink *link, const StreamRequest *request)
{
    Session *session = (Session *)link;

    g_assert_false(session->closed);
    g_assert_cmpint(request->capable, ==, link->caps != 0);
    g_ptr_array_add(session->script->legs,
                    g_strconcat(strstr(request->url, "/bridges"), " ", request->token, NULL));
    g_assert_cmpint(request->sid != NULL, ==, link->caps != 0);
    if (request->sid)
        check_named(session->script, session->client_id, request);
    g_ptr_array_add(session->script->rids,
                    g_strjoin(" ", session->client_id, request->rid, request->sid, NULL));
}

static void
session_close(DeviceLink *link, const char *why G_GNUC_UNUSED)
{
    Session *session = (Session *)link;

    g_assert_false(session->closed);
    session->closed = TRUE;
    for (guint i = 0; i < DEVICES; i++)
        if (session->script->sessions[i] == session)
            session->script->sessions[i] = NULL;
    devices_disconnect(session->script->devices, link);
}

/* What the scripts never say to a link is left out. */
static const DeviceLinkFuncs session_funcs = {.request = session_request, .close = session_close};

static void
on_subscribed(const char *client_id, void *data)
{
    streams_subscribed(((Script *)data)->streams, client_id);
}

static void
on_link_lost(const char *client_id, void *data)
{
    streams_link_lost(((Script *)data)->streams, client_id);
}

static void
on_answer(const char *client_id, const StreamAnswer *answer, void *data)
{
    streams_answer(((Script *)data)->streams, client_id, answer);
}

static const DevicesEvents devices_events = {
    .subscribed = on_subscribed, .link_lost = on_link_lost, .answer = on_answer};

/* ---- steps ---- */

static Asked *
asked_new(Script *script, const char *method, const char *path)
{
    Asked *asked = g_new0(Asked, 1);

    asked->script = script;
    g_assert_true(route_find(&route_hub, slice_of(method), slice_of(path), &asked->request.match));
    g_strlcpy(asked->request.peer, "192.0.2.1:7", sizeof asked->request.peer);
    g_ptr_array_add(script->asked, asked);
    return asked;
}

static void
asked_free(gpointer data)
{
    Asked *asked = data;

    route_match_clear(&asked->request.match);
    g_free(asked->request.authorization);
    g_free(asked->request.caps);
    g_free(asked->path);
    g_free(asked->token);
    g_free(asked);
}

static void
step_connect(Script *script)
{
    guint i = (guint)script_dice(script, 0, DEVICES);
    Session *session = g_new0(Session, 1);
    gboolean present;

    session->script = script;
    g_snprintf(session->client_id, sizeof session->client_id, i == 2 ? "dev%u/m" : "dev%u", i);
    session->link = (DeviceLink){.funcs = &session_funcs,
                                 .client_id = session->client_id,
                                 .keys = REGISTRY_KEY_PRIMARY,
                                 .caps = i == 0 ? CAPS_ALL : 0,
                                 .instance = ""};
    g_ptr_array_add(script->graveyard, session);
    if (!devices_connect(script->devices, &session->link, script_dice(script, 0, 4) == 0, &present)) {
        session->closed = TRUE;
        return;
    }
    script->sessions[i] = session;
    devices_connected(script->devices, &session->link);
}

static Session *
any_session(Script *script)
{
    return script->sessions[script_dice(script, 0, DEVICES)];
}

static void
step_subscribe(Script *script)
{
    Session *session = any_session(script);

    if (session)
        devices_subscribe(script->devices, &session->link, DEVICE_FEED_REQUESTS);
}

static void
step_disconnect(Script *script)
{
    Session *session = any_session(script);

    if (session)
        session_close(&session->link, "");
}

static void
step_post(Script *script)
{
    Asked *asked = asked_new(script, "POST", ROUTE_POST);
    guint i = (guint)script_dice(script, 0, DEVICES);
    g_autofree char *device = g_strdup_printf("dev%u", i);
    gboolean extended = script_dice(script, 0, 2) == 0;
    const StreamOpening opening = {
        .device = device,
        .module = i == 2 ? "m" : NULL,
        .name = "ssh",
        .policy = script_dice(script, 0, 2) ? "service" : "other",
        .extended = extended,
        .caps = extended ? CAP_HALF_CLOSE | CAP_REASON : 0,
        .connect_timeout = script_dice(script, 0, 3) * 20 * G_TIME_SPAN_MILLISECOND,
        .response_timeout = script_dice(script, 1, 20) * 20 * G_TIME_SPAN_MILLISECOND,
    };

    asked->request.caps = extended ? g_strdup("half-close, reason") : NULL;
    streams_open(script->streams, &asked->request, &opening);
}

static const char *
any_of(Script *script, GPtrArray *texts)
{
    /* The later ones more often: they are those that still mean something. */
    guint last = MIN(texts->len, 8);

    if (texts->len == 0)
        return NULL;
    if (script_dice(script, 0, 3) == 0)
        last = texts->len;
    return texts->pdata[texts->len - 1 - (guint)script_dice(script, 0, (gint32)last)];
}

static void
step_answer(Script *script)
{
    const char *text = any_of(script, script->rids);
    g_auto(GStrv) parts = text ? g_strsplit(text, " ", 3) : NULL;
    guint64 ignored = streams_ignored(script->streams);
    gboolean wrong;
    StreamAnswer answer = {.accepted = script_dice(script, 0, 4) > 0, .reason = REASON_NONE};

    if (!parts)
        return;
    answer.rid = script_dice(script, 0, 20) ? parts[1] : "77777";
    answer.sid = parts[2];
    wrong = answer.sid && script_dice(script, 0, 5) == 0;
    if (wrong)
        answer.sid = script_dice(script, 0, 2) ? NULL : "0123456789abcdef0123456789abcdef";
    if (script_dice(script, 0, 2)) {
        answer.caps = CAP_HALF_CLOSE | CAP_REASON;
        answer.reason = answer.accepted ? REASON_NONE : REASON_POLICY;
        answer.reason_text = answer.accepted ? NULL : "not today";
    }
    streams_answer(script->streams, parts[0], &answer);
    if (wrong)
        g_assert_cmpuint(streams_ignored(script->streams), ==, ignored + 1);
}

static void
step_leg(Script *script)
{
    const char *text = any_of(script, script->legs);
    g_auto(GStrv) parts = text ? g_strsplit(text, " ", 2) : NULL;
    Asked *asked;

    if (!parts)
        return;
    asked = asked_new(script, "GET", parts[0]);
    asked->leg = TRUE;
    asked->token = g_strdup(parts[1]);
    asked->path = g_strdup(parts[0]);
    asked->request.authorization = g_strconcat("Bearer ", parts[1], NULL);
    streams_leg(script->streams, &asked->request);
    g_assert_cmpuint(asked->answers, ==, 1);
    g_assert_true(asked->status == 101 || asked->status == 401);
}

static void
step_client_gone(Script *script)
{
    guint start = (guint)script_dice(script, 0, (gint32)MAX(script->asked->len, 1));

    for (guint i = start; i < script->asked->len; i++) {
        Asked *asked = script->asked->pdata[i];

        if (asked->answers > 0 || !asked->request.gone)
            continue;
        asked->request.gone(&asked->request, asked->request.data);
        return;
    }
}

static void
step_peer(Script *script)
{
    static const char frame[] = {(char)0x82, (char)0x83, 0, 0, 0, 0, 'a', 'b', 'c'};
    guint i;

    if (script->peers->len == 0)
        return;
    i = (guint)script_dice(script, 0, (gint32)script->peers->len);
    if (script_dice(script, 0, 3)) {
        (void)!send(g_array_index(script->peers, int, i), frame, sizeof frame,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    close(g_array_index(script->peers, int, i));
    g_array_remove_index_fast(script->peers, i);
}

static void
on_looked(const StreamView *all G_GNUC_UNUSED, guint n, gboolean more, void *data G_GNUC_UNUSED)
{
    g_assert_true(n == 2 || (n < 2 && !more));
}

static void
step_revoke(Script *script)
{
    const StreamQuery query = {.limit = 2};
    gint what = script_dice(script, 0, 12);
    HubStream *stream;

    if (what == 0) {
        streams_revoke_policy(script->streams, "other");
    } else if (what == 1) {
        streams_revoke_device(script->streams, "dev1", NULL, REST_DEVICE_NOT_FOUND);
        devices_revoke(script->devices, "dev1", NULL);
    } else if (what == 2) {
        streams_revoke_device(script->streams, "dev2", "m", REST_UNAUTHORIZED_ACCESS);
        devices_revoke(script->devices, "dev2", "m");
    } else if (what == 3 && (stream = streams_next(script->streams, 0))) {
        (void)streams_close(script->streams, stream->id);
    } else if (what < 6) {
        stream_looks_begin(script->looks, &query, on_looked, NULL);
    }
}

static void
step_time(Script *script)
{
    g_usleep((gulong)script_dice(script, 0, 3000));
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

static void (*const steps[])(Script *script) = {
    step_connect, step_subscribe, step_disconnect, step_post, step_post,        step_answer,
    step_answer,  step_leg,       step_leg,        step_leg,  step_client_gone, step_peer,
    step_peer,    step_revoke,    step_time,       step_time,
};

/* ---- a script ---- */

static Script *
script_new(void)
{
    Script *script = g_new0(Script, 1);
    StreamsNeeds needs;

    script->settings = settings_new();
    script->settings->stream_deadline = 300 * G_TIME_SPAN_MILLISECOND;
    script->settings->end_wait =
        300 * G_TIME_SPAN_MILLISECOND; /* these peers answer no close frame */
    script->settings->pending_per_device = 3;
    script->clock = clock_new();
    script->queue = queue_new();
    script->source = queue_source_new(script->queue);
    g_source_attach(script->source, NULL);
    script->reactors = reactor_pool_new(2, "test");
    script->devices = devices_new(script->settings, &devices_events, script);
    needs = (StreamsNeeds){.settings = script->settings,
                           .clock = script->clock,
                           .queue = script->queue,
                           .devices = script->devices};
    script->streams = streams_new(&needs);
    script->looks = stream_looks_new(script->streams, script->clock);
    streams_set_address(script->streams, "hub.example:443", "hub.example");
    script->graveyard = g_ptr_array_new_with_free_func(g_free);
    script->asked = g_ptr_array_new_with_free_func(asked_free);
    script->legs = g_ptr_array_new_with_free_func(g_free);
    script->rids = g_ptr_array_new_with_free_func(g_free);
    script->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    script->peers = g_array_new(FALSE, FALSE, sizeof(int));
    return script;
}

static void
on_empty(void *data)
{
    ((Script *)data)->empty = TRUE;
}

/* Every socket sees its end: the hub holds none any more. */
static void
script_drain_peers(Script *script)
{
    char bytes[4096];

    for (guint i = 0; i < script->peers->len; i++) {
        int fd = g_array_index(script->peers, int, i);
        ssize_t n;

        do
            n = recv(fd, bytes, sizeof bytes, 0);
        while (n > 0);
        close(fd);
    }
}

static void
settled_back(void *data)
{
    ((Script *)data)->settling--;
}

static void
settled_there(void *data)
{
    queue_call(((Script *)data)->queue, settled_back, data);
}

/* What was on its way between the threads has arrived, and so has what that set off. */
static void
script_settle(Script *script)
{
    for (guint round = 0; round < SETTLE_ROUNDS; round++) {
        script->settling = reactor_pool_size(script->reactors);
        for (guint i = 0; i < reactor_pool_size(script->reactors); i++)
            reactor_call(reactor_pool_get(script->reactors, i), settled_there, script);
        while (script->settling > 0)
            g_main_context_iteration(NULL, TRUE);
    }
}

static void
script_free(Script *script)
{
    devices_close_all(script->devices);
    stream_looks_free(script->looks);
    streams_free(script->streams);
    devices_free(script->devices);
    reactor_pool_free(script->reactors);
    g_source_destroy(script->source);
    g_source_unref(script->source);
    queue_free(script->queue);
    clock_free(script->clock);
    settings_free(script->settings);
    g_ptr_array_unref(script->graveyard);
    g_ptr_array_unref(script->asked);
    g_ptr_array_unref(script->legs);
    g_ptr_array_unref(script->rids);
    g_hash_table_unref(script->named);
    g_array_unref(script->peers);
    g_free(script);
}

/* A token opened one leg at most. Tallies the answers. */
static void
check_answers(const Script *script, GHashTable *tally)
{
    g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < script->asked->len; i++) {
        Asked *asked = script->asked->pdata[i];
        gpointer key = GUINT_TO_POINTER(asked->status);

        g_assert_cmpuint(asked->answers, ==, 1);
        if (asked->leg && asked->status == 101)
            g_assert_true(g_hash_table_add(used, asked->token));
        g_hash_table_insert(tally, key, (char *)g_hash_table_lookup(tally, key) + 1);
    }
}

void
streams_script_run(const guint8 *bytes, gsize len, GHashTable *tally)
{
    Script *script = script_new();

    script->dice = (Dice){bytes, len};
    for (guint i = 0; i < STREAMS_SCRIPT_STEPS && script->dice.left > 0; i++)
        steps[script_dice(script, 0, G_N_ELEMENTS(steps))](script);
    streams_stop(script->streams, on_empty, script);
    step_post(script);
    step_leg(script);
    streams_cut(script->streams);
    while (!script->empty)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(streams_count(script->streams), ==, 0);
    script_settle(script);
    script_drain_peers(script);
    script_settle(script);
    check_answers(script, tally);
    script_free(script);
}
