/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/subscriber.h"

#include <errno.h>

struct Subscribers {
    BusContext *context; /* weak */
    GHashTable *table;   /* Caller -> Subscriber */
    GHashTable *openers; /* the path of an object -> Opener */
};

typedef struct {
    Subscribers *subscribers; /* weak */
    Caller *caller;           /* weak; valid while WATCH exists */
    CallerWatch *watch;
    gboolean all;
    guint agents; /* number of agents that it has registered */
} Subscriber;

typedef struct {
    Subscribers *subscribers; /* weak */
    Caller *caller;           /* weak; valid while WATCH exists */
    CallerWatch *watch;
    char *path;
} Opener;

static void
opener_free(gpointer data)
{
    Opener *opener = data;

    caller_unwatch(opener->watch);
    g_free(opener->path);
    g_free(opener);
}

static void
opener_gone(void *data)
{
    const Opener *opener = data;

    (void)g_hash_table_remove(opener->subscribers->openers, opener->path);
}

static void
subscriber_free(gpointer data)
{
    Subscriber *subscriber = data;

    caller_unwatch(subscriber->watch);
    g_free(subscriber);
}

static void
subscriber_gone(void *data)
{
    const Subscriber *subscriber = data;

    (void)g_hash_table_remove(subscriber->subscribers->table, subscriber->caller);
}

Subscribers *
subscribers_new(BusContext *context)
{
    Subscribers *subscribers = g_new0(Subscribers, 1);

    subscribers->context = context;
    subscribers->table = g_hash_table_new_full(NULL, NULL, NULL, subscriber_free);
    subscribers->openers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, opener_free);
    return subscribers;
}

void
subscribers_free(Subscribers *subscribers)
{
    if (subscribers == NULL)
        return;
    g_hash_table_unref(subscribers->table);
    g_hash_table_unref(subscribers->openers);
    g_free(subscribers);
}

static Subscriber *
subscribers_have(Subscribers *subscribers, Caller *caller)
{
    Subscriber *subscriber = g_hash_table_lookup(subscribers->table, caller);

    if (subscriber == NULL) {
        subscriber = g_new0(Subscriber, 1);
        subscriber->subscribers = subscribers;
        subscriber->caller = caller;
        subscriber->watch = caller_watch(caller, subscriber_gone, subscriber);
        g_hash_table_insert(subscribers->table, caller, subscriber);
    }
    return subscriber;
}

void
subscribers_add(Subscribers *subscribers, Caller *caller, gboolean all)
{
    subscribers_have(subscribers, caller)->all |= all;
}

void
subscribers_add_opener(Subscribers *subscribers, Caller *caller, const char *path)
{
    Opener *opener;

    if (!subscribers->context->options.system)
        return;
    opener = g_new0(Opener, 1);
    opener->subscribers = subscribers;
    opener->caller = caller;
    opener->watch = caller_watch(caller, opener_gone, opener);
    opener->path = g_strdup(path);
    (void)g_hash_table_replace(subscribers->openers, opener->path, opener);
}

void
subscribers_drop_opener(Subscribers *subscribers, const char *path)
{
    (void)g_hash_table_remove(subscribers->openers, path);
}

void
subscribers_add_agent(Subscribers *subscribers, Caller *caller)
{
    subscribers_have(subscribers, caller)->agents++;
}

void
subscribers_drop_agent(Subscribers *subscribers, const Caller *caller)
{
    Subscriber *subscriber = g_hash_table_lookup(subscribers->table, caller);

    if (subscriber != NULL) /* when the caller leaves, it may be removed here first */
        subscriber->agents--;
}

gboolean
subscribers_see_all(Subscribers *subscribers, const Caller *caller)
{
    const Subscriber *subscriber = g_hash_table_lookup(subscribers->table, caller);

    return (subscriber != NULL && subscriber->all) ||
           bus_context_is_privileged(subscribers->context, caller);
}

gboolean
subscribers_see(Subscribers *subscribers, const Caller *caller, uid_t owner)
{
    return caller_uid(caller) == owner || subscribers_see_all(subscribers, caller);
}

