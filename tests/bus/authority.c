/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bus/authority.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POLKIT "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY "org.freedesktop.PolicyKit1.Authority"

#define AUTHORITY_TEXT 100000

struct Authority {
    sd_bus *bus; /* of the thread, while it runs */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    int wake;             /* eventfd */
    gboolean stop, detached;
    AuthorityMode mode;
    int release; /* -1: nothing; else the answer */
    guint asked;
    guint cancelled;
    guint answered; /* of those that were held */
    char *last;
    GQueue held; /* sd_bus_message; of the thread */
};

static int
authority_answer(sd_bus_message *question, gboolean allow, gboolean challenge)
{
    return sd_bus_reply_method_return(question, "(bba{ss})", (int)allow, (int)challenge, 1,
                                      "polkit.result", allow ? "yes" : "no");
}

static int
authority_reply(Authority *authority, sd_bus_message *question, AuthorityMode mode)
{
    switch (mode) {
    case AUTHORITY_ALLOWS:
        return authority_answer(question, TRUE, FALSE);
    case AUTHORITY_DENIES:
        return authority_answer(question, FALSE, FALSE);
    case AUTHORITY_CHALLENGES:
        return authority_answer(question, FALSE, TRUE);
    case AUTHORITY_FAILS:
        return sd_bus_reply_method_errorf(question, POLKIT ".Error.Failed", "out of order%0*d",
                                          AUTHORITY_TEXT, 0);
    case AUTHORITY_BABBLES:
        return sd_bus_reply_method_return(question, "s", "yes");
    case AUTHORITY_HOLDS:
        g_queue_push_tail(&authority->held, sd_bus_message_ref(question));
        return 1;
    default:
        g_assert_not_reached();
    }
}

static char *
authority_describe(sd_bus_message *question)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *kind, *name, *action, *key, *value, *id;
    uint32_t flags;
    gsize end;

    g_assert_cmpint(sd_bus_message_read(question, "(sa{sv})s", &kind, 1, &key, "s", &name, &action),
                    >=, 0);
    g_assert_cmpstr(key, ==, "name");
    g_string_append_printf(text, "%s %s %s ", kind, name, action);
    end = text->len;
    g_assert_cmpint(sd_bus_message_enter_container(question, 'a', "{ss}"), >=, 0);
    while (sd_bus_message_read(question, "{ss}", &key, &value) > 0)
        g_string_append_printf(text, " %s=%s", key, value);
    g_assert_cmpint(sd_bus_message_exit_container(question), >=, 0);
    g_assert_cmpint(sd_bus_message_read(question, "us", &flags, &id), >=, 0);
    g_assert_cmpstr(id, !=, "");
    {
        g_autofree char *number = g_strdup_printf("%u", flags);

        g_string_insert(text, (gssize)end, number);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static int
authority_on_check(sd_bus_message *question, void *data, sd_bus_error *error)
{
    Authority *authority = data;
    AuthorityMode mode;

    pthread_mutex_lock(&authority->lock);
    g_free(authority->last);
    authority->last = authority_describe(question);
    authority->asked++;
    mode = authority->mode;
    pthread_mutex_unlock(&authority->lock);
    return authority_reply(authority, question, mode);
}

static int
authority_on_cancel(sd_bus_message *message, void *data, sd_bus_error *error)
{
    Authority *authority = data;

    pthread_mutex_lock(&authority->lock);
    authority->cancelled++;
    pthread_mutex_unlock(&authority->lock);
    return sd_bus_reply_method_return(message, NULL);
}

/* No vtable: sd-bus would see to it that answers are well formed. */
static int
authority_on_call(sd_bus_message *message, void *data, sd_bus_error *error)
{
    if (sd_bus_message_is_method_call(message, POLKIT_AUTHORITY, "CheckAuthorization") > 0)
        return authority_on_check(message, data, error);
    if (sd_bus_message_is_method_call(message, POLKIT_AUTHORITY, "CancelCheckAuthorization") > 0)
        return authority_on_cancel(message, data, error);
    return 0;
}

/* What the test asked for since the last turn. FALSE: stop. */
static gboolean
authority_obey(Authority *authority)
{
    gboolean stop;
    int release;

    pthread_mutex_lock(&authority->lock);
    stop = authority->stop;
    release = authority->release;
    authority->release = -1;
    pthread_mutex_unlock(&authority->lock);
    while (release >= 0 && !g_queue_is_empty(&authority->held)) {
        g_autoptr(sd_bus_message) question = g_queue_pop_head(&authority->held);

        g_assert_cmpint(authority_answer(question, release == 1, FALSE), >=, 0);
        g_assert_cmpint(sd_bus_flush(authority->bus), >=, 0);
        pthread_mutex_lock(&authority->lock);
        authority->answered++;
        pthread_mutex_unlock(&authority->lock);
    }
    return !stop;
}

static gboolean
authority_is_detached(Authority *authority)
{
    gboolean detached;

    pthread_mutex_lock(&authority->lock);
    detached = authority->detached;
    pthread_mutex_unlock(&authority->lock);
    return detached;
}

static void *
authority_run(void *data)
{
    Authority *authority = data;
    struct pollfd fds[2] = {{.fd = sd_bus_get_fd(authority->bus)},
                            {.fd = authority->wake, .events = POLLIN}};
    eventfd_t value;
    int r;

    while (authority_obey(authority)) {
        r = sd_bus_process(authority->bus, NULL);
        if (r < 0 && authority_is_detached(authority))
            break;
        g_assert_cmpint(r, >=, 0);
        if (r > 0)
            continue;
        fds[0].events = (short)sd_bus_get_events(authority->bus);
        (void)poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[1].revents != 0)
            (void)eventfd_read(authority->wake, &value);
    }
    g_queue_clear_full(&authority->held, bus_util_free_message);
    sd_bus_flush_close_unref(authority->bus);
    return NULL;
}

