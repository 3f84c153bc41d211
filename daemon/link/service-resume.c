/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/link/service-resume.h"

#include "common/codec/ws-frame.h"
#include "common/extension/resume-ask.h"
#include "common/resume/message.h"
#include "daemon/net/http-exchange.h"
#include "daemon/net/last-word.h"

#include <string.h>

#define STALE_ATTEMPT                                                                              \
    G_TIME_SPAN_SECOND /* an attempt that is older was made on the old network                     \
                        */

struct ServiceResumes {
    ServiceResumeContext context;
    GHashTable *all; /* the stream's id -> ServiceResume */
    gint64 changed;  /* monotonic: when the network has changed; 0: never */
    gboolean stopped;
};

typedef struct {
    ServiceResumes *owner;
    Stream *stream; /* outlives this */
    guint64 id;
    guint tries; /* since it was suspended */
    gint64 lost; /* monotonic */
    gint64 tried;
    Runtime *runtime;
    gint64
        part_by; /* monotonic: it has ended, and the other end is told until then; 0: it has not */
    gboolean went_on;      /* since then, and it has not been lost again */
    guint timer;           /* for the next try */
    guint limit;           /* for this one to reach the hub */
    char *device, *module; /* MODULE NULL: none */
    void (*told)(Stream *stream, Slice text, void *data); /* of the options */
    void *told_data;
    GString *request; /* of the attempt, up to the time-outs */
    ServiceAttempt *attempt;
} ServiceResume;

static void
clear_timer(guint *timer)
{
    if (*timer)
        g_source_remove(*timer);
    *timer = 0;
}

static void
resume_drop_attempt(ServiceResume *resume)
{
    clear_timer(&resume->limit);
    g_clear_pointer(&resume->request, http_request_wipe);
    g_clear_pointer(&resume->attempt, service_attempt_cancel);
}

static void
resume_free(void *data)
{
    ServiceResume *resume = data;

    clear_timer(&resume->timer);
    resume_drop_attempt(resume);
    g_free(resume->device);
    g_free(resume->module);
    g_free(resume);
}

guint
service_resume_pause(guint tries, guint asked, double random)
{
    guint ceiling = SERVICE_RESUME_PAUSE;

    if (asked > 0) /* many were told the same */
        asked += (guint)(random * SERVICE_RESUME_FIRST);
    if (tries == 0)
        return MAX(asked, (guint)(random * SERVICE_RESUME_FIRST));
    for (guint i = 1; i < tries && ceiling < SERVICE_RESUME_PAUSE_MAX; i++)
        ceiling *= 2;
    ceiling = MIN(ceiling, SERVICE_RESUME_PAUSE_MAX);
    return MAX(asked, ceiling / 2 + (guint)(random * ceiling / 2));
}

static gboolean resume_try(gpointer data);

static void
resume_try_in(ServiceResume *resume, guint pause)
{
    clear_timer(&resume->timer);
    resume->timer = g_timeout_add(pause, resume_try, resume);
}

static void
resume_again(ServiceResume *resume, guint asked)
{
    resume_try_in(resume, service_resume_pause(resume->tries, asked, g_random_double()));
}

static gboolean
device_is_busy(const ServiceOutcome *outcome)
{
    return outcome->response->status == 200 && outcome->reason == REASON_LIMIT;
}

gboolean
service_resume_is_final(const ServiceOutcome *outcome)
{
    if (outcome->reason == REASON_BAD_URL)
        return TRUE;
    if (outcome->response)
        return service_answer_is_final(outcome->response) && !device_is_busy(outcome);
    return outcome->stage == SERVICE_PAIRS &&
           (reason_close_code(outcome->reason) == WS_CLOSE_POLICY ||
            reason_close_code(outcome->reason) == WS_CLOSE_PROTOCOL);
}

/* The stream ends with it, and so does RESUME. */
static void
resume_end(ServiceResume *resume, const ServiceOutcome *outcome)
{
    Stream *stream = resume->stream;
    Reason there = REASON_NONE;

    if (outcome->reason == REASON_ENDED && outcome->response) {
        there = service_answer_ended(outcome->response);
        there = there != REASON_NONE ? there : REASON_CUT; /* of a later version */
    }
    service_resumes_leave(resume->owner, stream);
    if (stream_has_ended(stream))
        return;
    if (there != REASON_NONE)
        stream_ended_there(stream, there);
    else
        stream_close(stream, outcome->reason);
}

static void
resume_failed(ServiceResume *resume, const ServiceOutcome *outcome)
{
    guint asked = outcome->response ? (guint)(service_answer_pause(outcome->response) / 1000) : 0;

    g_debug("stream %" G_GUINT64_FORMAT " was not led back: %s", resume->id,
            outcome->error->message);
    connection_free(outcome->kept);
    if (service_resume_is_final(outcome))
        resume_end(resume, outcome);
    else
        resume_again(resume, asked);
}

/* A hub that does not know `resume` any more has opened a new stream. */
static void
resume_foreign(ServiceResume *resume, const ServiceOutcome *outcome)
{
    connection_free(outcome->leg);
    resume_end(resume, &(ServiceOutcome){.reason = REASON_RESUME_UNKNOWN});
}

