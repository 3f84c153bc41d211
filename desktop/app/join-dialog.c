/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/join-dialog.h"
#include "desktop/app/join-source.h"
#include "desktop/base/form.h"
#include "desktop/base/names.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"
#include "desktop/bus/failure.h"
#include "desktop/setup/hub-words.h"
#include "desktop/setup/invitation.h"

#include <glib/gi18n.h>
#include <unistd.h>

#define HUB_NAME_MAX 64
#define DEVICE_ID_MAX 128
/* How often, in ms, and how many times it is looked whether the hub has taken us. */
#define LOOK_MS 200
#define LOOKS 75

typedef struct {
    App *app;
    GtkWindow *window;
    GtkWidget *stack, *complaint, *facts, *group, *name, *id, *join, *cancel;
    GCancellable *cancellable;
    Invitation *invitation; /* NULL: none yet */
    gboolean pasted, busy;  /* busy: streamd has it, and answers */
    char *hub;              /* path of the new hub; NULL: it is not added yet */
    guint timer, looks;
} Dialog;

static void
dialog_free(Dialog *dialog)
{
    g_cancellable_cancel(dialog->cancellable);
    g_object_unref(dialog->cancellable);
    g_clear_handle_id(&dialog->timer, g_source_remove);
    invitation_free(dialog->invitation);
    g_free(dialog->hub);
    g_free(dialog);
}

/* -- what was given ------------------------------------------------------------------------- */

/* Which hub, as whom, and by which authority it is known. */
static void
dialog_show_facts(Dialog *dialog)
{
    const Invitation *invitation = dialog->invitation;
    const char *identity = invitation->identity == NULL ? "" : invitation->identity;
    g_autofree char *as = g_strdup_printf(invitation->role == INVITATION_SERVICE
                                              ? _("this machine opens streams as the user %s")
                                              : _("this machine becomes the device %s"),
                                          identity);

    ui_facts_clear(dialog->facts);
    ui_facts_add(dialog->facts, _("Hub"), invitation->host);
    ui_facts_add(dialog->facts, _("What for"),
                 invitation->role == INVITATION_ANY ? _("this machine becomes a device") : as);
    ui_facts_add(dialog->facts, _("Kind"),
                 invitation->name == NULL
                     ? _("a connection string, with the key itself in it")
                     : _("an invitation; the key is made here, and leaves this machine never"));
    ui_facts_add(dialog->facts, _("Invitation"), invitation->name == NULL ? "" : invitation->name);
    ui_facts_add(dialog->facts, _("Hub's authority (SHA-256)"),
                 *invitation->fingerprints == '\0'
                     ? _("none is named: those that this machine trusts anyway")
                     : invitation->fingerprints);
    ui_facts_add(dialog->facts, _("Good until"),
                 invitation->name == NULL ? _("it is taken back at the hub")
                                          : _("it is used or has expired, which the hub knows"));
}

/* A name that no hub here has. Caller frees. */
static char *
dialog_free_name(Dialog *dialog)
{
    char *name = invitation_hub_name(dialog->invitation);
    g_autofree char *first = g_strdup(name);

    for (guint i = 2; model_named(dialog->app->model->hubs, name) != NULL; i++) {
        g_free(name);
        name = g_strdup_printf("%s-%u", first, i);
    }
    return name;
}

static void
dialog_take(Dialog *dialog, const char *text, gsize length, gboolean pasted)
{
    g_autoptr(GError) error = NULL;
    Invitation *invitation = invitation_read(text, length, &error);
    g_autofree char *name = NULL;

    if (dialog->busy || dialog->hub != NULL) {
        invitation_free(invitation);
        return; /* chosen or dropped before, and read only now */
    }
    if (invitation == NULL) {
        ui_complaint_set(dialog->complaint, error->message);
        return;
    }
    invitation_free(dialog->invitation);
    dialog->invitation = invitation;
    dialog->pasted = pasted;
    name = dialog_free_name(dialog);
    ui_complaint_set(dialog->complaint, NULL);
    dialog_show_facts(dialog);
    gtk_editable_set_text(GTK_EDITABLE(dialog->name), name);
    gtk_widget_set_visible(dialog->id, invitation->role == INVITATION_ANY);
    gtk_stack_set_visible_child_name(GTK_STACK(dialog->stack), "confirm");
    gtk_widget_set_visible(dialog->join, TRUE);
    (void)gtk_widget_grab_focus(dialog->join);
}

static void
dialog_given(Dialog *dialog, const char *text, gsize length, const GError *error, gboolean pasted)
{
    if (text != NULL)
        dialog_take(dialog, text, length, pasted);
    else if (error != NULL)
        ui_complaint_set(dialog->complaint, error->message);
}