gboolean
subscribers_see_requests(Subscribers *subscribers, const Caller *caller)
{
    const Subscriber *subscriber = g_hash_table_lookup(subscribers->table, caller);

    return subscribers_see_all(subscribers, caller) ||
           (subscriber != NULL && subscriber->agents > 0);
}

/* A message has one destination, so each subscriber gets its own copy. */
static int
subscribers_copy(sd_bus *bus, const Caller *caller, sd_bus_message *signal)
{
    g_autoptr(sd_bus_message) copy = NULL;
    int r;

    r = sd_bus_message_new_signal(bus, &copy, sd_bus_message_get_path(signal),
                                  sd_bus_message_get_interface(signal),
                                  sd_bus_message_get_member(signal));
    if (r >= 0)
        r = sd_bus_message_set_destination(copy, caller_name(caller));
    if (r >= 0)
        r = sd_bus_message_rewind(signal, 1);
    if (r >= 0)
        r = sd_bus_message_copy(copy, signal, 1);
    return r < 0 ? r : sd_bus_send(bus, copy, NULL);
}

/* Returns the signal for a subscriber; NULL: none. */
typedef sd_bus_message *(*SubscribersPick)(Subscribers *subscribers, const Caller *caller,
                                           const void *data);

static int
subscribers_send_one(Subscribers *subscribers, const Caller *caller, SubscribersPick pick,
                     const void *data)
{
    sd_bus_message *signal = pick(subscribers, caller, data);
    int r;

    if (signal == NULL)
        return 0;
    r = sd_bus_message_seal(signal, 1, 0); /* seals it for reading; it is never sent itself */
    if (r < 0 && r != -EPERM)              /* sealed already */
        return r;
    return subscribers_copy(subscribers->context->bus, caller, signal);
}

/* PATH NULL: of an object that nobody has opened. */
static void
subscribers_send(Subscribers *subscribers, const char *path, SubscribersPick pick, const void *data)
{
    const Opener *opener = path != NULL ? g_hash_table_lookup(subscribers->openers, path) : NULL;
    GHashTableIter iter;
    gpointer caller;
    int r = 0;

    g_hash_table_iter_init(&iter, subscribers->table);
    while (r >= 0 && g_hash_table_iter_next(&iter, &caller, NULL))
        r = subscribers_send_one(subscribers, caller, pick, data);
    if (r >= 0 && opener != NULL && !g_hash_table_contains(subscribers->table, opener->caller))
        r = subscribers_send_one(subscribers, opener->caller, pick, data);
    if (r < 0)
        g_debug("Cannot send a signal: %s", g_strerror(-r));
}

typedef struct {
    uid_t before, owner;
    sd_bus_message *added, *changed, *removed;
} Told;

static sd_bus_message *
pick_by_owner(Subscribers *subscribers, const Caller *caller, const void *data)
{
    const Told *told = data;
    gboolean sees = subscribers_see(subscribers, caller, told->owner);

    if (subscribers_see(subscribers, caller, told->before))
        return sees ? told->changed : told->removed;
    return sees ? told->added : NULL;
}

static sd_bus_message *
pick_by_right(Subscribers *subscribers, const Caller *caller, const void *data)
{
    return subscribers_see_requests(subscribers, caller) ? ((const Told *)data)->changed : NULL;
}

void
subscribers_tell(Subscribers *subscribers, const char *path, uid_t owner, sd_bus_message *signal)
{
    subscribers_send(subscribers, path, pick_by_owner, &(Told){owner, owner, NULL, signal, NULL});
}

void
subscribers_tell_requests(Subscribers *subscribers, sd_bus_message *signal)
{
    subscribers_send(subscribers, NULL, pick_by_right, &(Told){.changed = signal});
}

void
subscribers_tell_moved(Subscribers *subscribers, uid_t before, uid_t owner, sd_bus_message *added,
                       sd_bus_message *changed, sd_bus_message *removed)
{
    subscribers_send(subscribers, NULL, pick_by_owner,
                     &(Told){before, owner, added, changed, removed});
}
