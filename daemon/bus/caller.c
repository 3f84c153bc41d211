/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus/caller.h"

#include "daemon/bus/bounds.h"
#include "daemon/bus/error.h"

#include <string.h>
#include <unistd.h>

#define DRIVER "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

struct Callers {
    sd_bus *bus;
    CallerAdmit admit;
    void *data;
    sd_bus_slot *filter;
    GHashTable *names; /* unique name -> Caller */
};

struct Caller {
    Callers *callers; /* weak */
    char *name;
    uid_t uid;
    guint64 pid;
    GArray *groups;     /* gid_t */
    gboolean known;     /* UID and GROUPS are set */
    GQueue held;        /* sd_bus_message: calls that wait for the UID */
    GQueue watches;     /* CallerWatch */
    sd_bus_slot *match; /* NameOwnerChanged of the name */
    sd_bus_slot *query; /* GetConnectionCredentials */
};

struct CallerWatch {
    Caller *caller; /* weak */
    void (*gone)(void *data);
    void *data;
};

static void
caller_free(gpointer data)
{
    Caller *caller = data;

    sd_bus_slot_unref(caller->match);
    sd_bus_slot_unref(caller->query);
    g_queue_clear_full(&caller->held, bus_util_free_message);
    g_queue_clear_full(&caller->watches, g_free);
    g_array_unref(caller->groups);
    g_free(caller->name);
    g_free(caller);
}

/* The name has left the bus: each watch is told once. */
static void
caller_gone(Caller *caller)
{
    Callers *callers = caller->callers;
    CallerWatch *watch;

    g_hash_table_steal(callers->names, caller->name);
    while ((watch = g_queue_pop_head(&caller->watches)) != NULL) {
        watch->gone(watch->data);
        g_free(watch);
    }
    caller_free(caller);
}

static int
caller_on_owner_changed(sd_bus_message *message, void *data, sd_bus_error *error)
{
    const char *new_owner;
    int r;

    r = sd_bus_message_read(message, "sss", NULL, NULL, &new_owner);
    if (r < 0)
        return r;
    if (*new_owner == '\0')
        caller_gone(data);
    return 0;
}

/* Puts the held calls back into the connection's queue. They are routed again from the start, so
 * objects are looked up again. */
static void
caller_replay(Caller *caller)
{
    sd_bus_message *message;

    while ((message = g_queue_pop_head(&caller->held)) != NULL) {
        if (sd_bus_message_rewind(message, 1) < 0 ||
            sd_bus_enqueue_for_read(caller->callers->bus, message) < 0)
            g_warning("A call of %s is lost: out of memory", caller->name);
        sd_bus_message_unref(message);
    }
}

static int
caller_read_groups(Caller *caller, sd_bus_message *reply)
{
    uint32_t group;
    int r;

    r = sd_bus_message_enter_container(reply, 'v', "au");
    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'a', "u");
    while (r >= 0 && (r = sd_bus_message_read(reply, "u", &group)) > 0) {
        gid_t gid = group;

        if (caller->groups->len < CALLER_GROUPS_MAX)
            g_array_append_val(caller->groups, gid);
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(reply);
    return r < 0 ? r : sd_bus_message_exit_container(reply);
}

/* One "{sv}" of GetConnectionCredentials (D-Bus specification, "Message Bus Messages"). */
static int
caller_read_credential(Caller *caller, sd_bus_message *reply)
{
    const char *key;
    uint32_t number;
    gboolean pid;
    int r;

    r = sd_bus_message_read(reply, "s", &key);
    if (r < 0)
        return r;
    if (strcmp(key, "UnixGroupIDs") == 0)
        return caller_read_groups(caller, reply);
    pid = strcmp(key, "ProcessID") == 0;
    if (!pid && strcmp(key, "UnixUserID") != 0)
        return sd_bus_message_skip(reply, "v");
    r = sd_bus_message_read(reply, "v", "u", &number);
    if (r < 0)
        return r;
    if (pid) {
        caller->pid = number;
        return 0;
    }
    caller->uid = number;
    caller->known = TRUE;
    return 0;
}

static int
caller_read_credentials(Caller *caller, sd_bus_message *reply)
{
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
        r = caller_read_credential(caller, reply);
        if (r >= 0)
            r = sd_bus_message_exit_container(reply);
    }
    return r;
}

/* One user must not take the places of all others. */
static gboolean
caller_is_one_too_many(const Caller *caller)
{
    GHashTableIter iter;
    gpointer value;
    guint count = 0;

    if (caller->uid == 0 || caller->uid == getuid())
        return FALSE;
    g_hash_table_iter_init(&iter, caller->callers->names);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((const Caller *)value)->known && ((const Caller *)value)->uid == caller->uid)
            count++;
    return count > CALLERS_PER_UID;
}

/* Refuses the held calls and forgets the caller: its next call is handled as its first. */
static void
caller_refuse(Caller *caller)
{
    g_auto(sd_bus_error) error = SD_BUS_ERROR_NULL;
    sd_bus_message *message;

    (void)bus_error_setf(&error, STREAMD_ERROR_LIMIT,
                         "user %u calls from %d connections already, which is the limit",
                         (unsigned)caller->uid, CALLERS_PER_UID);
    while ((message = g_queue_pop_head(&caller->held)) != NULL) {
        (void)sd_bus_reply_method_error(message, &error);
        sd_bus_message_unref(message);
    }
    caller_gone(caller);
}