Authority *
authority_new(Fixture *fixture, AuthorityMode mode)
{
    Authority *authority = g_new0(Authority, 1);

    authority->mode = mode;
    authority->release = -1;
    authority->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    authority->bus = fixture_connect(fixture);
    g_queue_init(&authority->held);
    pthread_mutex_init(&authority->lock, NULL);
    g_assert_cmpint(
        sd_bus_add_object(authority->bus, NULL, POLKIT_PATH, authority_on_call, authority), >=, 0);
    g_assert_cmpint(sd_bus_request_name(authority->bus, POLKIT, 0), >=, 0);
    g_assert_cmpint(pthread_create(&authority->thread, NULL, authority_run, authority), ==, 0);
    return authority;
}

static void
authority_tell(Authority *authority, gboolean stop, int release)
{
    pthread_mutex_lock(&authority->lock);
    authority->stop = stop;
    authority->release = release;
    pthread_mutex_unlock(&authority->lock);
    g_assert_cmpint(eventfd_write(authority->wake, 1), ==, 0);
}

void
authority_free(Authority *authority)
{
    if (authority == NULL)
        return;
    authority_tell(authority, TRUE, -1);
    pthread_join(authority->thread, NULL);
    pthread_mutex_destroy(&authority->lock);
    (void)close(authority->wake);
    g_free(authority->last);
    g_free(authority);
}

void
authority_detach(Authority *authority)
{
    pthread_mutex_lock(&authority->lock);
    authority->detached = TRUE;
    pthread_mutex_unlock(&authority->lock);
}

void
authority_set_mode(Authority *authority, AuthorityMode mode)
{
    pthread_mutex_lock(&authority->lock);
    authority->mode = mode;
    pthread_mutex_unlock(&authority->lock);
}

void
authority_release(Authority *authority, gboolean allow)
{
    authority_tell(authority, FALSE, allow ? 1 : 0);
}

static guint
authority_read(Authority *authority, const guint *count)
{
    guint value;

    pthread_mutex_lock(&authority->lock);
    value = *count;
    pthread_mutex_unlock(&authority->lock);
    return value;
}

static void
authority_wait(Authority *authority, const guint *count, guint wanted)
{
    gint64 until = g_get_monotonic_time() + FIXTURE_PATIENCE;

    while (authority_read(authority, count) < wanted) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
    g_assert_cmpuint(authority_read(authority, count), ==, wanted);
}

guint
authority_asked(Authority *authority)
{
    return authority_read(authority, &authority->asked);
}

guint
authority_cancelled(Authority *authority)
{
    return authority_read(authority, &authority->cancelled);
}

void
authority_wait_asked(Authority *authority, guint count)
{
    authority_wait(authority, &authority->asked, count);
}

void
authority_wait_cancelled(Authority *authority, guint count)
{
    authority_wait(authority, &authority->cancelled, count);
}

void
authority_wait_answered(Authority *authority, guint count)
{
    authority_wait(authority, &authority->answered, count);
}

char *
authority_last(Authority *authority)
{
    char *last;

    pthread_mutex_lock(&authority->lock);
    last = g_strdup(authority->last);
    pthread_mutex_unlock(&authority->lock);
    return last;
}
