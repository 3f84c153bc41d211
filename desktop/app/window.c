/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/window.h"
#include "desktop/app/actions.h"
#include "desktop/app/join-dialog.h"
#include "desktop/app/join-source.h"
#include "desktop/app/background.h"
#include "desktop/base/names.h"
#include "desktop/page/page.h"
#include "desktop/base/fold.h"
#include "desktop/base/text.h"
#include "desktop/base/ui.h"

#include <glib/gi18n.h>

/* How long a notice stays that is not an error, in s. */
#define NOTICE_S 6

struct Window {
    App *app;
    GtkWindow *window;
    GtkWidget *pages, *body; /* body: the pages, or why there are none */
    GtkWidget *toasts;
    AdwToast *toast;   /* the one that is shown; NULL: none is */
    GtkWidget *notice; /* what it says */
    guint notice_timer;
    GtkWidget *absent, *start;
    GtkWidget *dot, *status, *rates, *answers;
    const char *look; /* CSS class of the dot */
};

GtkWindow *
window_gtk(Window *window)
{
    return window->window;
}

/* -- notices --------------------------------------------------------------------------------- */

static void
window_on_toast_dismissed(AdwToast *toast, gpointer data)
{
    Window *window = data;

    if (window->toast != toast)
        return;
    g_clear_handle_id(&window->notice_timer, g_source_remove);
    window->toast = NULL;
}

static gboolean
window_on_notice_timer(gpointer data)
{
    Window *window = data;

    window->notice_timer = 0;
    if (window->toast != NULL)
        adw_toast_dismiss(window->toast);
    return G_SOURCE_REMOVE;
}

/* A toast's own title has one line, which would cut what streamd says. */
static GtkWidget *
window_notice_label(const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_natural_wrap_mode(GTK_LABEL(label), GTK_NATURAL_WRAP_NONE);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    return label;
}

static void
window_add_toast(Window *window)
{
    window->toast = adw_toast_new("");
    window->notice = window_notice_label("");
    adw_toast_set_custom_title(window->toast, window->notice);
    adw_toast_set_priority(window->toast, ADW_TOAST_PRIORITY_HIGH);
    adw_toast_set_timeout(window->toast, 0);
    (void)g_signal_connect(window->toast, "dismissed", G_CALLBACK(window_on_toast_dismissed),
                           window);
    /* which the overlay owns, until it is dismissed */
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(window->toasts), window->toast);
}

/* The toast that is there says something else: libadwaita 1.2 does not survive that one goes while
 * it comes, as two notices in a row would have it. */
void
window_notice(Window *window, const char *text, gboolean is_error)
{
    g_clear_handle_id(&window->notice_timer, g_source_remove);
    if (window->toast == NULL)
        window_add_toast(window);
    gtk_label_set_text(GTK_LABEL(window->notice), text);
    if (!is_error)
        window->notice_timer = g_timeout_add_seconds(NOTICE_S, window_on_notice_timer, window);
}

/* -- the state ------------------------------------------------------------------------------- */

static const char *
window_whose(GBusType bus)
{
    return bus == G_BUS_TYPE_SYSTEM ? _("The system's streamd") : _("Your own streamd");
}

/* Says why there is nothing to see, and what can be done. */
static void
window_update_absent(Window *window)
{
    DaemonState state = daemon_state(window->app->daemon);
    const char *error = daemon_error(window->app->daemon);
    gboolean system = daemon_bus(window->app->daemon) == G_BUS_TYPE_SYSTEM;
    const char *title = _("Looking for streamd…"), *text = "";

    if (state == DAEMON_ABSENT) {
        title = system ? _("The System's streamd Is Not Running") : _("streamd Is Not Running");
        text = system ? _("Start it here, or for good: systemctl enable --now streamd")
                      : _("Start it here, or for good: systemctl --user enable --now streamd");
    } else if (state == DAEMON_NO_BUS) {
        title = _("The Bus Cannot Be Reached");
        text = error == NULL ? "" : error;
    }
    ui_status_set(window->absent, title, text);
    gtk_widget_set_visible(window->start, state == DAEMON_ABSENT);
}

static void
window_set_look(Window *window, const char *look)
{
    if (window->look == look)
        return;
    if (window->look != NULL)
        gtk_widget_remove_css_class(window->dot, window->look);
    gtk_widget_add_css_class(window->dot, look);
    window->look = look;
}

static guint
window_count_connected(Window *window, guint *ret_all)
{
    GListModel *hubs = G_LIST_MODEL(window->app->model->hubs);
    guint connected = 0;

    *ret_all = g_list_model_get_n_items(hubs);
    for (guint i = 0; i < *ret_all; i++) {
        g_autoptr(Item) hub = g_list_model_get_item(hubs, i);

        connected += g_str_equal(item_string(hub, "State"), "connected");
    }
    return connected;
}

