/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/diagnosis/private.h"

#include <string.h>
#include <unistd.h>

static const DiagnosisStep device_steps[] = {
    {"dns", diagnose_dns, TRUE},
    {"proxy", diagnose_proxy, TRUE},
    {"tcp", diagnose_tcp, TRUE},
    {"tls", diagnose_tls, TRUE},
    {"clock", diagnose_clock, TRUE},
    {"identity", diagnose_identity, FALSE},
    {"credentials", diagnose_device_credentials, TRUE},
    {"subscription", diagnose_subscription, TRUE},
    {"policy", diagnose_policy, FALSE},
    {"target", diagnose_target, FALSE},
    {NULL},
};

static const DiagnosisStep service_steps[] = {
    {"dns", diagnose_dns, TRUE},
    {"proxy", diagnose_proxy, TRUE},
    {"tcp", diagnose_tcp, TRUE},
    {"tls", diagnose_tls, TRUE},
    {"clock", diagnose_clock, TRUE},
    {"credentials", diagnose_service_credentials, TRUE},
    {"device", diagnose_device, TRUE},
    {"policy", diagnose_remote_policy, TRUE},
    {"target", diagnose_remote_target, TRUE},
    {"stream", diagnose_stream, TRUE},
    {NULL},
};

/* Up to what a hub must do before it is worth having. */
static const DiagnosisStep device_trial[] = {
    {"dns", diagnose_dns, TRUE},
    {"proxy", diagnose_proxy, TRUE},
    {"tcp", diagnose_tcp, TRUE},
    {"tls", diagnose_tls, TRUE},
    {"credentials", diagnose_device_credentials, TRUE},
    {"subscription", diagnose_subscription, TRUE},
    {NULL},
};

static const DiagnosisStep service_trial[] = {
    {"dns", diagnose_dns, TRUE},
    {"proxy", diagnose_proxy, TRUE},
    {"tcp", diagnose_tcp, TRUE},
    {"tls", diagnose_tls, TRUE},
    {"credentials", diagnose_service_credentials, TRUE},
    {NULL},
};

/* The hub does not know the key of one that has not joined yet. That of a device whose control link
 * is up has been shown, and another link would take over from that one. */
static const DiagnosisStep way_trial[] = {
    {"dns", diagnose_dns, TRUE},
    {"proxy", diagnose_proxy, TRUE},
    {"tcp", diagnose_tcp, TRUE},
    {"tls", diagnose_tls, TRUE},
    {NULL},
};

const char *
check_result_name(CheckResult result)
{
    static const char *const names[] = {"ok", "failed", "skipped"};

    return names[result];
}

static void
check_detail_clear(void *data)
{
    g_free(((CheckDetail *)data)->text);
}

static void
check_free(void *data)
{
    Check *check = data;

    g_array_unref(check->details);
    g_free(check);
}

/* "" when it has no such detail. */
static const char *
check_text(const Check *check, const char *key)
{
    for (guint i = 0; i < check->details->len; i++) {
        const CheckDetail *detail = &g_array_index(check->details, CheckDetail, i);

        if (detail->type == 's' && strcmp(detail->key, key) == 0)
            return detail->text;
    }
    return "";
}

static Check *
diagnosis_check(Diagnosis *diagnosis)
{
    return g_ptr_array_index(diagnosis->checks, diagnosis->checks->len - 1);
}

static void
diagnosis_add_check(Diagnosis *diagnosis)
{
    Check *check = g_new0(Check, 1);

    check->step = diagnosis->steps[diagnosis->step].name;
    check->details = g_array_new(FALSE, FALSE, sizeof(CheckDetail));
    g_array_set_clear_func(check->details, check_detail_clear);
    g_ptr_array_add(diagnosis->checks, check);
    diagnosis->started = g_get_monotonic_time();
}

void
diagnosis_note(Diagnosis *diagnosis, const char *key, const char *text)
{
    const CheckDetail detail = {.key = key, .type = 's', .text = g_strdup(text)};

    g_array_append_val(diagnosis_check(diagnosis)->details, detail);
}

void
diagnosis_note_number(Diagnosis *diagnosis, const char *key, char type, gint64 number)
{
    const CheckDetail detail = {.key = key, .type = type, .number = number};

    g_array_append_val(diagnosis_check(diagnosis)->details, detail);
}

/* Cancels whatever the step waits for. */
static void
diagnosis_stop_step(Diagnosis *diagnosis)
{
    if (diagnosis->limit)
        g_source_remove(diagnosis->limit);
    diagnosis->limit = 0;
    if (diagnosis->cancellable)
        g_cancellable_cancel(diagnosis->cancellable);
    g_clear_object(&diagnosis->cancellable);
    g_clear_pointer(&diagnosis->socket, socket_dial_cancel);
    g_clear_pointer(&diagnosis->dial, dial_cancel);
    g_clear_pointer(&diagnosis->exchange, http_exchange_cancel);
    g_clear_pointer(&diagnosis->session, device_session_free);
    g_clear_pointer(&diagnosis->open, app_cancel_open);
    g_clear_pointer(&diagnosis->list, service_list_cancel);
}

