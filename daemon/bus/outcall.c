/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/outcall.h"

struct Outcalls {
    sd_bus *bus;
    GQueue waiting; /* Outcall, the oldest first */
    GQueue sent;
};

struct Outcall {
    Outcalls *outcalls; /* weak */
    GList link;
    uid_t uid;
    sd_bus_message *message; /* until it is sent */
    sd_bus_slot *slot;
    guint failed;     /* idle source, when it could not be sent */
    OutcallDone done; /* NULL: cancelled */
    void *data;
};

static void outcalls_pump(Outcalls *outcalls);

Outcalls *
outcalls_new(sd_bus *bus)
{
    Outcalls *outcalls = g_new0(Outcalls, 1);

    outcalls->bus = sd_bus_ref(bus);
    g_queue_init(&outcalls->waiting);
    g_queue_init(&outcalls->sent);
    return outcalls;
}

gboolean
outcall_is_sent(const Outcall *call)
{
    return call->message == NULL;
}

static void
outcall_free(Outcall *call)
{
    g_queue_unlink(outcall_is_sent(call) ? &call->outcalls->sent : &call->outcalls->waiting,
                   &call->link);
    if (call->failed != 0)
        g_source_remove(call->failed);
    sd_bus_message_unref(call->message);
    sd_bus_slot_unref(call->slot);
    g_free(call);
}

void
outcalls_free(Outcalls *outcalls)
{
    if (outcalls == NULL)
        return;
    while (outcalls->sent.head != NULL)
        outcall_free(outcalls->sent.head->data);
    sd_bus_unref(outcalls->bus);
    g_free(outcalls);
}

/* Frees the call first, so that DONE can use its place. */
static void
outcall_end(Outcall *call, sd_bus_message *reply)
{
    Outcalls *outcalls = call->outcalls;
    OutcallDone done = call->done;
    void *data = call->data;

    outcall_free(call);
    if (done != NULL)
        done(reply, data);
    outcalls_pump(outcalls);
}

static int
outcall_on_reply(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    outcall_end(data, reply);
    return 0;
}

static gboolean
outcall_on_failure(gpointer data)
{
    Outcall *call = data;

    call->failed = 0;
    outcall_end(call, NULL);
    return G_SOURCE_REMOVE;
}

static void
outcall_start(Outcall *call)
{
    Outcalls *outcalls = call->outcalls;
    g_autoptr(sd_bus_message) message = g_steal_pointer(&call->message);
    int r;

    g_queue_unlink(&outcalls->waiting, &call->link);
    g_queue_push_tail_link(&outcalls->sent, &call->link);
    r = sd_bus_call_async(outcalls->bus, &call->slot, message, outcall_on_reply, call, G_MAXUINT64);
    if (r < 0)
        call->failed = g_idle_add(outcall_on_failure, call);
}

static gboolean
outcalls_have_place(const Outcalls *outcalls, uid_t uid)
{
    guint of_user = 0;

    for (const GList *l = outcalls->sent.head; l != NULL; l = l->next)
        of_user += ((const Outcall *)l->data)->uid == uid;
    return outcalls->sent.length < OUTCALLS_MAX && of_user < OUTCALLS_PER_UID;
}

static void
outcalls_pump(Outcalls *outcalls)
{
    GList *next;

    for (GList *l = outcalls->waiting.head; l != NULL && outcalls->sent.length < OUTCALLS_MAX;
         l = next) {
        Outcall *call = l->data;

        next = l->next;
        if (outcalls_have_place(outcalls, call->uid))
            outcall_start(call);
    }
}

Outcall *
outcalls_send(Outcalls *outcalls, uid_t uid, sd_bus_message *message, OutcallDone done, void *data)
{
    Outcall *call;

    if (outcalls->waiting.length >= OUTCALLS_WAITING_MAX)
        return NULL;
    call = g_new0(Outcall, 1);
    call->outcalls = outcalls;
    call->link.data = call;
    call->uid = uid;
    call->message = sd_bus_message_ref(message);
    call->done = done;
    call->data = data;
    g_queue_push_tail_link(&outcalls->waiting, &call->link);
    outcalls_pump(outcalls);
    return call;
}

void
outcall_cancel(Outcall *call)
{
    if (outcall_is_sent(call))
        call->done = NULL;
    else
        outcall_free(call);
}