static void
dialog_on_file(const char *text, gsize length, const GError *error, void *data)
{
    dialog_given(data, text, length, error, FALSE);
}

static void
dialog_on_clipboard(const char *text, gsize length, const GError *error, void *data)
{
    dialog_given(data, text, length, error, TRUE);
}

static void
dialog_on_choose(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;

    join_source_choose(dialog->window, dialog->cancellable, dialog_on_file, dialog);
}

static void
dialog_on_paste(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;

    join_source_clipboard(dialog->cancellable, dialog_on_clipboard, dialog);
}

static void
dialog_on_dropped(GFile *file, const char *text, void *data)
{
    Dialog *dialog = data;

    if (file != NULL)
        join_source_file(file, dialog->cancellable, dialog_on_file, dialog);
    else
        dialog_take(dialog, text, strlen(text), FALSE);
}

/* -- joining -------------------------------------------------------------------------------- */

static void
dialog_set_busy(Dialog *dialog, gboolean busy)
{
    dialog->busy = busy;
    gtk_widget_set_sensitive(dialog->group, !busy);
    gtk_widget_set_sensitive(dialog->join, !busy);
    ui_set_label(dialog->join, busy ? _("Joining…") : _("_Join"));
}

/* It is still in the clipboard: whoever pastes next would show it. */
static void
dialog_on_still_there(const char *text, gsize length, const GError *error, void *data)
{
    Invitation *invitation = data;

    if (invitation_is(invitation, text))
        gdk_clipboard_set_text(gdk_display_get_clipboard(gdk_display_get_default()), "");
    invitation_free(invitation);
}

/* The dialog may be gone by then. */
static void
dialog_empty_clipboard(Dialog *dialog)
{
    g_autoptr(GCancellable) never = g_cancellable_new();

    if (dialog->pasted)
        join_source_clipboard(never, dialog_on_still_there, g_steal_pointer(&dialog->invitation));
    g_clear_pointer(&dialog->invitation, invitation_free);
}

static void
dialog_done(Dialog *dialog, Item *hub)
{
    const gboolean device = g_str_equal(item_string(hub, "Role"), "device");
    g_autofree char *identity = text_apart(item_string(hub, "Identity"));
    g_autofree char *host = text_apart(item_string(hub, "HostName"));
    g_autofree char *text =
        g_strdup_printf(device ? _("Joined: this machine is the device %s at %s")
                               : _("Joined: this machine opens streams as the user %s at %s"),
                        identity, host);

    window_show_page(dialog->app->window, "hubs");
    window_notice(dialog->app->window, text, FALSE);
    gtk_window_destroy(dialog->window);
}

/* It is kept, and streamd goes on trying. HUB: NULL: streamd does not tell of it, or has gone. */
static void
dialog_stuck(Dialog *dialog, Item *hub)
{
    g_autofree char *error = text_plain(hub == NULL ? "" : item_string(hub, "LastError"));
    const char *cure = hub == NULL ? "" : hub_words_cure(hub);
    g_autofree char *text =
        g_strchomp(g_strdup_printf("%s\n%s\n%s", _("The hub is kept, but not connected yet:"),
                                   *error == '\0' ? _("it does not answer") : error, cure));

    ui_complaint_set(dialog->complaint, text);
    gtk_widget_set_visible(dialog->join, FALSE);
    ui_set_label(dialog->cancel, _("_Done"));
    window_show_page(dialog->app->window, "hubs");
}

static gboolean
dialog_on_look(gpointer data)
{
    Dialog *dialog = data;
    Item *hub = model_at(dialog->app->model->hubs, dialog->hub);
    const char *state = hub == NULL ? "" : item_string(hub, "State");

    if (g_str_equal(state, "connected")) {
        dialog->timer = 0;
        dialog_done(dialog, hub);
        return G_SOURCE_REMOVE;
    }
    if ((hub == NULL || *item_string(hub, "LastError") == '\0') && ++dialog->looks < LOOKS)
        return G_SOURCE_CONTINUE;
    dialog->timer = 0;
    dialog_stuck(dialog, hub);
    return G_SOURCE_REMOVE;
}

static void
dialog_on_added(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Dialog *dialog = data;

    if (error != NULL) {
        g_autofree char *text = failure_text(error);

        dialog_set_busy(dialog, FALSE);
        ui_complaint_set(dialog->complaint, text);
        return;
    }
    g_variant_get(result, "(o)", &dialog->hub);
    dialog_empty_clipboard(dialog);
    daemon_refresh(dialog->app->daemon);
    dialog->timer = g_timeout_add(LOOK_MS, dialog_on_look, dialog);
}

static char *
dialog_text(GtkWidget *entry)
{
    return g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(entry))));
}

