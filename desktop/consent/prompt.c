/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/prompt.h"
#include "desktop/base/form.h"
#include "desktop/base/item.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define WAITING_MAX 32
/* How often the countdown is updated, in ms. */
#define TICK_MS 200
/* For this time, in ms, "Allow" cannot be pressed: the window may have appeared while the user was
 * typing. */
#define HESITATE_MS 600
#define NOTIFICATION "consent"
#define REASON_MAX 96 /* characters */
#define WIDTH 440

typedef struct {
    char *path;
    GVariant *details;
} Ask;

struct Prompt {
    GtkApplication *application;
    Daemon *daemon;
    PromptNotice notice;
    void *data;
    GCancellable *cancellable;
    GPtrArray *asks; /* the first one is on the screen */
    char *answered;  /* the last one answered; a snapshot may still contain it */
    GtkWindow *window;
    GtkWidget *heading, *facts, *reason, *countdown, *bar, *more, *allow, *deny;
    guint tick, hesitation;
};

static void prompt_show_first(Prompt *prompt);
static void prompt_show_others(Prompt *prompt);

static void
ask_free(Ask *ask)
{
    g_free(ask->path);
    g_clear_pointer(&ask->details, g_variant_unref);
    g_free(ask);
}

static Ask *
prompt_first(Prompt *prompt)
{
    return prompt->asks->len == 0 ? NULL : g_ptr_array_index(prompt->asks, 0);
}

static void
prompt_drop(Prompt *prompt, Ask *ask)
{
    gboolean shown = ask == prompt_first(prompt);

    (void)g_ptr_array_remove(prompt->asks, ask);
    if (!shown) {
        prompt_show_others(prompt);
        return;
    }
    g_application_withdraw_notification(G_APPLICATION(prompt->application), NOTIFICATION);
    prompt_show_first(prompt);
}

/* -- answering ------------------------------------------------------------------------------- */

/* An answer that was sent. */
typedef struct {
    Prompt *prompt;
    char *told; /* what to say when the answer has arrived */
} Answer;

static void
answer_on_done(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Answer *answer = data;

    answer->prompt->notice(error == NULL ? answer->told : error->message, error != NULL,
                           answer->prompt->data);
    g_free(answer->told);
    g_free(answer);
}

static void
prompt_answer(Prompt *prompt, const char *method, const char *text, char *told)
{
    Ask *ask = prompt_first(prompt);
    const DaemonCall call = {ask->path, STREAMD_REQUEST, method, g_variant_new("(s)", text), 0};
    Answer *answer = g_new0(Answer, 1);

    answer->prompt = prompt;
    answer->told = told;
    g_free(prompt->answered);
    prompt->answered = g_strdup(ask->path);
    daemon_call(prompt->daemon, &call, prompt->cancellable, answer_on_done, answer);
    prompt_drop(prompt, ask);
}

/* The name of the stream that is asked about. Caller frees. */
static char *
prompt_stream(Prompt *prompt)
{
    return text_plain(properties_string(prompt_first(prompt)->details, "StreamName"));
}

static void
prompt_on_allow(GtkButton *button, gpointer data)
{
    Prompt *prompt = data;
    GVariant *details = prompt_first(prompt)->details;

    prompt_answer(
        prompt, "AcceptTo", "",
        g_strdup_printf(_("The stream “%s” was let in"), properties_string(details, "StreamName")));
}

static void
prompt_deny(Prompt *prompt)
{
    g_autofree char *stream = prompt_stream(prompt);
    g_autofree char *reason = g_strdup(gtk_editable_get_text(GTK_EDITABLE(prompt->reason)));

    prompt_answer(prompt, "Reject", g_strstrip(reason),
                  g_strdup_printf(_("The stream “%s” was refused"), stream));
}

static void
prompt_on_deny(GtkWidget *widget, gpointer data)
{
    prompt_deny(data);
}