static void
diagnosis_free(Diagnosis *diagnosis)
{
    diagnosis_stop_step(diagnosis);
    if (diagnosis->next)
        g_source_remove(diagnosis->next);
    if (diagnosis->fd >= 0)
        (void)close(diagnosis->fd);
    connection_free(diagnosis->connection);
    proxy_route_clear(&diagnosis->route);
    proxy_unref(diagnosis->proxy);
    tls_context_unref(diagnosis->tls);
    tls_context_unref(diagnosis->link_tls);
    own_certificate_unref(diagnosis->link.own);
    connection_string_free(diagnosis->identity);
    g_clear_error(&diagnosis->route_error);
    g_clear_error(&diagnosis->tls_error);
    g_clear_error(&diagnosis->subscription);
    g_clear_error(&diagnosis->open_error);
    g_clear_pointer(&diagnosis->targets, g_ptr_array_unref);
    g_ptr_array_unref(diagnosis->checks);
    g_free(diagnosis->target);
    g_free(diagnosis->hub);
    g_free(diagnosis->host);
    g_free(diagnosis->device);
    g_free(diagnosis->stream);
    g_free(diagnosis->initiator);
    g_free(diagnosis);
}

static gboolean
diagnosis_next(gpointer data)
{
    Diagnosis *diagnosis = data;
    const DiagnosisStep *step = &diagnosis->steps[diagnosis->step];

    diagnosis->next = 0;
    if (!step->name) {
        diagnosis->done(diagnosis->checks, diagnosis->data);
        diagnosis_free(diagnosis);
        return G_SOURCE_REMOVE;
    }
    diagnosis_add_check(diagnosis);
    if (diagnosis->broken && step->needs_hub)
        diagnosis_skip(diagnosis, "earlier");
    else
        step->run(diagnosis);
    return G_SOURCE_REMOVE;
}

static void
diagnosis_end_step(Diagnosis *diagnosis, CheckResult result)
{
    gint64 took = g_get_monotonic_time() - diagnosis->started;

    diagnosis_stop_step(diagnosis);
    diagnosis_check(diagnosis)->result = result;
    diagnosis_note_number(diagnosis, "time", 't', took);
    diagnosis->step++;
    diagnosis->next = g_idle_add(diagnosis_next, diagnosis);
}

void
diagnosis_ok(Diagnosis *diagnosis)
{
    diagnosis_end_step(diagnosis, CHECK_OK);
}

void
diagnosis_skip(Diagnosis *diagnosis, const char *why)
{
    diagnosis_note(diagnosis, "why", why);
    diagnosis_end_step(diagnosis, CHECK_SKIPPED);
}

/* A wrong clock does not stop anything by itself: the next step shows its effect. */
void
diagnosis_fail(Diagnosis *diagnosis, const char *cause, const GError *error)
{
    StreamdError code =
        error->domain == STREAMD_ERROR ? (StreamdError)error->code : STREAMD_ERROR_UNREACHABLE;

    diagnosis->broken = diagnosis->broken || g_strcmp0(cause, "clock") != 0;
    diagnosis_note(diagnosis, "cause", cause);
    diagnosis_note(diagnosis, "error", streamd_error_name(code));
    diagnosis_note(diagnosis, "message", error->message);
    diagnosis_end_step(diagnosis, CHECK_FAILED);
}

Hub *
diagnosis_hub(const Diagnosis *diagnosis)
{
    return diagnosis->trial ? NULL : app_find_hub(diagnosis->app, diagnosis->hub);
}

void
diagnosis_fail_credentials(Diagnosis *diagnosis, const char *cause, const GError *error)
{
    const Hub *hub = diagnosis_hub(diagnosis);

    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_BUSY) && hub &&
        hub_state(hub) == HUB_REFUSED)
        diagnosis_fail_text(diagnosis,
                            diagnosis->link.own ? own_certificate_cause(diagnosis->link.own)
                                                : "identity",
                            STREAMD_ERROR_UNAUTHORIZED, hub_last_error(hub));
    else
        diagnosis_fail(diagnosis, cause, error);
}

void
diagnosis_fail_text(Diagnosis *diagnosis, const char *cause, StreamdError code, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(STREAMD_ERROR, (int)code, text);

    diagnosis_fail(diagnosis, cause, error);
}

static gboolean
diagnosis_check_options(Hub *hub, const DiagnosisOptions *options, GError **error)
{
    const gboolean service = hub_role(hub) == HUB_ROLE_SERVICE;
    const char *text = NULL;

    if (service && !options->device && options->stream)
        text = "a stream goes with the device that it is opened to";
    else if (service && options->initiator)
        text = "an initiator is for a hub in the device role";
    else if (!service && options->device)
        text = "this hub is known in the device role: no other device can be reached through it";
    if (text)
        g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID, text);
    return text == NULL;
}

