/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service role: a request that the hub must accept, and a real stream. */
#include "daemon/diagnosis/private.h"
#include "daemon/stream/private.h"

#include <string.h>
#include <unistd.h>

static void
diagnosis_judge_answer(Diagnosis *diagnosis, const GError *refusal)
{
    Hub *hub = diagnosis_hub(diagnosis);

    if (refusal->code == STREAMD_ERROR_BUSY) {
        diagnosis_fail_credentials(diagnosis, "too-soon", refusal);
    } else if (refusal->code == STREAMD_ERROR_UNAUTHORIZED) {
        /* Put this in the hub's state, too: the next time the hub may only say "wait". */
        if (hub)
            hub_note(hub, refusal);
        diagnosis_fail(diagnosis, "identity", refusal);
    } else {
        diagnosis_fail(diagnosis, "hub-answer", refusal);
    }
}

static void
diagnosis_posted(Connection *connection, const HttpAnswer *answer, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;
    g_autoptr(GError) refusal = NULL;
    Reason reason;

    diagnosis->exchange = NULL;
    connection_free(connection);
    if (error)
        diagnosis_fail(diagnosis, "hub-answer", error);
    else if (service_answer_check(&answer->head, &reason, &refusal) ||
             refusal->code == STREAMD_ERROR_NOT_FOUND)
        diagnosis_ok(diagnosis);
    else
        diagnosis_judge_answer(diagnosis, refusal);
}

static void
diagnosis_post(Diagnosis *diagnosis, Connection *connection)
{
    GString *request = service_request_nobody(diagnosis->identity, DIAGNOSIS_STEP_LIMIT);

    if (!request) {
        connection_free(connection);
        diagnosis_fail_text(diagnosis, "identity", STREAMD_ERROR_UNAUTHORIZED,
                            "cannot make a request from this identity");
        return;
    }
    diagnosis->exchange =
        http_exchange_new(diagnosis->runtime, diagnosis->reactor, connection, request,
                          DIAGNOSIS_STEP_LIMIT, diagnosis_posted, diagnosis);
}

static void
diagnosis_dialed(Connection *connection, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;

    diagnosis->dial = NULL;
    if (error)
        diagnosis_fail(diagnosis, "hub-answer", error);
    else
        diagnosis_post(diagnosis, connection);
}

void
diagnose_service_credentials(Diagnosis *diagnosis)
{
    if (diagnosis->connection)
        diagnosis_post(diagnosis, g_steal_pointer(&diagnosis->connection));
    else
        diagnosis->dial =
            dial_new(diagnosis->runtime, diagnosis->reactor, diagnosis->host, diagnosis->port,
                     diagnosis->tls, diagnosis->proxy, diagnosis_dialed, diagnosis);
}

/* The step to which REASON, a stream's end, belongs. */
static const char *
diagnosis_step_of(Reason reason)
{
    switch (reason) {
    case REASON_NOT_FOUND:
    case REASON_OFFLINE:
    case REASON_REVOKED:
    case REASON_UNAUTHORIZED:
    case REASON_TIMED_OUT:
        return "device";
    case REASON_POLICY:
    case REASON_REJECTED:
    case REASON_NO_CONSENT:
    case REASON_NO_HANDLER:
        return "policy";
    case REASON_NO_TARGET:
    case REASON_TARGET_REFUSED:
    case REASON_TARGET_UNREACHABLE:
    case REASON_TARGET_TIMED_OUT:
        return "target";
    default:
        return "stream";
    }
}

/* One stream shows the results of all four steps: those before the failed one are good. */
static void
diagnosis_judge(Diagnosis *diagnosis, const char *step)
{
    if (!diagnosis->device)
        diagnosis_skip(diagnosis, "no-device");
    else if (!diagnosis->stream)
        diagnosis_skip(diagnosis, "no-stream");
    else if (diagnosis->open_error && strcmp(diagnosis_step_of(diagnosis->reason), step) == 0)
        diagnosis_fail(diagnosis, reason_code(diagnosis->reason), diagnosis->open_error);
    else
        diagnosis_ok(diagnosis);
}

static void
diagnosis_opened(Stream *stream, int fd, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;

    diagnosis->open = NULL;
    if (fd >= 0)
        (void)close(fd);
    diagnosis->reason = stream_reason(stream);
    diagnosis->open_error = error ? g_error_copy(error) : NULL;
    diagnosis->survives = stream_resume_secret(stream) != NULL;
    diagnosis_judge(diagnosis, "device");
}

void
diagnose_device(Diagnosis *diagnosis)
{
    const OpenOptions options = {
        .hub = diagnosis->hub,
        .device = diagnosis->device,
        .stream = diagnosis->stream,
        .timeout = DIAGNOSIS_OPEN_LIMIT,
        .owner_uid = diagnosis->uid,
    };
    g_autoptr(GError) error = NULL;

    if (!diagnosis->device) {
        diagnosis_judge(diagnosis, "device");
        return;
    }
    diagnosis_note(diagnosis, "device", diagnosis->device);
    if (!diagnosis->stream) {
        diagnose_presence(diagnosis);
        return;
    }
    diagnosis->open =
        app_open_stream(diagnosis->app, &options, diagnosis_opened, diagnosis, &error);
    if (!diagnosis->open)
        diagnosis_fail(diagnosis, "request", error);
}

void
diagnose_remote_policy(Diagnosis *diagnosis)
{
    diagnosis_judge(diagnosis, "policy");
}

void
diagnose_remote_target(Diagnosis *diagnosis)
{
    diagnosis_judge(diagnosis, "target");
}

void
diagnose_stream(Diagnosis *diagnosis)
{
    if (diagnosis->device && diagnosis->stream && !diagnosis->open_error)
        diagnosis_note(diagnosis, "survives", diagnosis->survives ? "yes" : "no");
    diagnosis_judge(diagnosis, "stream");
}