static gboolean
prompt_on_close(GtkWindow *window, gpointer data)
{
    prompt_deny(data);
    return GDK_EVENT_STOP; /* the next request may be shown already */
}

/* -- the window ------------------------------------------------------------------------------ */

static GtkWidget *
prompt_build_buttons(Prompt *prompt)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);

    prompt->deny = ui_button(_("_Deny"));
    prompt->allow = ui_button(_("_Allow"));
    gtk_widget_add_css_class(prompt->allow, "suggested-action");
    gtk_widget_add_css_class(prompt->allow, "pill");
    gtk_widget_add_css_class(prompt->deny, "pill");
    gtk_widget_set_hexpand(prompt->deny, TRUE);
    gtk_widget_set_hexpand(prompt->allow, TRUE);
    gtk_box_set_homogeneous(GTK_BOX(box), TRUE);
    (void)g_signal_connect(prompt->deny, "clicked", G_CALLBACK(prompt_on_deny), prompt);
    (void)g_signal_connect(prompt->allow, "clicked", G_CALLBACK(prompt_on_allow), prompt);
    gtk_box_append(GTK_BOX(box), prompt->deny);
    gtk_box_append(GTK_BOX(box), prompt->allow);
    return box;
}

static GtkWidget *
prompt_build_reason(Prompt *prompt)
{
    GtkWidget *group = form_group_new(NULL, NULL);

    prompt->reason = form_entry(group, _("_Reason, if you deny"), "", REASON_MAX);
    (void)g_signal_connect(prompt->reason, "entry-activated", G_CALLBACK(prompt_on_deny), prompt);
    return group;
}

static GtkWidget *
prompt_build_countdown(Prompt *prompt)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    prompt->bar = gtk_progress_bar_new();
    prompt->countdown = gtk_label_new(NULL);
    ui_name(prompt->bar, _("Time left to answer"));
    gtk_widget_add_css_class(prompt->countdown, "caption");
    gtk_widget_add_css_class(prompt->countdown, "dim-label");
    gtk_label_set_xalign(GTK_LABEL(prompt->countdown), 0);
    gtk_label_set_wrap(GTK_LABEL(prompt->countdown), TRUE);
    gtk_box_append(GTK_BOX(box), prompt->bar);
    gtk_box_append(GTK_BOX(box), prompt->countdown);
    return box;
}

static GtkWidget *
prompt_build_content(Prompt *prompt)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);

    prompt->heading = gtk_label_new(NULL);
    prompt->facts = ui_facts_new();
    prompt->more = gtk_label_new(NULL);
    gtk_widget_add_css_class(prompt->heading, "title-3");
    gtk_widget_add_css_class(prompt->more, "dim-label");
    gtk_label_set_wrap(GTK_LABEL(prompt->heading), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(prompt->heading), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(prompt->heading), 0);
    gtk_box_append(GTK_BOX(box), prompt->heading);
    gtk_box_append(GTK_BOX(box), prompt->facts);
    gtk_box_append(GTK_BOX(box), prompt_build_reason(prompt));
    gtk_box_append(GTK_BOX(box), prompt_build_countdown(prompt));
    gtk_box_append(GTK_BOX(box), prompt_build_buttons(prompt));
    gtk_box_append(GTK_BOX(box), prompt->more);
    return box;
}

static void
prompt_build(Prompt *prompt)
{
    /* In a window group of its own, so that an open dialog of the main window does not block it. */
    g_autoptr(GtkWindowGroup) group = gtk_window_group_new();

    prompt->window =
        ui_window_new(_("Incoming Stream"), adw_header_bar_new(), prompt_build_content(prompt));
    gtk_window_group_add_window(group, prompt->window);
    gtk_window_set_application(prompt->window, prompt->application);
    gtk_window_set_default_size(prompt->window, WIDTH, -1);
    (void)g_signal_connect(prompt->window, "close-request", G_CALLBACK(prompt_on_close), prompt);
}