static GVariant *
dialog_arguments(Dialog *dialog)
{
    g_autofree char *name = dialog_text(dialog->name), *id = dialog_text(dialog->id);
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    if (dialog->invitation->role == INVITATION_ANY && *id != '\0')
        g_variant_dict_insert(&options, "as", "s", id);
    return g_variant_new("(sh@a{sv})", name, 0, g_variant_dict_end(&options));
}

static void
dialog_on_join(GtkButton *button, gpointer data)
{
    Dialog *dialog = data;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    const int fd = invitation_open(dialog->invitation, &error);

    if (fd < 0 || g_unix_fd_list_append(fds, fd, &error) < 0) {
        ui_complaint_set(dialog->complaint, error->message);
    } else {
        const DaemonCall call = {.path = STREAMD_ROOT,
                                 .interface = STREAMD_MANAGER,
                                 .method = "AddHub",
                                 .args = dialog_arguments(dialog),
                                 .fds = fds};

        ui_complaint_set(dialog->complaint, NULL);
        dialog_set_busy(dialog, TRUE);
        daemon_call(dialog->app->daemon, &call, dialog->cancellable, dialog_on_added, dialog);
    }
    if (fd >= 0)
        (void)close(fd); /* the list has one of its own */
}

/* -- building ------------------------------------------------------------------------------- */

static GtkWidget *
dialog_build_choose(Dialog *dialog)
{
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *choose = ui_button(_("Choose a _File…")), *paste = ui_button(_("_Paste It"));
    GtkWidget *status = ui_status_new(
        "streamd-hub-symbolic", _("Which Hub?"),
        _("Whoever runs the hub gives you an invitation or a connection string, as a file or as "
          "text. Choose the file, drop it here, or copy the text and paste it."),
        buttons);

    gtk_widget_add_css_class(choose, "pill");
    gtk_widget_add_css_class(choose, "suggested-action");
    gtk_widget_add_css_class(paste, "pill");
    gtk_box_append(GTK_BOX(buttons), choose);
    gtk_box_append(GTK_BOX(buttons), paste);
    (void)g_signal_connect(choose, "clicked", G_CALLBACK(dialog_on_choose), dialog);
    (void)g_signal_connect(paste, "clicked", G_CALLBACK(dialog_on_paste), dialog);
    return status;
}

static GtkWidget *
dialog_build_confirm(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 18);

    dialog->facts = ui_facts_new();
    dialog->group = form_group_new(NULL, NULL);
    dialog->name = form_entry(dialog->group, _("_Name of the hub here"), "", HUB_NAME_MAX);
    dialog->id = form_entry(dialog->group, _("Name of this _device"), "", DEVICE_ID_MAX);
    gtk_editable_set_text(GTK_EDITABLE(dialog->id), g_get_host_name());
    gtk_box_append(GTK_BOX(box), dialog->facts);
    gtk_box_append(GTK_BOX(box), dialog->group);
    return box;
}

static GtkWidget *
dialog_build(Dialog *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

    dialog->complaint = ui_complaint_new();
    dialog->stack = gtk_stack_new();
    gtk_stack_set_vhomogeneous(GTK_STACK(dialog->stack), FALSE);
    (void)gtk_stack_add_named(GTK_STACK(dialog->stack), dialog_build_choose(dialog), "choose");
    (void)gtk_stack_add_named(GTK_STACK(dialog->stack), dialog_build_confirm(dialog), "confirm");
    gtk_box_append(GTK_BOX(box), dialog->complaint);
    gtk_box_append(GTK_BOX(box), dialog->stack);
    return box;
}

static Dialog *
dialog_new(App *app)
{
    Dialog *dialog = g_new0(Dialog, 1);
    GtkWidget *content;

    dialog->app = app;
    dialog->cancellable = g_cancellable_new();
    dialog->join = ui_button(_("_Join"));
    dialog->cancel = ui_button(_("_Cancel"));
    gtk_widget_set_visible(dialog->join, FALSE);
    content = dialog_build(dialog);
    dialog->window = ui_dialog_new(window_gtk(app->window), _("Join a Hub"), content,
                                   dialog->cancel, dialog->join);
    join_source_add_drop(GTK_WIDGET(dialog->window), dialog_on_dropped, dialog);
    (void)g_signal_connect(dialog->join, "clicked", G_CALLBACK(dialog_on_join), dialog);
    (void)g_signal_connect_swapped(dialog->window, "destroy", G_CALLBACK(dialog_free), dialog);
    gtk_window_present(dialog->window);
    return dialog;
}

void
join_dialog_present(App *app)
{
    (void)dialog_new(app);
}

void
join_dialog_present_dropped(App *app, GFile *file, const char *text)
{
    dialog_on_dropped(file, text, dialog_new(app));
}
