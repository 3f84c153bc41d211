/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/bouncer.h"

#include "daemon/bus/error.h"

#include <errno.h>
#include <errno.h>
#include <string.h>

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY "org.freedesktop.PolicyKit1.Authority"

/* CheckAuthorizationFlags: AllowUserInteraction. */
#define ALLOW_USER_INTERACTION 1u

/* Limit for another program's text in our error. */
#define POLKIT_TEXT_MAX 200

struct Bouncer {
    sd_bus *bus;
    gint64 timeout;
    guint64 last_id;
    GHashTable *queries; /* sd_bus_message -> Query, which holds a reference to it */
    GQueue waiting;      /* Query: not asked yet, in order */
    guint asked;         /* queries sent to polkit and not answered yet */
    guint idle;          /* GSource that removes answered queries */
};

typedef enum { QUERY_WAITS, QUERY_ASKED, QUERY_ANSWERED } QueryState;

typedef struct {
    Bouncer *bouncer; /* weak */
    Caller *caller;   /* weak; valid while WATCH exists */
    CallerWatch *watch;
    sd_bus_message *message;
    char *action;
    GStrv details;
    char *cancel_id;
    gint64 deadline; /* monotonic */
    QueryState state;
    sd_bus_slot *slot;    /* while polkit is asked */
    sd_bus_error verdict; /* once it is answered; not set: yes */
} Query;

static void bouncer_pump(Bouncer *bouncer);

static void
query_cancel(const Query *query)
{
    int r =
        sd_bus_call_method_async(query->bouncer->bus, NULL, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                                 "CancelCheckAuthorization", NULL, NULL, "s", query->cancel_id);

    if (r < 0)
        g_debug("Cannot cancel a question to polkit: %s", g_strerror(-r));
}

static void
query_free(gpointer data)
{
    Query *query = data;

    if (query->state == QUERY_ASKED) {
        query->bouncer->asked--;
        query_cancel(query);
    } else if (query->state == QUERY_WAITS) {
        (void)g_queue_remove(&query->bouncer->waiting, query);
    }
    sd_bus_slot_unref(query->slot);
    caller_unwatch(query->watch);
    sd_bus_message_unref(query->message);
    sd_bus_error_free(&query->verdict);
    g_strfreev(query->details);
    g_free(query->cancel_id);
    g_free(query->action);
    g_free(query);
}

static void
query_caller_gone(void *data)
{
    const Query *query = data;
    Bouncer *bouncer = query->bouncer;

    (void)g_hash_table_remove(bouncer->queries, query->message);
    bouncer_pump(bouncer);
}

static gboolean
bouncer_is_answered(gpointer message, gpointer query, gpointer data)
{
    return ((const Query *)query)->state == QUERY_ANSWERED;
}

static gboolean
bouncer_forget(gpointer data)
{
    Bouncer *bouncer = data;

    bouncer->idle = 0;
    (void)g_hash_table_foreach_remove(bouncer->queries, bouncer_is_answered, NULL);
    return G_SOURCE_REMOVE;
}

/* Removes queries whose message never came back to bouncer_check. It has the lowest priority, and
 * messages in the connection's queue keep that source ready, so it runs only when all of them have
 * been handled. */
static void
bouncer_forget_later(Bouncer *bouncer)
{
    if (bouncer->idle == 0)
        bouncer->idle = g_idle_add_full(G_PRIORITY_LOW, bouncer_forget, bouncer, NULL);
}