static void
prompt_hide(Prompt *prompt)
{
    g_clear_handle_id(&prompt->tick, g_source_remove);
    g_clear_handle_id(&prompt->hesitation, g_source_remove);
    if (prompt->window != NULL)
        gtk_window_destroy(prompt->window);
    prompt->window = NULL;
}

/* -- what it says ---------------------------------------------------------------------------- */

static void
prompt_show_facts(Prompt *prompt, GVariant *details)
{
    const char *initiator = properties_string(details, "Initiator");
    const char *target = properties_string(details, "Target");
    const char *stream = properties_string(details, "StreamName");

    ui_facts_clear(prompt->facts);
    ui_facts_add(prompt->facts, _("Who"),
                 *initiator == '\0' ? _("The hub does not say") : initiator);
    ui_facts_add(prompt->facts, _("From address"), properties_string(details, "Address"));
    ui_facts_add(prompt->facts, _("Stream"), stream);
    ui_facts_add(prompt->facts, _("Leads to"), *target == '\0' ? stream : target);
    ui_facts_add(prompt->facts, _("To this device"), properties_string(details, "DeviceId"));
    ui_facts_add(prompt->facts, _("Through hub"), properties_string(details, "Hub"));
}

static void
prompt_show_heading(Prompt *prompt, GVariant *details)
{
    g_autofree char *initiator = text_plain(properties_string(details, "Initiator"));
    g_autofree char *stream = text_plain(properties_string(details, "StreamName"));
    g_autofree char *heading = NULL;

    if (*initiator == '\0')
        heading = g_strdup_printf(_("Somebody asks for “%s” on this machine"), stream);
    else
        heading = g_strdup_printf(_("“%s” asks for “%s” on this machine"), initiator, stream);
    gtk_label_set_text(GTK_LABEL(prompt->heading), heading);
}

static void
prompt_show_others(Prompt *prompt)
{
    guint others = prompt->asks->len - 1;
    g_autofree char *more =
        g_strdup_printf(ngettext("%u more request waits", "%u more requests wait", others), others);
    gtk_label_set_text(GTK_LABEL(prompt->more), more);
    gtk_widget_set_visible(prompt->more, others > 0);
}

