/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/stream/handler.h"

#include "common/base/error.h"
#include "daemon/policy/accept-rule.h"

#include <string.h>

struct Handlers {
    GPtrArray *all; /* Handler */
    guint64 last_id;
};

struct Handler {
    Handlers *handlers;
    guint64 id;
    guint32 uid;
    char *name;
    const HandlerOps *ops;
    void *data;
    GQueue asks; /* HandlerAsk */
};

struct HandlerAsk {
    Handler *handler;
    GList link;
    HandlerAnswered answered;
    void *data;
    gpointer call;
    guint timer;
};

Handlers *
handlers_new(void)
{
    Handlers *handlers = g_new0(Handlers, 1);

    handlers->all = g_ptr_array_new();
    return handlers;
}

void
handlers_free(Handlers *handlers)
{
    if (!handlers)
        return;
    g_ptr_array_unref(handlers->all);
    g_free(handlers);
}

static gboolean
check_name(const char *name, GError **error)
{
    gsize len = strlen(name);

    for (gsize i = 0; i < len && len <= ACCEPT_HANDLER_MAX; i++)
        if (name[i] <= 0x20 || name[i] > 0x7e)
            len = 0;
    if (len >= 1 && len <= ACCEPT_HANDLER_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "a handler's name is 1 to %d printable ASCII characters without a blank",
                ACCEPT_HANDLER_MAX);
    return FALSE;
}

static gboolean
handlers_have_room(const Handlers *handlers, guint32 uid, GError **error)
{
    guint of_user = 0;

    for (guint i = 0; i < handlers->all->len; i++)
        of_user += ((Handler *)handlers->all->pdata[i])->uid == uid;
    if (of_user < HANDLERS_PER_UID && handlers->all->len < HANDLERS_MAX)
        return TRUE;
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_LIMIT,
                "at most %d handlers of a user are registered, and %d in all", HANDLERS_PER_UID,
                HANDLERS_MAX);
    return FALSE;
}

Handler *
handlers_add(Handlers *handlers, guint32 uid, const char *name, const HandlerOps *ops, void *data,
             GError **error)
{
    Handler *handler;

    if (!check_name(name, error))
        return NULL;
    if (handlers_find(handlers, uid, name)) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS,
                    "user %u has registered a handler \"%s\" already", uid, name);
        return NULL;
    }
    if (!handlers_have_room(handlers, uid, error))
        return NULL;
    handler = g_new0(Handler, 1);
    handler->handlers = handlers;
    handler->id = ++handlers->last_id;
    handler->uid = uid;
    handler->name = g_strdup(name);
    handler->ops = ops;
    handler->data = data;
    g_queue_init(&handler->asks);
    g_ptr_array_add(handlers->all, handler);
    return handler;
}

static void
handler_ask_end(HandlerAsk *ask)
{
    if (ask->timer)
        g_source_remove(ask->timer);
    g_queue_unlink(&ask->handler->asks, &ask->link);
    g_free(ask);
}

static void
handler_ask_tell(HandlerAsk *ask, Reason reason, const char *text)
{
    HandlerAnswered answered = ask->answered;
    void *data = ask->data;

    handler_ask_end(ask);
    answered(reason, text, data);
}

/* There is no answer, or it is late. */
static void
handler_ask_give_up(HandlerAsk *ask, const char *text)
{
    if (ask->call)
        ask->handler->ops->cancel(ask->call, ask->handler->data);
    handler_ask_tell(ask, REASON_NO_HANDLER, text);
}

void
handler_remove(Handler *handler)
{
    g_ptr_array_remove(handler->handlers->all, handler);
    while (handler->asks.head)
        handler_ask_give_up(handler->asks.head->data, "the device's app for this stream has left");
    g_free(handler->name);
    g_free(handler);
}

Handler *
handlers_find(Handlers *handlers, guint32 uid, const char *name)
{
    for (guint i = 0; i < handlers->all->len; i++) {
        Handler *handler = handlers->all->pdata[i];

        if (handler->uid == uid && g_str_equal(handler->name, name))
            return handler;
    }
    return NULL;
}

guint64
handler_id(const Handler *handler)
{
    return handler->id;
}

static gboolean
handler_ask_timed_out(gpointer data)
{
    HandlerAsk *ask = data;

    ask->timer = 0;
    handler_ask_give_up(ask, ask->call ? "the device's app for this stream does not answer"
                                       : "the device's app for this stream cannot be called");
    return G_SOURCE_REMOVE;
}

HandlerAsk *
handler_ask(Handler *handler, const HandlerStream *what, gint64 timeout, HandlerAnswered answered,
            void *data)
{
    HandlerAsk *ask = g_new0(HandlerAsk, 1);

    ask->handler = handler;
    ask->link.data = ask;
    ask->answered = answered;
    ask->data = data;
    g_queue_push_tail_link(&handler->asks, &ask->link);
    ask->call = handler->ops->ask(what, ask, handler->data);
    ask->timer = g_timeout_add(ask->call ? (guint)(timeout / 1000) : 0, handler_ask_timed_out, ask);
    return ask;
}

void
handler_ask_cancel(HandlerAsk *ask)
{
    if (!ask)
        return;
    if (ask->call)
        ask->handler->ops->cancel(ask->call, ask->handler->data);
    handler_ask_end(ask);
}

/* Keeps printable ASCII, up to the length that is sent. */
static char *
text_to_travel(const char *text)
{
    char *fit = g_strndup(text, ACCEPT_TEXT_MAX);

    for (char *c = fit; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return fit;
}

void
handler_ask_answer(HandlerAsk *ask, gboolean accept, const char *text)
{
    g_autofree char *fit = text_to_travel(text);

    handler_ask_tell(ask, accept ? REASON_NONE : REASON_REJECTED, *fit && !accept ? fit : NULL);
}

void
handler_ask_failed(HandlerAsk *ask, const char *text)
{
    handler_ask_tell(ask, REASON_NO_HANDLER, text);
}

gboolean
handlers_deliver(Handlers *handlers, guint64 id, const HandlerStream *what, int fd)
{
    for (guint i = 0; i < handlers->all->len; i++) {
        Handler *handler = handlers->all->pdata[i];

        if (handler->id != id)
            continue;
        handler->ops->deliver(what, fd, handler->data);
        return TRUE;
    }
    return FALSE;
}