static int
caller_on_credentials(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    Caller *caller = data;

    /* The bus does not know the name any more: there is nobody to answer. */
    if (sd_bus_message_is_method_error(reply, NULL) || caller_read_credentials(caller, reply) < 0 ||
        !caller->known) {
        caller_gone(caller);
        return 0;
    }
    caller->query = sd_bus_slot_unref(caller->query);
    if (caller_is_one_too_many(caller))
        caller_refuse(caller);
    else
        caller_replay(caller);
    return 0;
}

/* The match is added first, so that one of the two notices a name that leaves. */
static int
caller_ask(Caller *caller)
{
    sd_bus *bus = caller->callers->bus;
    g_autofree char *rule =
        g_strdup_printf("type='signal',sender='" DRIVER "',path='" DRIVER_PATH
                        "',interface='" DRIVER "',member='NameOwnerChanged',arg0='%s'",
                        caller->name);
    int r;

    r = sd_bus_add_match_async(bus, &caller->match, rule, caller_on_owner_changed, NULL, caller);
    if (r < 0)
        return r;
    return sd_bus_call_method_async(bus, &caller->query, DRIVER, DRIVER_PATH, DRIVER,
                                    "GetConnectionCredentials", caller_on_credentials, caller, "s",
                                    caller->name);
}

static int
callers_add(Callers *callers, const char *name, Caller **ret_caller, sd_bus_error *error)
{
    Caller *caller;
    int r;

    if (g_hash_table_size(callers->names) >= CALLERS_MAX)
        return bus_error_setf(error, STREAMD_ERROR_LIMIT, "more than %d callers at once",
                              CALLERS_MAX);
    caller = g_new0(Caller, 1);
    caller->callers = callers;
    caller->name = g_strdup(name);
    caller->groups = g_array_new(FALSE, FALSE, sizeof(gid_t));
    g_queue_init(&caller->held);
    g_queue_init(&caller->watches);
    r = caller_ask(caller);
    if (r < 0) {
        caller_free(caller);
        return r;
    }
    g_hash_table_insert(callers->names, caller->name, caller);
    *ret_caller = caller;
    return 0;
}

static int
caller_hold(Caller *caller, sd_bus_message *message, sd_bus_error *error)
{
    if (g_queue_get_length(&caller->held) >= CALLER_HELD_MAX)
        return bus_error_setf(error, STREAMD_ERROR_LIMIT, "more than %d calls at once",
                              CALLER_HELD_MAX);
    g_queue_push_tail(&caller->held, sd_bus_message_ref(message));
    return 1;
}

static int
callers_on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Callers *callers = data;
    const char *name = sd_bus_message_get_sender(message);
    Caller *caller;
    int r;

    if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
        return 0;
    if (name == NULL)
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "the call names no sender");
    r = bus_bounds_check(message, error);
    if (r < 0)
        return r;
    caller = g_hash_table_lookup(callers->names, name);
    if (caller == NULL) {
        r = callers_add(callers, name, &caller, error);
        if (r < 0)
            return r;
    }
    if (!caller->known)
        return caller_hold(caller, message, error);
    return callers->admit(caller, message, callers->data, error);
}

Callers *
callers_new(sd_bus *bus, CallerAdmit admit, void *data)
{
    Callers *callers = g_new0(Callers, 1);

    callers->bus = sd_bus_ref(bus);
    callers->admit = admit;
    callers->data = data;
    callers->names = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, caller_free);
    if (sd_bus_add_filter(bus, &callers->filter, callers_on_message, callers) < 0)
        g_error("Out of memory");
    return callers;
}

void
callers_free(Callers *callers)
{
    if (callers == NULL)
        return;
    sd_bus_slot_unref(callers->filter);
    g_hash_table_unref(callers->names);
    sd_bus_unref(callers->bus);
    g_free(callers);
}

Caller *
callers_find(Callers *callers, sd_bus_message *message)
{
    return g_hash_table_lookup(callers->names, sd_bus_message_get_sender(message));
}

const char *
caller_name(const Caller *caller)
{
    return caller->name;
}

gboolean
caller_in_group(const Caller *caller, gid_t group)
{
    for (guint i = 0; i < caller->groups->len; i++)
        if (g_array_index(caller->groups, gid_t, i) == group)
            return TRUE;
    return FALSE;
}

uid_t
caller_uid(const Caller *caller)
{
    return caller->uid;
}

guint64
caller_pid(const Caller *caller)
{
    return caller->pid;
}

CallerWatch *
caller_watch(Caller *caller, void (*gone)(void *data), void *data)
{
    CallerWatch *watch = g_new0(CallerWatch, 1);

    watch->caller = caller;
    watch->gone = gone;
    watch->data = data;
    g_queue_push_tail(&caller->watches, watch);
    return watch;
}

void
caller_unwatch(CallerWatch *watch)
{
    if (watch == NULL)
        return;
    /* If it is not in the queue, its GONE is running now, and the watch is freed afterwards. */
    if (g_queue_remove(&watch->caller->watches, watch))
        g_free(watch);
}