/* The stream has ended: says so on LEG, with which nothing else begins. */
static void
resume_part(ServiceResume *resume, Connection *leg)
{
    Stream *stream = resume->stream;
    ResumeMessage begin = {.word = RESUME_BEGIN};
    const ResumeMessage end = {.word = RESUME_CLOSE, .reason = stream_reason(stream)};
    char first[RESUME_TEXT_MAX + 1] = "", second[RESUME_TEXT_MAX + 1] = "";
    const char *code = reason_code(end.reason);

    stream_last_offsets(stream, &begin.first, &begin.second);
    first[resume_message_write(first, &begin)] = '\0';
    second[resume_message_write(second, &end)] = '\0';
    /* An orderly end is told by the offsets alone. */
    last_word_say(resume->runtime, stream_reactor(stream), leg, first,
                  reason_is_orderly(end.reason) ? NULL : second, reason_close_code(end.reason),
                  code);
    service_resumes_leave(resume->owner, stream);
}

static void
resume_tried(const ServiceOutcome *outcome, void *data)
{
    ServiceResume *resume = data;

    resume->attempt = NULL;
    resume_drop_attempt(resume);
    if (!outcome->leg)
        resume_failed(resume, outcome);
    else if (!(outcome->caps & CAP_RESUME))
        resume_foreign(resume, outcome);
    else if (resume->part_by > 0)
        resume_part(resume, outcome->leg);
    else
        stream_resume_leg(resume->stream, outcome->leg);
}

static GString *
resume_request(gint64 *ret_left, void *data)
{
    ServiceResume *resume = data;
    gint64 time = resume->part_by > 0 ? resume->part_by - g_get_monotonic_time()
                                      : stream_resume_left(resume->stream);
    gint64 left = MAX(time, G_TIME_SPAN_SECOND);
    gint64 wait = MIN(left, SERVICE_RESUME_WAIT), answer = MIN(left, SERVICE_RESUME_ANSWER);

    clear_timer(&resume->limit);
    service_request_end(resume->request, wait, answer);
    *ret_left = wait + answer;
    return g_steal_pointer(&resume->request);
}

static void
resume_answered(const HttpResponse *response, void *data)
{
    ServiceResume *resume = data;
    Slice text;

    if (resume->told && http_headers_get(&response->headers, "streamd-statement", &text))
        resume->told(resume->stream, text, resume->told_data);
}

static void
resume_accepted(void *data G_GNUC_UNUSED)
{
}

static void
resume_leads_to(const char *host, guint16 port, const char *target G_GNUC_UNUSED, void *data)
{
    ServiceResume *resume = data;

    if (resume->part_by == 0)
        stream_set_endpoint(resume->stream, host, port);
}

static const ServiceAttemptEvents attempt_events = {
    .request = resume_request,
    .answered = resume_answered,
    .accepted = resume_accepted,
    .leads_to = resume_leads_to,
    .done = resume_tried,
};

static GString *
resume_begin_request(ServiceResume *resume, ServiceOpenOptions *options)
{
    Stream *stream = resume->stream;
    ResumeAsk ask = {.attempt = stream_resume_attempt(stream) + 1};
    const ResumeInfo info = {
        .pause = (guint64)(g_get_monotonic_time() - resume->lost) / 1000,
        .replayed = stream_resume_pending(stream),
    };
    g_autofree char *asked = NULL, *known = NULL;

    g_strlcpy(ask.id, stream_hub_id(stream), sizeof ask.id);
    stream_set_resume_attempt(stream, ask.attempt);
    options->device = resume->device;
    options->module = resume->module;
    options->stream = stream_name(stream);
    options->resume_key = stream_resume_secret(stream);
    options->resume = asked = resume_ask_format(&ask, RESUME_ASK_HTTP);
    options->resume_info = known = resume_info_format(&info);
    return service_request_begin(options);
}

static void
resume_attempt(ServiceResume *resume, const ServiceOpenOptions *options)
{
    const ServiceAttemptOptions attempt = {
        .runtime = options->runtime,
        .reactor = stream_reactor(resume->stream),
        .tls = options->tls,
        .proxy = options->proxy,
        .host = options->host,
        .port = options->port,
        .stream_hosts = options->stream_hosts,
        .caps = CAP_HALF_CLOSE | CAP_REASON | CAP_RESUME,
    };

    resume->runtime = options->runtime;
    resume->told = options->told;
    resume->told_data = options->told_data;
    resume->attempt = service_attempt_new(&attempt, &attempt_events, resume);
}

static gboolean
resume_too_slow(gpointer data)
{
    ServiceResume *resume = data;

    resume->limit = 0;
    resume_drop_attempt(resume);
    resume_try_in(resume, 0);
    return G_SOURCE_REMOVE;
}

