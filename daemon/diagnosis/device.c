/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device role: identity and subscription at the hub, then policy and targets here. */
#include "daemon/diagnosis/private.h"

#include <unistd.h>

static gboolean
diagnosis_link_up(gpointer data)
{
    Diagnosis *diagnosis = data;
    Hub *hub = diagnosis_hub(diagnosis);

    diagnosis->limit = 0;
    diagnosis_note(diagnosis, "state", "connecting");
    diagnosis_ok(diagnosis);
    if (hub && hub_is_wanted(hub)) /* the session replaced the hub's link, or there was none */
        hub_connect(hub);
    return G_SOURCE_REMOVE;
}

/* Ends the session later: it is still running while it calls this. */
static void
diagnosis_session_ready(DeviceSession *session, void *data)
{
    Diagnosis *diagnosis = data;

    g_source_remove(diagnosis->limit);
    diagnosis->limit = g_idle_add(diagnosis_link_up, diagnosis);
}

/* If the hub asks for a stream right now, it will ask again. */
static void
diagnosis_session_request(DeviceSession *session, const StreamRequest *request, void *data)
{
}

static void
diagnosis_session_notice(DeviceSession *session, const Notice *notice, void *data)
{
    Diagnosis *diagnosis = data;
    Hub *hub = diagnosis_hub(diagnosis);

    if (hub)
        hub_take_notice(hub, notice);
}

static void
diagnosis_session_survived(DeviceSession *session, void *data)
{
}

static const char *
diagnosis_session_cause(const GError *error)
{
    switch (error->code) {
    case STREAMD_ERROR_UNAUTHORIZED:
        return "identity";
    case STREAMD_ERROR_BUSY:
        return "too-soon";
    case STREAMD_ERROR_UNREACHABLE:
    case STREAMD_ERROR_TIMED_OUT:
        return "link";
    case STREAMD_ERROR_UNTRUSTED:
        return "certificate";
    case STREAMD_ERROR_PROXY_REFUSED:
        return "proxy-refused";
    default:
        return "hub-answer";
    }
}

static void
diagnosis_session_closed(DeviceSession *session, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;

    if (device_session_is_accepted(session)) {
        diagnosis->subscription = g_error_copy(error);
        diagnosis_ok(diagnosis);
    } else {
        const char *blame = device_session_blame(session);

        diagnosis_fail_credentials(diagnosis, blame ? blame : diagnosis_session_cause(error),
                                   error);
    }
}

static const DeviceSessionEvents session_events = {
    .ready = diagnosis_session_ready,
    .request = diagnosis_session_request,
    .notice = diagnosis_session_notice,
    .survived = diagnosis_session_survived,
    .closed = diagnosis_session_closed,
};

static gboolean
diagnosis_session_late(gpointer data)
{
    Diagnosis *diagnosis = data;

    diagnosis->limit = 0;
    diagnosis_fail_text(diagnosis, "hub-answer", STREAMD_ERROR_TIMED_OUT,
                        "the hub did not answer to MQTT in time");
    return G_SOURCE_REMOVE;
}

/* A link that is up has already shown all this, and another one would take its place at the hub. */
void
diagnose_device_credentials(Diagnosis *diagnosis)
{
    const Hub *hub = diagnosis_hub(diagnosis);

    diagnosis_note(diagnosis, "transport", diagnosis->link.framed ? "wss" : "mqtts");
    g_clear_pointer(&diagnosis->connection, connection_free);
    if (hub && hub_state(hub) == HUB_CONNECTED) {
        diagnosis_note(diagnosis, "state", "connected");
        diagnosis_ok(diagnosis);
        return;
    }
    diagnosis->limit = g_timeout_add((guint)(DIAGNOSIS_STEP_LIMIT / G_TIME_SPAN_MILLISECOND),
                                     diagnosis_session_late, diagnosis);
    diagnosis->session =
        device_session_new(diagnosis->runtime, &diagnosis->link, &session_events, diagnosis);
}

void
diagnose_subscription(Diagnosis *diagnosis)
{
    if (diagnosis->subscription)
        diagnosis_fail(diagnosis, "no-streams", diagnosis->subscription);
    else
        diagnosis_ok(diagnosis);
}

/* Whether the hub has said lately that another machine uses this identity, too. */
void
diagnose_identity(Diagnosis *diagnosis)
{
    const Hub *hub = diagnosis_hub(diagnosis);

    if (hub && hub_is_shared(hub))
        diagnosis_fail_text(diagnosis, "cloned", STREAMD_ERROR_EXISTS,
                            "another machine uses this identity, too: each takes the connection "
                            "over from the other");
    else
        diagnosis_ok(diagnosis);
}

static gboolean
diagnosis_any_rule(const AcceptPolicy *policy)
{
    const char *text;

    for (guint i = 0; i < accept_policy_size(policy); i++)
        if (accept_policy_get(policy, i)->kind != ACCEPT_REJECT)
            return TRUE;
    return accept_policy_default(policy, &text);
}

