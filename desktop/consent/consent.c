/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/consent.h"
#include "desktop/base/names.h"
#include "desktop/consent/lock.h"
#include "desktop/consent/notice.h"
#include "desktop/consent/prompt.h"

#include <glib/gi18n.h>

/* So many may wait here, and so many of them have a notification at the same time. */
#define WAITING_MAX 1024 /* streamd lets 256 of a hub wait */
#define NOTICES_MAX 3
/* How often it is looked how much time is left, in ms. */
#define TICK_MS 200

/* One of the two streamds. */
typedef struct {
    Consent *consent;
    Daemon *daemon;
    Agent *agent;
} Desk;

struct Consent {
    const ConsentEvents *events;
    void *data;
    GCancellable *cancellable; /* of the answers */
    Desk desks[2];             /* of the session bus, and of the system bus */
    GPtrArray *asks;           /* of Ask, the oldest first */
    Notices *notices;
    Lock *lock;
    Prompt *prompt;
    gboolean open;
    guint tick;
};

/* -- what is shown ----------------------------------------------------------------------------- */

/* The first one that has a place in the window, or rather the one that is there already. */
static Ask *
consent_choose(Consent *consent)
{
    Ask *shown = prompt_ask(consent->prompt), *first = NULL;

    for (guint i = 0; i < consent->asks->len; i++) {
        Ask *ask = g_ptr_array_index(consent->asks, i);

        if (ask->answered || !ask->put_up)
            continue;
        if (ask == shown)
            return ask;
        first = first == NULL ? ask : first;
    }
    return first;
}

static guint
consent_count_put_up(Consent *consent)
{
    guint count = 0;

    for (guint i = 0; i < consent->asks->len; i++) {
        const Ask *ask = g_ptr_array_index(consent->asks, i);

        count += ask->put_up && !ask->answered;
    }
    return count;
}

static void
consent_show(Consent *consent)
{
    guint count = consent_count_put_up(consent);

    prompt_show(consent->prompt, consent_choose(consent), count == 0 ? 0 : count - 1);
}

static void
consent_put_up(Consent *consent, Ask *ask)
{
    if (ask->put_up)
        return;
    ask->put_up = TRUE;
    consent_show(consent);
}

static void
consent_drop(Consent *consent, Ask *ask)
{
    notices_drop(consent->notices, ask);
    if (prompt_ask(consent->prompt) == ask)
        prompt_show(consent->prompt, NULL, 0);
    (void)g_ptr_array_remove(consent->asks, ask);
    consent_show(consent);
}

/* Updates those that have a notification, of which a screen that was locked meanwhile must not
 * tell; or shows those that have none, as long as there are places. SHOWN: how many are taken;
 * returns that. */
static guint
consent_update_some(Consent *consent, gboolean having, guint shown)
{
    gboolean locked = lock_is_locked(consent->lock);

    for (guint i = 0; i < consent->asks->len && (having || shown < NOTICES_MAX); i++) {
        Ask *ask = g_ptr_array_index(consent->asks, i);

        if (!ask->answered && notices_has(consent->notices, ask) == having)
            shown += notices_update(consent->notices, ask, locked) ? 1 : 0;
    }
    return shown;
}

static void
consent_update_notices(Consent *consent)
{
    guint shown = consent_update_some(consent, TRUE, 0);

    (void)consent_update_some(consent, FALSE, shown);
}

static void
consent_expire(Consent *consent)
{
    for (guint i = consent->asks->len; i-- > 0;) {
        Ask *ask = g_ptr_array_index(consent->asks, i);

        if (ask_left(ask) > 0 || ask->answered)
            continue;
        consent->events->notice(_("The stream was refused: nobody answered in time"), FALSE,
                                consent->data);
        consent_drop(consent, ask);
    }
}

static gboolean
consent_on_tick(gpointer data)
{
    Consent *consent = data;

    consent_expire(consent);
    consent_update_notices(consent);
    prompt_update(consent->prompt);
    if (consent->asks->len > 0)
        return G_SOURCE_CONTINUE;
    consent->tick = 0;
    return G_SOURCE_REMOVE;
}

static Ask *
consent_find(Consent *consent, const Daemon *daemon, const char *request)
{
    for (guint i = 0; i < consent->asks->len; i++) {
        Ask *ask = g_ptr_array_index(consent->asks, i);

        if (ask->daemon == daemon && g_str_equal(ask->path, request))
            return ask;
    }
    return NULL;
}

/* -- answering --------------------------------------------------------------------------------- */