/* Copies what the hub owns, because the hub may be removed. */
static gboolean
diagnosis_copy_hub(Diagnosis *diagnosis, Hub *hub, GError **error)
{
    const HubSettings settings = hub_settings(hub);
    ServiceOpenOptions way = {0};

    hub_fill_open(hub, &way);
    diagnosis->identity = connection_string_parse(settings.connection_string, -1, error);
    if (!diagnosis->identity)
        return FALSE;
    diagnosis->runtime = way.runtime;
    diagnosis->reactor = runtime_pick(way.runtime);
    diagnosis->hub = g_strdup(settings.name);
    diagnosis->host = g_strdup(way.host);
    diagnosis->port = way.port;
    diagnosis->tls = hub_new_tls(hub, "http/1.1", &diagnosis->tls_error);
    diagnosis->proxy = way.proxy ? proxy_ref(way.proxy) : NULL;
    diagnosis->role = hub_role(hub);
    if (diagnosis->role == HUB_ROLE_SERVICE)
        return TRUE;
    diagnosis->link = hub_session_options(hub);
    diagnosis->link.host = diagnosis->host;
    diagnosis->link.identity = diagnosis->identity;
    if (diagnosis->link.instance)
        g_strlcpy(diagnosis->instance, diagnosis->link.instance, sizeof diagnosis->instance);
    diagnosis->link.instance = diagnosis->instance;
    diagnosis->link.proxy = diagnosis->proxy;
    diagnosis->link_tls = tls_context_ref(diagnosis->link.tls);
    if (diagnosis->link.own)
        (void)own_certificate_ref(diagnosis->link.own);
    return TRUE;
}

static Diagnosis *
diagnosis_make(App *app, DiagnosisDone done, void *data)
{
    Diagnosis *diagnosis = g_new0(Diagnosis, 1);

    diagnosis->app = app;
    diagnosis->fd = -1;
    diagnosis->checks = g_ptr_array_new_with_free_func(check_free);
    diagnosis->done = done;
    diagnosis->data = data;
    return diagnosis;
}

static Diagnosis *
diagnosis_start(Diagnosis *diagnosis, Hub *hub, const DiagnosisStep *steps, GError **error)
{
    if (!diagnosis_copy_hub(diagnosis, hub, error)) {
        diagnosis_free(diagnosis);
        return NULL;
    }
    diagnosis->steps = steps;
    diagnosis->next = g_idle_add(diagnosis_next, diagnosis);
    return diagnosis;
}

/* One that is refused has no connection of any kind to try. */
static gboolean
diagnosis_check_hub(const Hub *hub, GError **error)
{
    if (!hub_refused(hub))
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED,
                "the hub \"%s\" cannot be used: %s", hub_name(hub), hub_refused(hub));
    return FALSE;
}

Diagnosis *
diagnosis_new(App *app, Hub *hub, const DiagnosisOptions *options, DiagnosisDone done, void *data,
              GError **error)
{
    Diagnosis *diagnosis;

    if (hub_unjoined(hub)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_UNAUTHORIZED,
                    "the hub \"%s\" has not been joined yet: %s", hub_name(hub), hub_unjoined(hub));
        return NULL;
    }
    if (!diagnosis_check_hub(hub, error) || !diagnosis_check_options(hub, options, error))
        return NULL;
    diagnosis = diagnosis_make(app, done, data);
    diagnosis->uid = options->uid;
    diagnosis->device = g_strdup(options->device);
    diagnosis->stream = g_strdup(options->stream);
    diagnosis->initiator = g_strdup(options->initiator);
    return diagnosis_start(diagnosis, hub,
                           hub_role(hub) == HUB_ROLE_DEVICE ? device_steps : service_steps, error);
}

Diagnosis *
diagnosis_try(App *app, Hub *hub, DiagnosisDone done, void *data, GError **error)
{
    const Hub *present = app_find_hub(app, hub_name(hub));
    const gboolean known =
        hub_role(hub) == HUB_ROLE_DEVICE && present &&
        (hub_has_same_login(hub, present) || hub_differs_here_alone(hub, present));
    Diagnosis *diagnosis;

    if (!diagnosis_check_hub(hub, error))
        return NULL;
    diagnosis = diagnosis_make(app, done, data);
    diagnosis->trial = TRUE;
    return diagnosis_start(diagnosis, hub,
                           known || hub_unjoined(hub)         ? way_trial
                           : hub_role(hub) == HUB_ROLE_DEVICE ? device_trial
                                                              : service_trial,
                           error);
}

gboolean
diagnosis_failure(const GPtrArray *checks, GError **error)
{
    for (guint i = 0; i < checks->len; i++) {
        const Check *check = checks->pdata[i];
        const char *name = check_text(check, "error"), *text = check_text(check, "message");

        if (check->result != CHECK_FAILED)
            continue;
        g_set_error(error, STREAMD_ERROR, (int)streamd_error_from_name(name), "%s", text);
        return TRUE;
    }
    return FALSE;
}

void
diagnosis_cancel(Diagnosis *diagnosis)
{
    if (diagnosis)
        diagnosis_free(diagnosis);
}
