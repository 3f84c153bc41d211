/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/consent/prompt.h"
#include "desktop/base/form.h"
#include "desktop/base/ui.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

/* For this time, in ms, nothing can be pressed: the window may have appeared, or come back, while
 * the user was typing or about to click. */
#define HESITATE_MS 1000
#define WIDTH 440
#define REASON_MAX 96 /* bytes, of streamd */

struct Prompt {
    GtkApplication *application;
    PromptAnswer answer;
    void *data;
    Ask *ask; /* NULL: there is no window either */
    GtkWindow *window;
    GtkWidget *heading, *reason, *countdown, *bar, *more, *allow, *deny;
    guint hesitation; /* a timer */
};

/* -- answering ------------------------------------------------------------------------------- */

static void
prompt_on_allow(GtkButton *button, gpointer data)
{
    Prompt *prompt = data;

    prompt->answer(prompt->ask, TRUE, "", prompt->data);
}

static void
prompt_deny(Prompt *prompt)
{
    g_autofree char *reason = NULL;
    const char *end;

    if (prompt->hesitation != 0)
        return;
    reason = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(prompt->reason))));
    if (strlen(reason) > REASON_MAX) {
        end = g_utf8_find_prev_char(reason, reason + REASON_MAX + 1);
        reason[end - reason] = '\0';
    }
    prompt->answer(prompt->ask, FALSE, reason, prompt->data);
}

static void
prompt_on_deny(GtkWidget *widget, gpointer data)
{
    prompt_deny(data);
}

/* Return in the field means what was typed there. */
static void
prompt_on_reason(GtkWidget *row, gpointer data)
{
    if (*gtk_editable_get_text(GTK_EDITABLE(row)) != '\0')
        prompt_deny(data);
}

static gboolean
prompt_on_close(GtkWindow *window, gpointer data)
{
    prompt_deny(data);
    return GDK_EVENT_STOP; /* the next request may be shown already */
}

/* -- the first moment -------------------------------------------------------------------------- */

static void
prompt_set_pressable(Prompt *prompt, gboolean pressable)
{
    gtk_widget_set_sensitive(prompt->allow, pressable);
    gtk_widget_set_sensitive(prompt->deny, pressable);
}

static gboolean
prompt_on_hesitated(gpointer data)
{
    Prompt *prompt = data;

    prompt->hesitation = 0;
    prompt_set_pressable(prompt, TRUE);
    return G_SOURCE_REMOVE;
}

/* A button that had the focus loses it. */
static void
prompt_hesitate(Prompt *prompt)
{
    g_clear_handle_id(&prompt->hesitation, g_source_remove);
    prompt->hesitation = g_timeout_add(HESITATE_MS, prompt_on_hesitated, prompt);
    prompt_set_pressable(prompt, FALSE);
}

static void
prompt_on_active(GtkWindow *window, GParamSpec *property, gpointer data)
{
    if (gtk_window_is_active(window))
        prompt_hesitate(data);
}

/* -- the window ------------------------------------------------------------------------------ */

static GtkWidget *
prompt_build_buttons(Prompt *prompt)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);

    prompt->deny = ui_button(_("_Deny"));
    prompt->allow = ui_button(_("_Allow"));
    gtk_widget_add_css_class(prompt->deny, "pill");
    gtk_widget_add_css_class(prompt->allow, "pill");
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
    (void)g_signal_connect(prompt->reason, "entry-activated", G_CALLBACK(prompt_on_reason), prompt);
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
prompt_build_heading(Prompt *prompt)
{
    g_autofree char *heading = ask_heading(prompt->ask);

    prompt->heading = gtk_label_new(heading);
    gtk_widget_add_css_class(prompt->heading, "title-3");
    gtk_widget_set_focusable(prompt->heading, TRUE);
    gtk_label_set_wrap(GTK_LABEL(prompt->heading), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(prompt->heading), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(prompt->heading), 0);
    return prompt->heading;
}

static void
prompt_add_fact(const char *caption, const char *value, void *data)
{
    ui_facts_add(data, caption, value);
}

static GtkWidget *
prompt_build_content(Prompt *prompt)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);
    GtkWidget *facts = ui_facts_new(), *complaint = ui_complaint_new();

    prompt->more = gtk_label_new(NULL);
    gtk_widget_add_css_class(prompt->more, "dim-label");
    ask_facts(prompt->ask, prompt_add_fact, facts);
    ui_complaint_set(complaint, prompt->ask->refusal);
    gtk_box_append(GTK_BOX(box), prompt_build_heading(prompt));
    gtk_box_append(GTK_BOX(box), facts);
    gtk_box_append(GTK_BOX(box), prompt_build_reason(prompt));
    gtk_box_append(GTK_BOX(box), prompt_build_countdown(prompt));
    gtk_box_append(GTK_BOX(box), complaint);
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
    (void)g_signal_connect(prompt->window, "notify::is-active", G_CALLBACK(prompt_on_active),
                           prompt);
}

static void
prompt_hide(Prompt *prompt)
{
    g_clear_handle_id(&prompt->hesitation, g_source_remove);
    prompt->ask = NULL;
    if (prompt->window == NULL)
        return;
    (void)g_signal_handlers_disconnect_by_data(prompt->window, prompt);
    gtk_window_destroy(prompt->window);
    prompt->window = NULL;
}

static void
prompt_show_others(Prompt *prompt, guint others)
{
    g_autofree char *more =
        g_strdup_printf(ngettext("%u more request waits", "%u more requests wait", others), others);

    gtk_label_set_text(GTK_LABEL(prompt->more), more);
    gtk_widget_set_visible(prompt->more, others > 0);
}

void
prompt_update(Prompt *prompt)
{
    g_autofree char *text = NULL;
    int seconds;

    if (prompt->ask == NULL)
        return;
    seconds = (int)((ask_left(prompt->ask) + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    text = g_strdup_printf(ngettext("Refused by itself in %d second",
                                    "Refused by itself in %d seconds", (unsigned long)seconds),
                           seconds);
    gtk_label_set_text(GTK_LABEL(prompt->countdown), text);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(prompt->bar), ask_left_part(prompt->ask));
}

void
prompt_show(Prompt *prompt, Ask *ask, guint others)
{
    if (ask != prompt->ask) {
        prompt_hide(prompt);
        prompt->ask = ask;
        if (ask == NULL)
            return;
        prompt_build(prompt);
        prompt_update(prompt);
        prompt_hesitate(prompt);
        gtk_window_present(prompt->window);
        /* It does nothing with Return or Space, and is what a screen reader reads out. (A label
         * that is asked to take the focus says no.) */
        gtk_root_set_focus(GTK_ROOT(prompt->window), prompt->heading);
    }
    if (ask != NULL)
        prompt_show_others(prompt, others);
}

Ask *
prompt_ask(Prompt *prompt)
{
    return prompt->ask;
}

void
prompt_present(Prompt *prompt)
{
    if (prompt->window != NULL)
        gtk_window_present(prompt->window);
}

Prompt *
prompt_new(GtkApplication *application, PromptAnswer answer, void *data)
{
    Prompt *prompt = g_new0(Prompt, 1);

    prompt->application = application;
    prompt->answer = answer;
    prompt->data = data;
    return prompt;
}

void
prompt_free(Prompt *prompt)
{
    if (prompt == NULL)
        return;
    prompt_hide(prompt);
    g_free(prompt);
}