/* An answer that was sent. */
typedef struct {
    Consent *consent;
    Daemon *daemon;
    char *path; /* of the request, which may be gone when the reply comes */
    char *told; /* what to say then */
} Answer;

/* Some answers are not taken, and the request goes on to wait: for another one, if there is time.
 */
static void
answer_refused(const Answer *answer, const GError *error)
{
    Ask *ask = consent_find(answer->consent, answer->daemon, answer->path);

    answer->consent->events->notice(error->message, TRUE, answer->consent->data);
    if (ask == NULL || !ask->answered)
        return;
    ask->answered = FALSE;
    ask->put_up = TRUE;
    ask->refusal = g_strdup(error->message);
    consent_show(answer->consent);
}

static void
answer_on_done(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Answer *answer = data;
    Ask *ask;

    if (error == NULL) {
        answer->consent->events->notice(answer->told, FALSE, answer->consent->data);
        ask = consent_find(answer->consent, answer->daemon, answer->path);
        if (ask != NULL && ask->answered)
            consent_drop(answer->consent, ask);
    } else {
        answer_refused(answer, error);
    }
    g_free(answer->path);
    g_free(answer->told);
    g_free(answer);
}

static void
consent_answer(Consent *consent, Ask *ask, gboolean allow, const char *reason)
{
    const DaemonCall call = {
        ask->path, STREAMD_REQUEST, allow ? "AcceptTo" : "Reject", g_variant_new("(s)", reason), 0,
        FALSE};
    g_autofree char *stream = ask_stream(ask);
    Answer *answer = g_new0(Answer, 1);

    answer->consent = consent;
    answer->daemon = ask->daemon;
    answer->path = g_strdup(ask->path);
    answer->told = allow ? g_strdup_printf(_("The stream “%s” was let in"), stream)
                         : g_strdup_printf(_("The stream “%s” was refused"), stream);
    ask->answered = TRUE;
    g_clear_pointer(&ask->refusal, g_free);
    notices_drop(consent->notices, ask);
    consent_show(consent);
    daemon_call(answer->daemon, &call, consent->cancellable, answer_on_done, answer);
}

static void
consent_on_prompt(Ask *ask, gboolean allow, const char *reason, void *data)
{
    consent_answer(data, ask, allow, allow ? "" : reason);
}

static void
consent_on_chosen(Ask *ask, NoticeChoice choice, void *data)
{
    Consent *consent = data;

    if (choice != NOTICE_SHOW) {
        consent_answer(consent, ask, choice == NOTICE_ALLOW, "");
        return;
    }
    ask->put_up = TRUE;
    prompt_show(consent->prompt, ask, consent_count_put_up(consent) - 1);
    prompt_present(consent->prompt);
}

static void
consent_on_helpless(Ask *ask, void *data)
{
    consent_put_up(data, ask);
}

/* -- from outside ------------------------------------------------------------------------------ */

static void
desk_on_asked(const char *request, GVariant *details, void *data)
{
    Desk *desk = data;
    Consent *consent = desk->consent;
    Ask *ask;

    if (consent->asks->len >= WAITING_MAX || consent_find(consent, desk->daemon, request) != NULL)
        return;
    ask = ask_new(desk->daemon, request, details);
    g_ptr_array_add(consent->asks, ask);
    if (consent->open)
        consent_put_up(consent, ask);
    consent_update_notices(consent);
    if (consent->tick == 0)
        consent->tick = g_timeout_add(TICK_MS, consent_on_tick, consent);
}

/* An unknown reason is shown as it is. */
static const char *
consent_reason(const char *reason)
{
    if (g_str_equal(reason, "decided"))
        return _("it was answered elsewhere");
    if (g_str_equal(reason, "timed-out"))
        return _("nobody answered in time");
    return g_str_equal(reason, "withdrawn") ? _("it was withdrawn") : reason;
}

static void
desk_on_cancelled(const char *request, const char *reason, void *data)
{
    Desk *desk = data;
    Ask *ask = consent_find(desk->consent, desk->daemon, request);
    g_autofree char *stream = NULL, *text = NULL;

    /* The reply to our own answer says what became of it. */
    if (ask == NULL || (ask->answered && g_str_equal(reason, "decided")))
        return;
    stream = ask_stream(ask);
    text = g_strdup_printf(_("The request for “%s” is over: %s"), stream, consent_reason(reason));
    consent_drop(desk->consent, ask);
    desk->consent->events->notice(text, FALSE, desk->consent->data);
}

