/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/notice.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"

#include <glib/gi18n.h>

#define SERVER "org.freedesktop.Notifications"
#define SERVER_PATH "/org/freedesktop/Notifications"
/* How long the server may take to answer, in ms; then the window is shown. */
#define ANSWER_MS 2000
/* "Allow" does not count so soon after the notification appeared or changed, in µs: it may have
 * slid under the pointer. */
#define HESITATE_US G_USEC_PER_SEC
/* Why a notification was closed: by the user. */
#define CLOSED_BY_USER 2
#define URGENCY_NORMAL 1
#define URGENCY_CRITICAL 2

typedef struct {
    Notices *notices;
    Ask *ask; /* NULL: it waits no more, and a reply is still under way */
    guint32 id;
    int step;           /* what it says of the time: an index; -1: nothing yet */
    gboolean locked;    /* what it says is for everybody to see */
    gboolean may_allow; /* it has the button */
    gboolean sending;   /* the server has not answered yet */
    gboolean dismissed; /* the user closed it, and wants no other one */
    gint64 shown_at;    /* g_get_monotonic_time() of its last change */
} Notice;

typedef enum { SERVER_UNKNOWN, SERVER_ASKED, SERVER_THERE, SERVER_NOT_THERE } ServerState;

struct Notices {
    const NoticeEvents *events;
    void *data;
    GDBusConnection *session;
    GCancellable *cancellable;
    guint watch, signals;
    char *owner; /* the server's own name; NULL: it is not there */
    ServerState state;
    gboolean actions, markup; /* what the server can do */
    gboolean locked;          /* the screen is now */
    GPtrArray *all;           /* of Notice */
};

static Notice *
notices_find(Notices *notices, const Ask *ask)
{
    for (guint i = 0; i < notices->all->len; i++) {
        Notice *notice = g_ptr_array_index(notices->all, i);

        if (notice->ask == ask)
            return notice;
    }
    return NULL;
}

static Notice *
notices_find_id(Notices *notices, guint32 id)
{
    for (guint i = 0; i < notices->all->len; i++) {
        Notice *notice = g_ptr_array_index(notices->all, i);

        if (id != 0 && notice->id == id && notice->ask != NULL)
            return notice;
    }
    return NULL;
}

static void
notices_call(Notices *notices, const char *method, GVariant *args, const char *reply,
             GAsyncReadyCallback done, void *data)
{
    g_dbus_connection_call(notices->session, SERVER, SERVER_PATH, SERVER, method, args,
                           G_VARIANT_TYPE(reply), G_DBUS_CALL_FLAGS_NONE, ANSWER_MS,
                           done == NULL ? NULL : notices->cancellable, done, data);
}

/* -- what it says ------------------------------------------------------------------------------ */

/* Below so many seconds it says something new: often enough to hurry, too seldom to be a nuisance.
 * Above them all it does so each hour. */
static const int steps[] = {5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600};
#define STEPS ((int)G_N_ELEMENTS(steps))

static int
step_of(const Ask *ask)
{
    int seconds = (int)(ask_left(ask) / G_USEC_PER_SEC);
    int step = 0;

    while (step < STEPS - 1 && seconds >= steps[step])
        step++;
    return seconds < steps[step] ? step : step + seconds / steps[step];
}

static char *
step_text(int step)
{
    int seconds = step < STEPS ? steps[step] : steps[STEPS - 1] * (step - STEPS + 2);

    if (seconds < 60)
        return g_strdup_printf(ngettext("Refused by itself in less than %d second",
                                        "Refused by itself in less than %d seconds",
                                        (unsigned long)seconds),
                               seconds);
    return g_strdup_printf(ngettext("Refused by itself in less than %d minute",
                                    "Refused by itself in less than %d minutes",
                                    (unsigned long)(seconds / 60)),
                           seconds / 60);
}

static void
body_add_fact(const char *caption, const char *value, void *data)
{
    GString *body = data;
    g_autofree char *plain = text_apart(value);
    /* TRANSLATORS: what it is, and its value: "Through hub: office" */
    g_autofree char *line = g_strdup_printf(_("%s: %s"), caption, plain);

    if (*plain != '\0')
        g_string_append_printf(body, "%s\n", line);
}

/* Where the server reads no markup, some read it all the same. */
static char *
body_for(const Notices *notices, char *text)
{
    g_autofree char *owned = text;

    if (notices->markup)
        return g_markup_escape_text(owned, -1);
    return g_strdup(g_strdelimit(owned, "<>&", '?'));
}

static char *
notice_body(const Notice *notice)
{
    g_autoptr(GString) body = g_string_new(NULL);
    g_autofree char *time = step_text(notice->step);

    if (notice->locked)
        g_string_append_printf(body, "%s\n", _("Somebody asks for a stream to this machine"));
    else
        ask_facts(notice->ask, body_add_fact, body);
    g_string_append(body, time);
    return body_for(notice->notices, g_string_free(g_steal_pointer(&body), FALSE));
}