static gboolean
resume_try(gpointer data)
{
    ServiceResume *resume = data;
    ServiceResumes *owner = resume->owner;
    ServiceOpenOptions options = {0};

    resume->timer = 0;
    if (resume->part_by > 0 && g_get_monotonic_time() >= resume->part_by) {
        service_resumes_leave(owner, resume->stream);
        return G_SOURCE_REMOVE;
    }
    resume->tries++;
    resume->tried = g_get_monotonic_time();
    if (!owner->context.fill(resume->stream, &options, owner->context.data)) {
        resume_again(resume, 0);
        return G_SOURCE_REMOVE;
    }
    resume->request = resume_begin_request(resume, &options);
    if (!resume->request) {
        resume_end(resume, &(ServiceOutcome){.reason = REASON_HUB_ERROR});
        return G_SOURCE_REMOVE;
    }
    if (resume->tries % 2 == 1)
        resume->limit = g_timeout_add(SERVICE_RESUME_DIAL, resume_too_slow, resume);
    resume_attempt(resume, &options);
    return G_SOURCE_REMOVE;
}

static ServiceResume *
service_resumes_find(ServiceResumes *resumes, Stream *stream)
{
    guint64 id = stream_id(stream);
    ServiceResume *resume = g_hash_table_lookup(resumes->all, &id);
    const char *device = stream_device(stream), *slash = strchr(device, '/');

    if (resume)
        return resume;
    resume = g_new0(ServiceResume, 1);
    resume->owner = resumes;
    resume->stream = stream;
    resume->id = id;
    resume->lost = stream_lost_at(stream);
    resume->device = slash ? g_strndup(device, (gsize)(slash - device)) : g_strdup(device);
    resume->module = slash ? g_strdup(slash + 1) : NULL;
    g_hash_table_insert(resumes->all, &resume->id, resume);
    return resume;
}

void
service_resumes_lead(ServiceResumes *resumes, Stream *stream)
{
    ServiceResume *resume;

    if (resumes->stopped || !stream_hub_id(stream))
        return;
    resume = service_resumes_find(resumes, stream);
    if (resume->attempt || resume->timer)
        return;
    if (resume->went_on) {
        resume->lost = g_get_monotonic_time();
        resume->tries = stream_is_settled(stream) ? 0 : resume->tries;
    }
    resume->went_on = FALSE;
    if (resumes->changed > 0 && resume->tries == 0 &&
        g_get_monotonic_time() - resumes->changed < SERVICE_RESUME_CHANGED)
        resume_try_in(resume, (guint)g_random_int_range(0, SERVICE_RESUME_HURRY));
    else
        resume_again(resume, 0);
}

void
service_resumes_went_on(ServiceResumes *resumes, const Stream *stream)
{
    guint64 id = stream_id(stream);
    ServiceResume *resume = g_hash_table_lookup(resumes->all, &id);

    if (!resume)
        return;
    clear_timer(&resume->timer);
    resume_drop_attempt(resume);
    resume->went_on = TRUE;
}

void
service_resumes_ended(ServiceResumes *resumes, Stream *stream)
{
    ServiceResume *resume;
    gint64 now = g_get_monotonic_time(), left;

    if (!stream_is_parting(stream) || stream_reason(stream) == REASON_STOPPING) {
        service_resumes_leave(resumes, stream);
        return;
    }
    resume = service_resumes_find(resumes, stream);
    left = (resume->went_on ? now : resume->lost) + stream_resume_time(stream) - now;
    if (left <= 0) {
        service_resumes_leave(resumes, stream);
        return;
    }
    resume->part_by = now + MIN(left, SERVICE_RESUME_PARTING);
    if (!resume->attempt && !resume->timer)
        resume_again(resume, 0);
}

void
service_resumes_leave(ServiceResumes *resumes, const Stream *stream)
{
    guint64 id = stream_id(stream);

    (void)g_hash_table_remove(resumes->all, &id);
}

static void
resume_hurry(ServiceResume *resume)
{
    gboolean stale = g_get_monotonic_time() - resume->tried >= STALE_ATTEMPT;

    if (resume->attempt && !stale)
        return;
    if (!resume->attempt && !resume->timer)
        return; /* it has a leg, and waits for the other end's first word */
    resume_drop_attempt(resume);
    resume_try_in(resume, (guint)g_random_int_range(0, SERVICE_RESUME_HURRY));
}

void
service_resumes_network_changed(ServiceResumes *resumes)
{
    GHashTableIter iter;
    gpointer resume;

    resumes->changed = g_get_monotonic_time();
    g_hash_table_iter_init(&iter, resumes->all);
    while (g_hash_table_iter_next(&iter, NULL, &resume))
        resume_hurry(resume);
}

ServiceResumes *
service_resumes_new(const ServiceResumeContext *context)
{
    ServiceResumes *resumes = g_new0(ServiceResumes, 1);

    resumes->context = *context;
    resumes->all = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, resume_free);
    return resumes;
}

void
service_resumes_stop(ServiceResumes *resumes)
{
    resumes->stopped = TRUE;
    g_hash_table_remove_all(resumes->all);
}

void
service_resumes_free(ServiceResumes *resumes)
{
    if (!resumes)
        return;
    g_hash_table_unref(resumes->all);
    g_free(resumes);
}