/* polkit did not decide: the error has the text of whoever failed, shortened. */
static void
query_fail(Query *query, const sd_bus_error *failure)
{
    const char *text = failure != NULL && failure->message != NULL ? failure->message : "no reason";
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, POLKIT_TEXT_MAX));

    if (sd_bus_error_has_name(failure, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
        sd_bus_error_has_name(failure, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
        (void)sd_bus_error_set(&query->verdict, SD_BUS_ERROR_AUTH_FAILED,
                               "this needs an authorization, but polkit is not running");
    else
        (void)sd_bus_error_setf(&query->verdict, SD_BUS_ERROR_AUTH_FAILED,
                                "this needs an authorization (%s), but polkit failed: %s",
                                query->action, valid);
}

/* "(bba{ss})": authorized, would be after a dialogue, details. */
static void
query_judge(Query *query, sd_bus_message *reply)
{
    int authorized = 0, challenge = 0;
    int r;

    if (sd_bus_message_is_method_error(reply, NULL)) {
        query_fail(query, sd_bus_message_get_error(reply));
        return;
    }
    r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
    if (r < 0)
        query_fail(query, &SD_BUS_ERROR_MAKE_CONST(POLKIT, "its answer is malformed"));
    else if (!authorized && challenge)
        (void)sd_bus_error_setf(&query->verdict, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "this needs an authentication (%s)", query->action);
    else if (!authorized)
        (void)sd_bus_error_setf(&query->verdict, SD_BUS_ERROR_ACCESS_DENIED,
                                "polkit does not allow this (%s)", query->action);
}

/* The verdict is there: the message is routed again from the start. */
static void
query_replay(Query *query)
{
    int r;

    query->state = QUERY_ANSWERED;
    r = sd_bus_message_rewind(query->message, 1);
    if (r >= 0)
        r = sd_bus_enqueue_for_read(query->bouncer->bus, query->message);
    if (r < 0)
        g_warning("A call of %s is lost: %s", caller_name(query->caller), g_strerror(-r));
    bouncer_forget_later(query->bouncer);
}

static int
query_on_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    Query *query = data;

    query_judge(query, reply);
    /* A time-out, ours or polkit's: polkit may still be busy, with a dialogue on a screen. */
    if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY) ||
        sd_bus_message_is_method_error(reply, SD_BUS_ERROR_TIMEOUT))
        query_cancel(query);
    query->slot = sd_bus_slot_unref(query->slot);
    query->bouncer->asked--;
    query_replay(query);
    bouncer_pump(query->bouncer);
    return 0;
}

static int
query_append_details(const Query *query, sd_bus_message *question)
{
    int r;

    r = sd_bus_message_open_container(question, 'a', "{ss}");
    for (guint i = 0; r >= 0 && query->details[i] != NULL; i += 2)
        r = sd_bus_message_append(question, "{ss}", query->details[i], query->details[i + 1]);
    return r < 0 ? r : sd_bus_message_close_container(question);
}

static int
query_send(Query *query, gint64 timeout)
{
    g_autoptr(sd_bus_message) question = NULL;
    sd_bus *bus = query->bouncer->bus;
    int interactive = sd_bus_message_get_allow_interactive_authorization(query->message);
    int r;

    r = sd_bus_message_new_method_call(bus, &question, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                                       "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(question, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                  caller_name(query->caller), query->action);
    if (r >= 0)
        r = query_append_details(query, question);
    if (r >= 0)
        r = sd_bus_message_append(question, "us", interactive > 0 ? ALLOW_USER_INTERACTION : 0u,
                                  query->cancel_id);
    if (r >= 0)
        r = sd_bus_call_async(bus, &query->slot, question, query_on_answer, query,
                              (uint64_t)timeout);
    return r;
}

static void
query_ask(Query *query)
{
    gint64 left = query->deadline - g_get_monotonic_time();
    int r = left > 0 ? query_send(query, left) : -ETIMEDOUT;

    if (r >= 0) {
        query->state = QUERY_ASKED;
        query->bouncer->asked++;
        return;
    }
    query_fail(query, &SD_BUS_ERROR_MAKE_CONST(POLKIT, g_strerror(-r)));
    query_replay(query);
}

/* How many queries one caller and one user have, and how many of that user are sent to polkit. */
typedef struct {
    guint caller, uid, asked;
} Counts;

static Counts
bouncer_count(Bouncer *bouncer, const Caller *caller)
{
    Counts counts = {0};
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, bouncer->queries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Query *query = value;

        if (query->caller == caller)
            counts.caller++;
        if (caller_uid(query->caller) != caller_uid(caller))
            continue;
        counts.uid++;
        if (query->state == QUERY_ASKED)
            counts.asked++;
    }
    return counts;
}

