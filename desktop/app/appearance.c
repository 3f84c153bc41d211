/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/appearance.h"
#include "desktop/base/names.h"

#include <glib/gi18n.h>

#define PORTAL "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define PORTAL_SETTINGS "org.freedesktop.portal.Settings"
#define NAMESPACE "org.freedesktop.appearance"
#define KEY "color-scheme"
#define PREFER_DARK 1
#define READ_MS 5000

struct Appearance {
    GCancellable *cancellable;
    GDBusConnection *bus; /* the session bus; NULL: there is none */
    guint changes;
    GtkStyleProvider *dark; /* on top of the style sheet, in dark mode */
};

gboolean
appearance_parse(const char *text, AppearanceScheme *ret_scheme, GError **error)
{
    static const char *const names[] = {"default", "light", "dark", NULL};

    for (guint i = 0; names[i] != NULL; i++) {
        if (g_str_equal(names[i], text)) {
            *ret_scheme = (AppearanceScheme)i;
            return TRUE;
        }
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                _("--color-scheme is light, dark or default, not %s"), text);
    return FALSE;
}

static void
appearance_set_dark(gboolean dark)
{
    g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", dark, NULL);
}

/* The portal wraps a value in one variant or, for Read, in two. */
static void
appearance_apply(GVariant *value)
{
    g_autoptr(GVariant) inner = NULL;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        inner = g_variant_get_variant(value);
        appearance_apply(inner);
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        appearance_set_dark(g_variant_get_uint32(value) == PREFER_DARK);
    }
}

static void
appearance_on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    g_autoptr(GVariant) value = NULL;

    if (reply == NULL)
        return; /* no portal, or it does not know: GTK's own setting is used */
    value = g_variant_get_child_value(reply, 0);
    appearance_apply(value);
}

static void
appearance_on_changed(GDBusConnection *bus, const char *sender, const char *path,
                      const char *interface, const char *signal, GVariant *args, gpointer data)
{
    const char *namespace, *key;
    g_autoptr(GVariant) value = NULL;

    if (!g_variant_is_of_type(args, G_VARIANT_TYPE("(ssv)")))
        return;
    g_variant_get(args, "(&s&s@v)", &namespace, &key, &value);
    if (g_str_equal(namespace, NAMESPACE) && g_str_equal(key, KEY))
        appearance_apply(value);
}

static void
appearance_on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusConnection *bus = g_bus_get_finish(result, NULL);
    Appearance *appearance = data;

    if (bus == NULL)
        return; /* cancelled, for example: DATA may be gone */
    appearance->bus = bus;
    appearance->changes = g_dbus_connection_signal_subscribe(
        bus, PORTAL, PORTAL_SETTINGS, "SettingChanged", PORTAL_PATH, NAMESPACE,
        G_DBUS_SIGNAL_FLAGS_NONE, appearance_on_changed, appearance, NULL);
    g_dbus_connection_call(bus, PORTAL, PORTAL_PATH, PORTAL_SETTINGS, "Read",
                           g_variant_new("(ss)", NAMESPACE, KEY), NULL, G_DBUS_CALL_FLAGS_NONE,
                           READ_MS, appearance->cancellable, appearance_on_read, NULL);
}

static GtkStyleProvider *
appearance_load(const char *resource)
{
    GtkCssProvider *provider = gtk_css_provider_new();

    gtk_css_provider_load_from_resource(provider, resource);
    return GTK_STYLE_PROVIDER(provider);
}

/* Some colours are our own, and must follow the theme. */
static void
appearance_on_dark(GtkSettings *settings, GParamSpec *property, gpointer data)
{
    Appearance *appearance = data;
    GdkDisplay *display = gdk_display_get_default();
    gboolean dark = FALSE;
    g_autofree char *theme = NULL;

    g_object_get(settings, "gtk-application-prefer-dark-theme", &dark, "gtk-theme-name", &theme,
                 NULL);
    gtk_style_context_remove_provider_for_display(display, appearance->dark);
    if (dark || (theme != NULL && g_str_has_suffix(theme, "-dark")))
        gtk_style_context_add_provider_for_display(display, appearance->dark,
                                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
}

static void
appearance_load_styles(Appearance *appearance)
{
    g_autoptr(GtkStyleProvider) style = appearance_load(APP_RESOURCES "/style.css");
    GtkSettings *settings = gtk_settings_get_default();

    appearance->dark = appearance_load(APP_RESOURCES "/style-dark.css");
    gtk_style_context_add_provider_for_display(gdk_display_get_default(), style,
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    (void)g_signal_connect(settings, "notify::gtk-application-prefer-dark-theme",
                           G_CALLBACK(appearance_on_dark), appearance);
    (void)g_signal_connect(settings, "notify::gtk-theme-name", G_CALLBACK(appearance_on_dark),
                           appearance);
    appearance_on_dark(settings, NULL, appearance);
}

Appearance *
appearance_new(AppearanceScheme scheme)
{
    Appearance *appearance = g_new0(Appearance, 1);

    appearance->cancellable = g_cancellable_new();
    appearance_load_styles(appearance);
    if (scheme == APPEARANCE_DESKTOP)
        g_bus_get(G_BUS_TYPE_SESSION, appearance->cancellable, appearance_on_bus, appearance);
    else
        appearance_set_dark(scheme == APPEARANCE_DARK);
    return appearance;
}

void
appearance_free(Appearance *appearance)
{
    if (appearance == NULL)
        return;
    g_cancellable_cancel(appearance->cancellable);
    g_object_unref(appearance->cancellable);
    if (appearance->bus != NULL)
        g_dbus_connection_signal_unsubscribe(appearance->bus, appearance->changes);
    g_clear_object(&appearance->bus);
    (void)g_signal_handlers_disconnect_by_data(gtk_settings_get_default(), appearance);
    g_object_unref(appearance->dark);
    g_free(appearance);
}