static GVariant *
notice_actions(const Notice *notice)
{
    GVariantBuilder actions;

    g_variant_builder_init(&actions, G_VARIANT_TYPE("as"));
    if (notice->notices->actions) {
        g_variant_builder_add(&actions, "s", "default");
        g_variant_builder_add(&actions, "s", _("Show"));
    }
    if (notice->notices->actions && !notice->locked) {
        g_variant_builder_add(&actions, "s", "deny");
        g_variant_builder_add(&actions, "s", _("Deny"));
        g_variant_builder_add(&actions, "s", notice->may_allow ? "allow" : "show");
        g_variant_builder_add(&actions, "s", notice->may_allow ? _("Allow") : _("Show…"));
    }
    return g_variant_builder_end(&actions);
}

static GVariant *
notice_hints(const Notice *notice)
{
    GVariantBuilder hints;

    g_variant_builder_init(&hints, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&hints, "{sv}", "urgency",
                          g_variant_new_byte(notice->locked ? URGENCY_NORMAL : URGENCY_CRITICAL));
    g_variant_builder_add(&hints, "{sv}", "desktop-entry", g_variant_new_string(APP_ID));
    g_variant_builder_add(&hints, "{sv}", "category", g_variant_new_string("network"));
    /* GNOME shows it over its lock only as it shows messages of persons. */
    g_variant_builder_add(&hints, "{sv}", "x-gnome-privacy-scope", g_variant_new_string("user"));
    if (notice->id != 0)
        g_variant_builder_add(&hints, "{sv}", "suppress-sound", g_variant_new_boolean(TRUE));
    return g_variant_builder_end(&hints);
}

/* -- showing it ------------------------------------------------------------------------------- */

static void
notice_helpless(Notice *notice)
{
    if (notice->ask != NULL)
        notice->notices->events->helpless(notice->ask, notice->notices->data);
}

static void
notice_close(Notice *notice)
{
    if (notice->id != 0)
        notices_call(notice->notices, "CloseNotification", g_variant_new("(u)", notice->id), "()",
                     NULL, NULL);
    notice->id = 0;
}

static void
notice_on_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    Notice *notice = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA is gone */
    notice->sending = FALSE;
    notice->shown_at = g_get_monotonic_time();
    if (reply != NULL)
        g_variant_get(reply, "(u)", &notice->id);
    else
        notice_helpless(notice);
    if (notice->ask != NULL)
        return;
    notice_close(notice);
    (void)g_ptr_array_remove(notice->notices->all, notice);
}

static void
notice_send(Notice *notice)
{
    g_autofree char *body = notice_body(notice);
    int left = (int)MIN(ask_left(notice->ask) / 1000, G_MAXINT);

    notice->sending = TRUE;
    /* No name is in the summary: many servers make it larger than they bound it. */
    notices_call(notice->notices, "Notify",
                 g_variant_new("(susss@as@a{sv}i)", _("Device Streams"), notice->id, APP_ID,
                               _("Incoming Stream"), body, notice_actions(notice),
                               notice_hints(notice), MAX(left, 1)),
                 "(u)", notice_on_sent, notice);
    if (!notice->notices->actions)
        notice_helpless(notice);
}

static Notice *
notices_add(Notices *notices, Ask *ask)
{
    Notice *notice = g_new0(Notice, 1);

    notice->notices = notices;
    notice->ask = ask;
    notice->step = -1;
    notice->may_allow = ask_is_clear(ask);
    g_ptr_array_add(notices->all, notice);
    return notice;
}

/* -- the server -------------------------------------------------------------------------------- */

static void
notices_on_capabilities(GObject *source, GAsyncResult *result, gpointer data)
{
    Notices *notices = data;
    g_autoptr(GError) error = NULL;
    g_autofree const char **names = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA is gone */
    notices->state = reply == NULL ? SERVER_NOT_THERE : SERVER_THERE;
    if (reply == NULL)
        return;
    g_variant_get(reply, "(^a&s)", &names);
    notices->actions = g_strv_contains(names, "actions");
    notices->markup = g_strv_contains(names, "body-markup");
}

static gboolean
notices_ready(Notices *notices)
{
    if (notices->state != SERVER_UNKNOWN)
        return notices->state == SERVER_THERE;
    notices->state = SERVER_ASKED;
    notices_call(notices, "GetCapabilities", NULL, "(as)", notices_on_capabilities, notices);
    return FALSE;
}

gboolean
notices_has(Notices *notices, const Ask *ask)
{
    return notices_find(notices, ask) != NULL;
}

