/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamd-desktop: the command line. */
#include "desktop/app/app.h"
#include "desktop/base/names.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <locale.h>

static const GOptionEntry options[] = {
    {"user", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Your own streamd, on the session bus"), NULL},
    {"system", 0, 0, G_OPTION_ARG_NONE, NULL, N_("The system's streamd"), NULL},
    {"background", 0, 0, G_OPTION_ARG_NONE, NULL,
     N_("Without a window: only ask when a stream needs consent"), NULL},
    {"color-scheme", 0, 0, G_OPTION_ARG_STRING, NULL, N_("Instead of the desktop's: light or dark"),
     N_("SCHEME")},
    {"version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Print the version"), NULL},
    {0},
};

static gboolean
main_parse_scheme(const char *text, AdwColorScheme *ret_scheme, GError **error)
{
    static const struct {
        const char *text;
        AdwColorScheme scheme;
    } schemes[] = {
        {"default", ADW_COLOR_SCHEME_DEFAULT},
        {"light", ADW_COLOR_SCHEME_FORCE_LIGHT},
        {"dark", ADW_COLOR_SCHEME_FORCE_DARK},
    };

    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_str_equal(schemes[i].text, text)) {
            *ret_scheme = schemes[i].scheme;
            return TRUE;
        }
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                _("--color-scheme is light, dark or default, not %s"), text);
    return FALSE;
}

/* Without a window; one that runs already goes on without its own. The exit status, -1: go on. */
static int
main_background(GApplication *application, App *app)
{
    g_autoptr(GError) error = NULL;

    if (!g_application_register(application, NULL, &error)) {
        g_printerr("%s: %s\n", g_get_prgname(), error->message);
        return 1;
    }
    g_action_group_activate_action(G_ACTION_GROUP(application), "stay", NULL);
    if (!g_application_get_is_remote(application)) {
        app->hidden = TRUE;
        return -1;
    }
    (void)g_dbus_connection_flush_sync(g_application_get_dbus_connection(application), NULL, NULL);
    return 0;
}

static int
main_on_options(GApplication *application, GVariantDict *given, gpointer data)
{
    App *app = data;
    const char *scheme = "default";
    g_autoptr(GError) error = NULL;

    if (g_variant_dict_contains(given, "version")) {
        g_print("%s %s\n", g_get_prgname(), STREAMD_VERSION);
        return 0;
    }
    if (g_variant_dict_contains(given, "system"))
        app->bus = G_BUS_TYPE_SYSTEM;
    else if (g_variant_dict_contains(given, "user"))
        app->bus = G_BUS_TYPE_SESSION;
    (void)g_variant_dict_lookup(given, "color-scheme", "&s", &scheme);
    if (!main_parse_scheme(scheme, &app->scheme, &error)) {
        g_printerr("%s: %s\n", g_get_prgname(), error->message);
        return 2;
    }
    return g_variant_dict_contains(given, "background") ? main_background(application, app) : -1;
}

int
main(int argc, char **argv)
{
    App app = {.bus = G_BUS_TYPE_NONE};
    g_autoptr(AdwApplication) application = NULL;

    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain("streamd", LOCALE_DIR);
    (void)bind_textdomain_codeset("streamd", "UTF-8");
    (void)textdomain("streamd");
    g_set_application_name(_("Device Streams"));
    application = adw_application_new(APP_ID, G_APPLICATION_DEFAULT_FLAGS);
    app.application = GTK_APPLICATION(application);
    g_application_add_main_option_entries(G_APPLICATION(application), options);
    (void)g_signal_connect(application, "handle-local-options", G_CALLBACK(main_on_options), &app);
    app_attach(&app);
    return g_application_run(G_APPLICATION(application), argc, argv);
}