static void
window_update_status(Window *window)
{
    Daemon *daemon = window->app->daemon;
    guint all = 0, connected = window_count_connected(window, &all);
    g_autofree char *count = g_strdup_printf(
        ngettext("%u of %u hub connected", "%u of %u hubs connected", all), connected, all);
    g_autofree char *who = g_strstrip(
        g_strdup_printf("%s %s", window_whose(daemon_bus(daemon)), daemon_version(daemon)));
    g_autofree char *text = NULL;

    if (daemon_state(daemon) != DAEMON_PRESENT) {
        window_set_look(window, "error");
        gtk_label_set_text(GTK_LABEL(window->status), _("Not connected to streamd"));
        return;
    }
    text = text_join(who, all == 0 ? _("no hub") : count, NULL);
    window_set_look(window, all > 0 && connected == all ? "success" : "warning");
    gtk_label_set_text(GTK_LABEL(window->status), text);
}

static void
window_update_answers(Window *window)
{
    GBusType bus = daemon_bus(window->app->daemon);
    const char *error = consent_error_on(window->app->consent, bus);
    gboolean registered = consent_registered_on(window->app->consent, bus);
    g_autofree char *why =
        error == NULL
            ? g_strdup(_("Incoming streams that need consent are not asked about here"))
            : g_strdup_printf(_("Incoming streams cannot be asked about here: %s"), error);
    const char *text =
        registered ? _("Incoming streams that need consent are asked about here") : why;

    gtk_image_set_from_icon_name(GTK_IMAGE(window->answers), registered
                                                                 ? "streamd-asking-symbolic"
                                                                 : "streamd-not-asking-symbolic");
    gtk_widget_set_tooltip_text(window->answers, text);
    ui_name(window->answers, text);
    gtk_widget_set_visible(window->answers, daemon_state(window->app->daemon) == DAEMON_PRESENT);
}

static void
window_update_rates(Window *window)
{
    double in = 0, out = 0;
    g_autofree char *text = NULL;

    model_rates(window->app->model, &in, &out);
    text = text_rates(in, out);
    gtk_label_set_text(GTK_LABEL(window->rates), text);
    gtk_widget_set_visible(window->rates, *text != '\0');
}

void
window_update(Window *window)
{
    gboolean there = daemon_state(window->app->daemon) == DAEMON_PRESENT;

    window_update_absent(window);
    window_update_status(window);
    window_update_answers(window);
    window_update_rates(window);
    gtk_stack_set_visible_child_name(GTK_STACK(window->body), there ? "pages" : "absent");
}

void
window_show_page(Window *window, const char *name)
{
    adw_view_stack_set_visible_child_name(ADW_VIEW_STACK(window->pages), name);
}

/* -- building -------------------------------------------------------------------------------- */

static GtkWidget *
window_build_menu(void)
{
    GtkWidget *menu = gtk_menu_button_new();
    g_autoptr(GMenuModel) model = actions_menu();

    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(menu), "open-menu-symbolic");
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(menu), model);
    gtk_menu_button_set_primary(GTK_MENU_BUTTON(menu), TRUE);
    gtk_widget_set_tooltip_text(menu, _("Main menu"));
    ui_name(menu, _("Main menu"));
    return menu;
}

/* SWITCHER: the tabs, for a bar that is wide enough; else the window's title is there. */
static GtkWidget *
window_build_header(GtkWidget *switcher)
{
    GtkWidget *bar = adw_header_bar_new();
    GtkWidget *open = gtk_button_new_from_icon_name("list-add-symbolic");

    gtk_actionable_set_action_name(GTK_ACTIONABLE(open), "app.new-tunnel");
    gtk_widget_set_tooltip_text(open, _("Open a tunnel (Ctrl+N)"));
    ui_name(open, _("Open a tunnel"));
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(bar), switcher);
    adw_header_bar_pack_start(ADW_HEADER_BAR(bar), open);
    adw_header_bar_pack_end(ADW_HEADER_BAR(bar), window_build_menu());
    return bar;
}

static void
window_build_pages(Window *window)
{
    Model *model = window->app->model;
    const struct {
        GtkWidget *page;
        const char *name, *title, *icon;
    } pages[] = {
        {page_tunnels_new(model), "tunnels", _("Tunnels"), "streamd-tunnel-symbolic"},
        {page_streams_new(model), "streams", _("Streams"), "streamd-out-symbolic"},
        {page_devices_new(model, window->app->daemon), "devices", _("Devices"),
         "streamd-device-symbolic"},
        {page_services_new(model, window->app->rules), "services", _("Services"),
         "streamd-in-symbolic"},
        {page_hubs_new(model), "hubs", _("Hubs"), "streamd-hub-symbolic"},
    };

    window->pages = adw_view_stack_new();
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        (void)adw_view_stack_add_titled_with_icon(ADW_VIEW_STACK(window->pages), pages[i].page,
                                                  pages[i].name, pages[i].title, pages[i].icon);
}

static GtkWidget *
window_build_absent(Window *window)
{
    window->start = ui_button(_("_Start streamd"));
    gtk_widget_add_css_class(window->start, "suggested-action");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(window->start), "app.start");
    window->absent = ui_status_new("streamd-hub-symbolic", "", "", window->start);
    return window->absent;
}

