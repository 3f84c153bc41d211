/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/record/user-names.h"

#include "common/loop/queue.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>

#define ENTRY_MAX (64 * 1024) /* bytes of an entry of the database */

typedef struct {
    char *name;
    gint64 since; /* monotonic */
} UserName;

struct UserNames {
    void (*found)(void *data);
    void *data;
    GHashTable *known; /* uid -> UserName */
    GQueue waiting;    /* uid: questions, the one that is being asked first */
    Queue *home;
    GSource *source;
    Message message;
    pthread_t thread;
    gboolean running; /* main thread: there is a thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Protected by LOCK. */
    gboolean asked; /* UID is to be looked up */
    guint32 uid;
    char *name; /* the answer; NULL: there is none yet */
    gboolean stop;
    gboolean abandoned; /* the thread frees all of this */
};

static void
user_name_free(void *data)
{
    UserName *name = data;

    g_free(name->name);
    g_free(name);
}

/* May wait for the network. "": there is no such user, or the database does not answer. */
static char *
look_up(guint32 uid)
{
    struct passwd entry, *found = NULL;

    for (gsize size = 1024; size <= ENTRY_MAX; size *= 2) {
        g_autofree char *buffer = g_malloc(size);
        int r = getpwuid_r(uid, &entry, buffer, size, &found);

        if (r != ERANGE)
            return g_strdup(r == 0 && found ? found->pw_name : "");
    }
    return g_strdup("");
}

static gboolean
names_next(UserNames *names, guint32 *ret_uid)
{
    gboolean asked;

    (void)pthread_mutex_lock(&names->lock);
    while (!names->asked && !names->stop)
        (void)pthread_cond_wait(&names->changed, &names->lock);
    asked = names->asked && !names->stop;
    *ret_uid = names->uid;
    names->asked = FALSE;
    (void)pthread_mutex_unlock(&names->lock);
    return asked;
}

static void
names_dispose(UserNames *names)
{
    g_source_unref(names->source);
    queue_free(names->home);
    g_hash_table_unref(names->known);
    g_queue_clear(&names->waiting);
    (void)pthread_cond_destroy(&names->changed);
    (void)pthread_mutex_destroy(&names->lock);
    g_free(names->name);
    g_free(names);
}

static void *
names_main(void *data)
{
    UserNames *names = data;
    gboolean stop = FALSE, abandoned = FALSE;
    guint32 uid;

    while (!stop && names_next(names, &uid)) {
        char *name = look_up(uid);

        (void)pthread_mutex_lock(&names->lock);
        names->name = name;
        stop = names->stop;
        abandoned = names->abandoned;
        if (!stop)
            (void)queue_post(names->home, &names->message);
        (void)pthread_mutex_unlock(&names->lock);
    }
    if (abandoned)
        names_dispose(names);
    return NULL;
}

/* Only the main thread handles signals. */
static gboolean
names_start(UserNames *names)
{
    sigset_t all, before;
    int result;

    if (names->running)
        return TRUE;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&names->thread, NULL, names_main, names);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result == 0)
        (void)pthread_setname_np(names->thread, "names");
    names->running = result == 0;
    return names->running;
}

/* Puts the first question to the thread. */
static void
names_ask(UserNames *names)
{
    (void)pthread_mutex_lock(&names->lock);
    names->uid = GPOINTER_TO_UINT(g_queue_peek_head(&names->waiting));
    names->asked = TRUE;
    (void)pthread_cond_broadcast(&names->changed);
    (void)pthread_mutex_unlock(&names->lock);
}

static void
names_keep(UserNames *names, guint32 uid, char *name)
{
    UserName *entry = g_new0(UserName, 1);

    if (g_hash_table_size(names->known) >= USER_NAMES_MAX)
        g_hash_table_remove_all(names->known);
    entry->name = name;
    entry->since = g_get_monotonic_time();
    g_hash_table_replace(names->known, GUINT_TO_POINTER(uid), entry);
}

static void
names_on_message(Message *message)
{
    UserNames *names = CONTAINER_OF(message, UserNames, message);
    guint32 uid = GPOINTER_TO_UINT(g_queue_pop_head(&names->waiting));
    char *name;

    (void)pthread_mutex_lock(&names->lock);
    name = g_steal_pointer(&names->name);
    (void)pthread_mutex_unlock(&names->lock);
    names_keep(names, uid, name);
    if (!g_queue_is_empty(&names->waiting))
        names_ask(names);
    names->found(names->data);
}

UserNames *
user_names_new(void (*found)(void *data), void *data)
{
    UserNames *names = g_new0(UserNames, 1);

    names->found = found;
    names->data = data;
    names->known = g_hash_table_new_full(NULL, NULL, NULL, user_name_free);
    g_queue_init(&names->waiting);
    names->home = queue_new();
    names->source = queue_source_new(names->home);
    names->message.func = names_on_message;
    (void)pthread_mutex_init(&names->lock, NULL);
    (void)pthread_cond_init(&names->changed, NULL);
    (void)g_source_attach(names->source, NULL);
    return names;
}

/* A thread that waits for a directory still needs all of it, and frees it at its end. */
void
user_names_free(UserNames *names)
{
    gboolean abandoned;

    if (!names)
        return;
    g_source_destroy(names->source);
    (void)pthread_mutex_lock(&names->lock);
    names->stop = TRUE;
    abandoned = !g_queue_is_empty(&names->waiting) && !names->name && !names->asked;
    names->abandoned = abandoned;
    if (abandoned)
        (void)pthread_detach(names->thread);
    (void)pthread_cond_broadcast(&names->changed);
    (void)pthread_mutex_unlock(&names->lock);
    if (abandoned)
        return;
    if (names->running)
        (void)pthread_join(names->thread, NULL);
    names_dispose(names);
}

gboolean
user_names_find(UserNames *names, guint32 uid, const char **ret_name)
{
    const UserName *entry = g_hash_table_lookup(names->known, GUINT_TO_POINTER(uid));
    gboolean fresh = entry && g_get_monotonic_time() - entry->since < USER_NAMES_TIME;

    if (fresh)
        *ret_name = entry->name;
    if (fresh || g_queue_find(&names->waiting, GUINT_TO_POINTER(uid)) ||
        names->waiting.length >= USER_NAMES_ASKED_MAX || !names_start(names))
        return fresh;
    g_queue_push_tail(&names->waiting, GUINT_TO_POINTER(uid));
    if (names->waiting.length == 1)
        names_ask(names);
    return FALSE;
}