gboolean
notices_update(Notices *notices, Ask *ask, gboolean locked)
{
    Notice *notice = notices_find(notices, ask);
    int step = step_of(ask);

    notices->locked = locked;
    if (notice == NULL)
        notice = notices_add(notices, ask);
    if (!notices_ready(notices)) {
        if (notices->state == SERVER_NOT_THERE)
            notice_helpless(notice);
        return notices->state != SERVER_NOT_THERE;
    }
    if (notice->sending || notice->dismissed || (notice->step == step && notice->locked == locked))
        return !notice->dismissed;
    notice->step = step;
    notice->locked = locked;
    notice_send(notice);
    return TRUE;
}

void
notices_drop(Notices *notices, Ask *ask)
{
    Notice *notice = notices_find(notices, ask);

    if (notice == NULL)
        return;
    notice->ask = NULL;
    if (notice->sending)
        return; /* it is closed when its id is known */
    notice_close(notice);
    (void)g_ptr_array_remove(notices->all, notice);
}

static NoticeChoice
notice_choice(const Notice *notice, const char *key)
{
    gboolean late = g_get_monotonic_time() - notice->shown_at >= HESITATE_US;

    if (notice->locked || notice->notices->locked)
        return NOTICE_SHOW;
    if (g_str_equal(key, "deny"))
        return NOTICE_DENY;
    if (g_str_equal(key, "allow") && notice->may_allow && !notice->sending && late)
        return NOTICE_ALLOW;
    return NOTICE_SHOW;
}

static void
notices_on_action(Notices *notices, GVariant *args)
{
    guint32 id;
    const char *key;
    Notice *notice;

    g_variant_get(args, "(u&s)", &id, &key);
    notice = notices_find_id(notices, id);
    if (notice == NULL)
        return;
    notice->dismissed =
        TRUE; /* the server closes it, and if nothing came of it the window is there */
    notices->events->chosen(notice->ask, notice_choice(notice, key), notices->data);
}

static void
notices_on_closed(Notices *notices, GVariant *args)
{
    guint32 id, reason;
    Notice *notice;

    g_variant_get(args, "(uu)", &id, &reason);
    notice = notices_find_id(notices, id);
    if (notice == NULL)
        return;
    notice->id = 0;
    notice->dismissed = reason == CLOSED_BY_USER;
}

static void
notices_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                  const char *interface, const char *name, GVariant *args, gpointer data)
{
    Notices *notices = data;

    if (g_strcmp0(sender, notices->owner) != 0)
        return; /* anybody can send such a signal to us alone */
    if (g_str_equal(name, "ActionInvoked") && g_variant_is_of_type(args, G_VARIANT_TYPE("(us)")))
        notices_on_action(notices, args);
    else if (g_str_equal(name, "NotificationClosed") &&
             g_variant_is_of_type(args, G_VARIANT_TYPE("(uu)")))
        notices_on_closed(notices, args);
}

/* Another server does not know our notifications, and gives their ids to others. */
static void
notices_on_owner(GDBusConnection *connection, const char *name, const char *owner, gpointer data)
{
    Notices *notices = data;

    g_free(notices->owner);
    notices->owner = g_strdup(owner);
    if (notices->state != SERVER_ASKED)
        notices->state = SERVER_UNKNOWN;
    for (guint i = 0; i < notices->all->len; i++) {
        Notice *notice = g_ptr_array_index(notices->all, i);

        notice->id = 0;
        notice->step = -1;
    }
}

static void
notices_on_no_owner(GDBusConnection *connection, const char *name, gpointer data)
{
    notices_on_owner(connection, name, NULL, data);
}

Notices *
notices_new(GDBusConnection *session, const NoticeEvents *events, void *data)
{
    Notices *notices = g_new0(Notices, 1);

    notices->events = events;
    notices->data = data;
    notices->cancellable = g_cancellable_new();
    notices->all = g_ptr_array_new_with_free_func(g_free);
    notices->state = session == NULL ? SERVER_NOT_THERE : SERVER_UNKNOWN;
    if (session == NULL)
        return notices;
    notices->session = g_object_ref(session);
    notices->signals = g_dbus_connection_signal_subscribe(
        session, SERVER, SERVER, NULL, SERVER_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        notices_on_signal, notices, NULL);
    notices->watch =
        g_bus_watch_name_on_connection(session, SERVER, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       notices_on_owner, notices_on_no_owner, notices, NULL);
    return notices;
}

void
notices_free(Notices *notices)
{
    if (notices == NULL)
        return;
    g_cancellable_cancel(notices->cancellable);
    g_object_unref(notices->cancellable);
    for (guint i = 0; i < notices->all->len; i++)
        notice_close(g_ptr_array_index(notices->all, i));
    if (notices->session != NULL) {
        g_bus_unwatch_name(notices->watch);
        g_dbus_connection_signal_unsubscribe(notices->session, notices->signals);
        g_dbus_connection_flush(notices->session, NULL, NULL, NULL);
    }
    g_clear_object(&notices->session);
    g_free(notices->owner);
    g_ptr_array_unref(notices->all);
    g_free(notices);
}