static GtkWidget *
window_build_status(Window *window)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 9), *both;

    window->dot = gtk_image_new_from_icon_name("media-record-symbolic");
    window->status = gtk_label_new(NULL);
    window->rates = gtk_label_new(NULL);
    window->answers = gtk_image_new_from_icon_name("streamd-not-asking-symbolic");
    gtk_image_set_pixel_size(GTK_IMAGE(window->dot), 10);
    gtk_label_set_xalign(GTK_LABEL(window->status), 0);
    gtk_label_set_wrap(GTK_LABEL(window->status), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(window->status), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_wrap(GTK_LABEL(window->rates), TRUE);
    gtk_label_set_xalign(GTK_LABEL(window->rates), 0);
    both = fold_new(window->status, window->rates);
    gtk_widget_set_hexpand(both, TRUE);
    gtk_widget_add_css_class(window->rates, "numeric");
    gtk_widget_add_css_class(box, "status-bar");
    gtk_box_append(GTK_BOX(box), window->dot);
    gtk_box_append(GTK_BOX(box), both);
    gtk_box_append(GTK_BOX(box), window->answers);
    return box;
}

/* Large text may make even the shortest tabs wider than a narrow window; they can be scrolled then.
 */
static GtkWidget *
window_build_tabs(GtkWidget *bar)
{
    GtkWidget *scroll = gtk_scrolled_window_new();

    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), bar);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_AUTOMATIC,
                                   GTK_POLICY_NEVER);
    return scroll;
}

/* The tabs are in the header bar where there is room, else at the bottom. */
static GtkWidget *
window_build_content(Window *window)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *top = adw_view_switcher_title_new(), *bottom = adw_view_switcher_bar_new();

    adw_view_switcher_title_set_title(ADW_VIEW_SWITCHER_TITLE(top), _("Device Streams"));
    adw_view_switcher_title_set_stack(ADW_VIEW_SWITCHER_TITLE(top), ADW_VIEW_STACK(window->pages));
    adw_view_switcher_bar_set_stack(ADW_VIEW_SWITCHER_BAR(bottom), ADW_VIEW_STACK(window->pages));
    (void)g_object_bind_property(top, "title-visible", bottom, "reveal", G_BINDING_SYNC_CREATE);
    window->toasts = adw_toast_overlay_new();
    window->body = gtk_stack_new();
    (void)gtk_stack_add_named(GTK_STACK(window->body), window_build_absent(window), "absent");
    (void)gtk_stack_add_named(GTK_STACK(window->body), window->pages, "pages");
    gtk_widget_set_vexpand(window->toasts, TRUE);
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(window->toasts), window->body);
    gtk_box_append(GTK_BOX(box), window_build_header(top));
    gtk_box_append(GTK_BOX(box), window->toasts);
    gtk_box_append(GTK_BOX(box), window_build_status(window));
    gtk_box_append(GTK_BOX(box), window_build_tabs(bottom));
    return box;
}

/* An invitation, as far as the dialog sees one in it. */
static void
window_on_dropped(GFile *file, const char *text, void *data)
{
    Window *window = data;

    if (daemon_state(window->app->daemon) == DAEMON_PRESENT)
        join_dialog_present_dropped(window->app, file, text);
}

static void
window_on_active(GtkWindow *widget, GParamSpec *property, gpointer data)
{
    Window *window = data;

    if (gtk_window_is_active(widget))
        consent_retry(window->app->consent);
}

static gboolean
window_on_close(GtkWindow *widget, gpointer data)
{
    Window *window = data;

    return background_keeps_window(window->app) ? GDK_EVENT_STOP : GDK_EVENT_PROPAGATE;
}

static void
window_on_destroy(GtkWidget *widget, gpointer data)
{
    Window *window = data;

    window->app->window = NULL;
    g_clear_handle_id(&window->notice_timer, g_source_remove);
    if (window->toast != NULL)
        (void)g_signal_handlers_disconnect_by_data(window->toast, window);
    g_free(window);
}

Window *
window_new(App *app)
{
    Window *window = g_new0(Window, 1);

    window->app = app;
    window->window = GTK_WINDOW(adw_application_window_new(app->application));
    gtk_window_set_title(window->window, _("Device Streams"));
    gtk_window_set_default_size(window->window, 820, 560);
    window_build_pages(window);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window->window),
                                       window_build_content(window));
    join_source_add_drop(GTK_WIDGET(window->window), window_on_dropped, window);
    (void)g_signal_connect(window->window, "notify::is-active", G_CALLBACK(window_on_active),
                           window);
    (void)g_signal_connect(window->window, "close-request", G_CALLBACK(window_on_close), window);
    (void)g_signal_connect(window->window, "destroy", G_CALLBACK(window_on_destroy), window);
    window_update(window);
    return window;
}

void
window_free(Window *window)
{
    if (window != NULL)
        gtk_window_destroy(window->window);
}