static void
diagnosis_rejected(Diagnosis *diagnosis, const AcceptVerdict *verdict)
{
    g_autofree char *text =
        *verdict->reject_text
            ? g_strdup_printf("%s: %s", reason_text(REASON_POLICY), verdict->reject_text)
            : g_strdup(reason_text(REASON_POLICY));

    diagnosis_fail_text(diagnosis, "policy", STREAMD_ERROR_REJECTED, text);
}

static void
diagnosis_decided(Diagnosis *diagnosis, const AcceptVerdict *verdict)
{
    static const char *const names[] = {
        [ACCEPT_REJECT] = "reject",
        [ACCEPT_TARGET] = "accept",
        [ACCEPT_HANDLER] = "accept",
        [ACCEPT_ASK] = "ask",
    };

    diagnosis_note(diagnosis, "verdict", names[verdict->kind]);
    diagnosis_note_number(diagnosis, "rule", 'u', verdict->rule);
    if (verdict->kind == ACCEPT_REJECT) {
        diagnosis_rejected(diagnosis, verdict);
    } else if (verdict->kind == ACCEPT_HANDLER &&
               !handlers_find(app_handlers(diagnosis->app), verdict->handler_uid,
                              verdict->handler)) {
        diagnosis_note(diagnosis, "handler", verdict->handler);
        diagnosis_fail_text(diagnosis, "no-handler", STREAMD_ERROR_REJECTED,
                            reason_text(REASON_NO_HANDLER));
    } else {
        diagnosis->target = g_strdup(verdict->target);
        diagnosis_ok(diagnosis);
    }
}

void
diagnose_policy(Diagnosis *diagnosis)
{
    AcceptPolicy *policy = app_policy(diagnosis->app);
    const AcceptRequest request = {
        .hub = diagnosis->hub,
        .stream = diagnosis->stream,
        .initiator = diagnosis->initiator,
        .at = g_get_real_time(),
    };
    AcceptVerdict verdict;

    if (diagnosis->stream) {
        diagnosis_note(diagnosis, "stream", diagnosis->stream);
        verdict = accept_policy_test(policy, &request, NULL, NULL);
        diagnosis_decided(diagnosis, &verdict);
    } else if (diagnosis_any_rule(policy)) {
        diagnosis_ok(diagnosis);
    } else {
        diagnosis_fail_text(diagnosis, "policy-empty", STREAMD_ERROR_REJECTED,
                            "no rule accepts any stream, and the default rejects");
    }
}

static void diagnosis_try_target(Diagnosis *diagnosis);

static void
diagnosis_target_done(int fd, const GError *error, void *data)
{
    Diagnosis *diagnosis = data;
    Reason reason;

    diagnosis->socket = NULL;
    if (fd >= 0) {
        (void)close(fd);
        g_ptr_array_remove_index(diagnosis->targets, 0);
        diagnosis_try_target(diagnosis);
        return;
    }
    reason = target_failure(error);
    diagnosis_note(diagnosis, "target", g_ptr_array_index(diagnosis->targets, 0));
    diagnosis_fail_text(diagnosis, reason_code(reason), STREAMD_ERROR_REJECTED,
                        reason_text(reason));
}

static void
diagnosis_try_target(Diagnosis *diagnosis)
{
    const char *name;
    Target *target;

    if (diagnosis->targets->len == 0) {
        diagnosis_ok(diagnosis);
        return;
    }
    name = g_ptr_array_index(diagnosis->targets, 0);
    target = app_find_target(diagnosis->app, name);
    if (!target) {
        diagnosis_note(diagnosis, "target", name);
        diagnosis_fail_text(diagnosis, "no-target", STREAMD_ERROR_REJECTED,
                            reason_text(REASON_NO_TARGET));
        return;
    }
    diagnosis->socket =
        target_connect(target, diagnosis->runtime, diagnosis_target_done, diagnosis);
}

static void
diagnosis_list_targets(Diagnosis *diagnosis)
{
    g_autoptr(GPtrArray) all = app_list_targets(diagnosis->app);

    for (guint i = 0; i < MIN(all->len, DIAGNOSIS_TARGETS_MAX); i++)
        g_ptr_array_add(diagnosis->targets, g_strdup(target_name(g_ptr_array_index(all, i))));
}

/* The target that the stream would reach, or all of them. */
void
diagnose_target(Diagnosis *diagnosis)
{
    diagnosis->targets = g_ptr_array_new_with_free_func(g_free);
    if (diagnosis->target)
        g_ptr_array_add(diagnosis->targets, g_strdup(diagnosis->target));
    else if (!diagnosis->stream)
        diagnosis_list_targets(diagnosis);
    if (diagnosis->targets->len > 0)
        diagnosis_try_target(diagnosis);
    else
        diagnosis_skip(diagnosis, diagnosis->stream ? "no-need" : "none");
}