/* FALSE: the time is over. */
static gboolean
prompt_show_time(Prompt *prompt)
{
    GVariant *details = prompt_first(prompt)->details;
    gint64 deadline = (gint64)properties_number(details, "Deadline");
    gint64 asked = (gint64)properties_number(details, "RequestedAt");
    gint64 left = MAX(deadline - g_get_real_time(), 0);
    int seconds = (int)((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    g_autofree char *text =
        g_strdup_printf(ngettext("Refused by itself in %d second",
                                 "Refused by itself in %d seconds", (unsigned long)seconds),
                        seconds);

    gtk_label_set_text(GTK_LABEL(prompt->countdown), text);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(prompt->bar),
                                  CLAMP((double)left / (double)MAX(deadline - asked, 1), 0, 1));
    return left > 0;
}

static gboolean
prompt_on_tick(gpointer data)
{
    Prompt *prompt = data;

    if (prompt_show_time(prompt))
        return G_SOURCE_CONTINUE;
    prompt->notice(_("The stream was refused: nobody answered in time"), FALSE, prompt->data);
    prompt->tick = 0; /* this source ends; the next request gets another one */
    prompt_drop(prompt, prompt_first(prompt));
    return G_SOURCE_REMOVE;
}

static gboolean
prompt_on_hesitated(gpointer data)
{
    Prompt *prompt = data;

    prompt->hesitation = 0;
    gtk_widget_set_sensitive(prompt->allow, TRUE);
    return G_SOURCE_REMOVE;
}

/* Without names: some desktops read the text of a notification as markup. */
static void
prompt_notify(Prompt *prompt)
{
    g_autoptr(GNotification) notification = g_notification_new(_("Incoming Stream"));

    g_notification_set_body(notification, _("Somebody asks for a stream to this machine"));
    g_notification_set_priority(notification, G_NOTIFICATION_PRIORITY_URGENT);
    g_application_send_notification(G_APPLICATION(prompt->application), NOTIFICATION, notification);
}

static void
prompt_show_first(Prompt *prompt)
{
    Ask *ask = prompt_first(prompt);

    prompt_hide(prompt);
    if (ask == NULL)
        return;
    prompt_build(prompt);
    prompt_show_heading(prompt, ask->details);
    prompt_show_facts(prompt, ask->details);
    prompt_show_others(prompt);
    (void)prompt_show_time(prompt);
    gtk_widget_set_sensitive(prompt->allow, FALSE);
    prompt->hesitation = g_timeout_add(HESITATE_MS, prompt_on_hesitated, prompt);
    prompt->tick = g_timeout_add(TICK_MS, prompt_on_tick, prompt);
    (void)gtk_widget_grab_focus(prompt->deny);
    gtk_window_present(prompt->window);
    prompt_notify(prompt);
}

/* -- from outside ---------------------------------------------------------------------------- */

static Ask *
prompt_find(Prompt *prompt, const char *request)
{
    for (guint i = 0; i < prompt->asks->len; i++) {
        Ask *ask = g_ptr_array_index(prompt->asks, i);

        if (g_str_equal(ask->path, request))
            return ask;
    }
    return NULL;
}

void
prompt_add(Prompt *prompt, const char *request, GVariant *details)
{
    Ask *ask;

    if (prompt_find(prompt, request) != NULL || prompt->asks->len >= WAITING_MAX ||
        g_strcmp0(prompt->answered, request) == 0)
        return;
    ask = g_new0(Ask, 1);
    ask->path = g_strdup(request);
    ask->details = g_variant_ref(details);
    g_ptr_array_add(prompt->asks, ask);
    if (prompt->asks->len == 1)
        prompt_show_first(prompt);
    else
        prompt_show_others(prompt);
}

/* An unknown reason is shown as it is. */
static const char *
prompt_reason(const char *reason)
{
    if (g_str_equal(reason, "decided"))
        return _("it was answered elsewhere");
    if (g_str_equal(reason, "timed-out"))
        return _("nobody answered in time");
    return g_str_equal(reason, "withdrawn") ? _("it was withdrawn") : reason;
}

void
prompt_remove(Prompt *prompt, const char *request, const char *reason)
{
    Ask *ask = prompt_find(prompt, request);
    g_autofree char *stream = NULL, *text = NULL;

    if (ask == NULL)
        return;
    if (ask == prompt_first(prompt)) {
        stream = prompt_stream(prompt);
        text =
            g_strdup_printf(_("The request for “%s” is over: %s"), stream, prompt_reason(reason));
        prompt->notice(text, FALSE, prompt->data);
    }
    prompt_drop(prompt, ask);
}

void
prompt_present(Prompt *prompt)
{
    if (prompt->window != NULL)
        gtk_window_present(prompt->window);
}

void
prompt_clear(Prompt *prompt)
{
    g_ptr_array_set_size(prompt->asks, 0);
    prompt_hide(prompt);
    g_application_withdraw_notification(G_APPLICATION(prompt->application), NOTIFICATION);
}

Prompt *
prompt_new(GtkApplication *application, Daemon *daemon, PromptNotice notice, void *data)
{
    Prompt *prompt = g_new0(Prompt, 1);

    prompt->application = application;
    prompt->daemon = daemon;
    prompt->notice = notice;
    prompt->data = data;
    prompt->cancellable = g_cancellable_new();
    prompt->asks = g_ptr_array_new_with_free_func((GDestroyNotify)ask_free);
    return prompt;
}

void
prompt_free(Prompt *prompt)
{
    if (prompt == NULL)
        return;
    g_cancellable_cancel(prompt->cancellable);
    g_object_unref(prompt->cancellable);
    prompt_hide(prompt);
    g_ptr_array_unref(prompt->asks);
    g_free(prompt->answered);
    g_free(prompt);
}