/* That streamd has gone, or asks somebody else: nothing of it waits here, and another one gives the
 * same names to other requests. */
static void
desk_clear(Desk *desk)
{
    for (guint i = desk->consent->asks->len; i-- > 0;) {
        Ask *ask = g_ptr_array_index(desk->consent->asks, i);

        if (ask->daemon == desk->daemon)
            consent_drop(desk->consent, ask);
    }
}

static void
desk_on_agent(void *data)
{
    Desk *desk = data;

    if (!agent_registered(desk->agent))
        desk_clear(desk);
    desk->consent->events->changed(desk->consent->data);
}

static void
desk_on_state(void *data)
{
    Desk *desk = data;

    if (desk->agent != NULL)
        agent_daemon_changed(desk->agent);
}

static void
consent_on_lock(void *data)
{
    Consent *consent = data;

    consent_update_notices(consent);
    consent_retry(consent);
}

void
consent_set_wanted(Consent *consent, gboolean wanted)
{
    for (guint i = 0; i < G_N_ELEMENTS(consent->desks); i++)
        agent_set_wanted(consent->desks[i].agent, wanted);
}

void
consent_set_open(Consent *consent, gboolean open)
{
    consent->open = open;
}

void
consent_present(Consent *consent)
{
    for (guint i = 0; i < consent->asks->len; i++)
        consent_put_up(consent, g_ptr_array_index(consent->asks, i));
    prompt_present(consent->prompt);
}

gboolean
consent_waits(Consent *consent)
{
    for (guint i = 0; i < consent->asks->len; i++) {
        const Ask *ask = g_ptr_array_index(consent->asks, i);

        if (!ask->answered)
            return TRUE;
    }
    return FALSE;
}

void
consent_retry(Consent *consent)
{
    for (guint i = 0; i < G_N_ELEMENTS(consent->desks); i++)
        agent_retry(consent->desks[i].agent);
}

static Agent *
consent_agent(Consent *consent, GBusType bus)
{
    return consent->desks[bus == G_BUS_TYPE_SYSTEM ? 1 : 0].agent;
}

gboolean
consent_registered_on(Consent *consent, GBusType bus)
{
    return agent_registered(consent_agent(consent, bus));
}

gboolean
consent_registered(Consent *consent)
{
    return consent_registered_on(consent, G_BUS_TYPE_SESSION) ||
           consent_registered_on(consent, G_BUS_TYPE_SYSTEM);
}

const char *
consent_error_on(Consent *consent, GBusType bus)
{
    return agent_error(consent_agent(consent, bus));
}

static void
desk_start(Desk *desk, Consent *consent, GBusType bus)
{
    static const DaemonEvents daemon_events = {desk_on_state, NULL};
    static const AgentEvents agent_events = {desk_on_asked, desk_on_cancelled, desk_on_agent};

    desk->consent = consent;
    desk->daemon = daemon_new(bus, &daemon_events, desk);
    desk->agent = agent_new(desk->daemon, &agent_events, desk);
}

Consent *
consent_new(GtkApplication *application, const ConsentEvents *events, void *data)
{
    static const NoticeEvents notice_events = {consent_on_chosen, consent_on_helpless};
    GDBusConnection *session = g_application_get_dbus_connection(G_APPLICATION(application));
    Consent *consent = g_new0(Consent, 1);

    consent->events = events;
    consent->data = data;
    consent->cancellable = g_cancellable_new();
    consent->asks = g_ptr_array_new_with_free_func((GDestroyNotify)ask_free);
    consent->prompt = prompt_new(application, consent_on_prompt, consent);
    consent->notices = notices_new(session, &notice_events, consent);
    desk_start(&consent->desks[0], consent, G_BUS_TYPE_SESSION);
    desk_start(&consent->desks[1], consent, G_BUS_TYPE_SYSTEM);
    consent->lock = lock_new(session, consent_on_lock, consent);
    return consent;
}

void
consent_free(Consent *consent)
{
    if (consent == NULL)
        return;
    g_cancellable_cancel(consent->cancellable);
    g_object_unref(consent->cancellable);
    g_clear_handle_id(&consent->tick, g_source_remove);
    lock_free(consent->lock);
    prompt_free(consent->prompt);
    notices_free(consent->notices);
    for (guint i = 0; i < G_N_ELEMENTS(consent->desks); i++) {
        agent_free(consent->desks[i].agent);
        daemon_free(consent->desks[i].daemon);
    }
    g_ptr_array_unref(consent->asks);
    g_free(consent);
}