/* Sends waiting queries to polkit, as many as the limits allow. */
static void
bouncer_pump(Bouncer *bouncer)
{
    GList *next;

    for (GList *link = bouncer->waiting.head; link != NULL; link = next) {
        Query *query = link->data;

        next = link->next;
        if (bouncer->asked >= BOUNCER_ASKED_MAX)
            return;
        if (bouncer_count(bouncer, query->caller).asked >= BOUNCER_ASKED_PER_UID)
            continue;
        g_queue_delete_link(&bouncer->waiting, link);
        query_ask(query);
    }
}

static int
bouncer_ask(Bouncer *bouncer, Caller *caller, sd_bus_message *message, const char *action,
            const char *const *details, sd_bus_error *error)
{
    Counts counts = bouncer_count(bouncer, caller);
    Query *query;

    if (counts.caller >= BOUNCER_QUERIES_PER_CALLER || counts.uid >= BOUNCER_QUERIES_PER_UID ||
        g_hash_table_size(bouncer->queries) >= BOUNCER_QUERIES_MAX)
        return bus_error_setf(error, STREAMD_ERROR_LIMIT,
                              "too many calls wait for polkit (at most %d of one caller, %d of one "
                              "user, %d in all)",
                              BOUNCER_QUERIES_PER_CALLER, BOUNCER_QUERIES_PER_UID,
                              BOUNCER_QUERIES_MAX);
    query = g_new0(Query, 1);
    query->bouncer = bouncer;
    query->caller = caller;
    query->message = sd_bus_message_ref(message);
    query->action = g_strdup(action);
    query->details = g_strdupv((char **)details);
    query->cancel_id = g_strdup_printf("streamd-%" G_GUINT64_FORMAT, ++bouncer->last_id);
    query->deadline = g_get_monotonic_time() + bouncer->timeout;
    query->watch = caller_watch(caller, query_caller_gone, query);
    g_hash_table_insert(bouncer->queries, query->message, query);
    g_queue_push_tail(&bouncer->waiting, query);
    bouncer_pump(bouncer);
    return 1;
}

/* A yes is valid only for what was asked: the only hub, for example, may be another by now. */
static int
query_verdict(const Query *query, const Caller *caller, const char *action,
              const char *const *details, sd_bus_error *error)
{
    if (query->state != QUERY_ANSWERED || query->caller != caller ||
        g_strcmp0(query->action, action) != 0 ||
        !g_strv_equal((const char *const *)query->details, details))
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                "the object changed while the call was being authorized");
    if (sd_bus_error_is_set(&query->verdict))
        return sd_bus_error_copy(error, &query->verdict);
    return 0;
}

int
bouncer_check(Bouncer *bouncer, Caller *caller, sd_bus_message *message, const char *action,
              const char *const *details, sd_bus_error *error)
{
    const Query *query = g_hash_table_lookup(bouncer->queries, message);
    int r;

    if (query == NULL)
        return bouncer_ask(bouncer, caller, message, action, details, error);
    r = query_verdict(query, caller, action, details, error);
    (void)g_hash_table_remove(bouncer->queries, message);
    return r;
}

gboolean
bouncer_knows(const Bouncer *bouncer, sd_bus_message *message)
{
    return g_hash_table_contains(bouncer->queries, message);
}

guint
bouncer_queries(const Bouncer *bouncer)
{
    return g_hash_table_size(bouncer->queries);
}

Bouncer *
bouncer_new(sd_bus *bus, gint64 timeout)
{
    Bouncer *bouncer = g_new0(Bouncer, 1);

    bouncer->bus = sd_bus_ref(bus);
    bouncer->timeout = timeout > 0 ? timeout : BOUNCER_TIMEOUT;
    g_queue_init(&bouncer->waiting);
    bouncer->queries = g_hash_table_new_full(NULL, NULL, NULL, query_free);
    return bouncer;
}

void
bouncer_free(Bouncer *bouncer)
{
    if (bouncer == NULL)
        return;
    if (bouncer->idle != 0)
        (void)g_source_remove(bouncer->idle);
    g_hash_table_unref(bouncer->queries);
    sd_bus_unref(bouncer->bus);
    g_free(bouncer);
}
