/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/autostart.h"
#include "desktop/base/names.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>

#define PORTAL "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define PORTAL_BACKGROUND "org.freedesktop.portal.Background"
#define PORTAL_REQUEST "org.freedesktop.portal.Request"
#define TOKEN "streamd_autostart"
#define FLATPAK_INFO "/.flatpak-info"
#define OPTION "--background"
/* How long the portal may take to begin, in ms; what it asks of a person has no limit. */
#define PORTAL_MS 25000

typedef struct {
    GDBusConnection *session;
    GCancellable *cancellable;
    gboolean on;
    guint response; /* the subscription */
    AutostartDone done;
    void *data;
} Attempt;

static void
attempt_end(Attempt *attempt, gboolean on, const char *error)
{
    if (attempt->response != 0)
        g_dbus_connection_signal_unsubscribe(attempt->session, attempt->response);
    if (!g_cancellable_is_cancelled(attempt->cancellable))
        attempt->done(on, error, attempt->data);
    g_clear_object(&attempt->session);
    g_clear_object(&attempt->cancellable);
    g_free(attempt);
}

/* -- the entry --------------------------------------------------------------------------------- */

/* This program, as an entry names it. One in a folder of a strange name is looked for by its own.
 */
static char *
entry_program(void)
{
    g_autofree char *path = g_file_read_link("/proc/self/exe", NULL);

    if (path == NULL || strpbrk(path, "\"\\`$% \t") != NULL)
        return g_strdup("streamd-desktop");
    return g_steal_pointer(&path);
}

static GBytes *
entry_text(void)
{
    g_autoptr(GKeyFile) entry = g_key_file_new();
    g_autofree char *program = entry_program();
    g_autofree char *exec = g_strdup_printf("%s " OPTION, program);
    gsize length = 0;
    char *text;

    g_key_file_set_string(entry, "Desktop Entry", "Type", "Application");
    g_key_file_set_string(entry, "Desktop Entry", "Name", _("Device Streams"));
    g_key_file_set_string(entry, "Desktop Entry", "Comment",
                          _("Asks when a stream to this machine needs consent"));
    g_key_file_set_string(entry, "Desktop Entry", "Exec", exec);
    g_key_file_set_string(entry, "Desktop Entry", "Icon", APP_ID);
    text = g_key_file_to_data(entry, &length, NULL);
    return g_bytes_new_take(text, length);
}

static void
entry_on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    Attempt *attempt = data;
    g_autoptr(GError) error = NULL;
    gboolean written = g_file_replace_contents_finish(G_FILE(source), result, NULL, &error);

    attempt_end(attempt, written, error == NULL ? NULL : error->message);
}

static void
entry_on_deleted(GObject *source, GAsyncResult *result, gpointer data)
{
    Attempt *attempt = data;
    g_autoptr(GError) error = NULL;

    if (!g_file_delete_finish(G_FILE(source), result, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        attempt_end(attempt, TRUE, error->message);
    else
        attempt_end(attempt, FALSE, NULL);
}

static void
entry_set(Attempt *attempt)
{
    g_autofree char *folder = g_build_filename(g_get_user_config_dir(), "autostart", NULL);
    g_autofree char *path = g_build_filename(folder, APP_ID ".desktop", NULL);
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GBytes) text = entry_text();

    if (!attempt->on)
        g_file_delete_async(file, G_PRIORITY_DEFAULT, NULL, entry_on_deleted, attempt);
    else if (g_mkdir_with_parents(folder, 0700) < 0)
        attempt_end(attempt, FALSE, g_strerror(errno));
    else
        g_file_replace_contents_bytes_async(file, text, NULL, FALSE,
                                            G_FILE_CREATE_REPLACE_DESTINATION, NULL,
                                            entry_on_written, attempt);
}

/* -- the portal -------------------------------------------------------------------------------- */

static void
portal_on_response(GDBusConnection *connection, const char *sender, const char *path,
                   const char *interface, const char *name, GVariant *args, gpointer data)
{
    Attempt *attempt = data;
    guint32 response = 2;
    gboolean on = FALSE;
    g_autoptr(GVariant) results = NULL;

    if (g_variant_is_of_type(args, G_VARIANT_TYPE("(ua{sv})"))) {
        g_variant_get(args, "(u@a{sv})", &response, &results);
        (void)g_variant_lookup(results, "autostart", "b", &on);
    }
    attempt_end(attempt, on, on == attempt->on ? NULL : _("the desktop does not allow it"));
}

static void
portal_on_called(GObject *source, GAsyncResult *result, gpointer data)
{
    Attempt *attempt = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (reply == NULL)
        attempt_end(attempt, !attempt->on, error->message);
}

static GVariant *
portal_options(gboolean on)
{
    const char *const command[] = {"streamd-desktop", OPTION, NULL};
    GVariantBuilder options;

    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "handle_token", g_variant_new_string(TOKEN));
    g_variant_builder_add(
        &options, "{sv}", "reason",
        g_variant_new_string(_("Asks when a stream to this machine needs consent")));
    g_variant_builder_add(&options, "{sv}", "autostart", g_variant_new_boolean(on));
    g_variant_builder_add(&options, "{sv}", "commandline", g_variant_new_strv(command, -1));
    return g_variant_builder_end(&options);
}

/* Where the answer comes is known before the call, so that it cannot be missed. */
static char *
portal_request_path(GDBusConnection *session)
{
    g_autofree char *name = g_strdup(g_dbus_connection_get_unique_name(session) + 1);

    return g_strdup_printf(PORTAL_PATH "/request/%s/" TOKEN, g_strdelimit(name, ".", '_'));
}

static void
portal_set(Attempt *attempt)
{
    g_autofree char *path = portal_request_path(attempt->session);

    attempt->response = g_dbus_connection_signal_subscribe(
        attempt->session, PORTAL, PORTAL_REQUEST, "Response", path, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        portal_on_response, attempt, NULL);
    g_dbus_connection_call(
        attempt->session, PORTAL, PORTAL_PATH, PORTAL_BACKGROUND, "RequestBackground",
        g_variant_new("(s@a{sv})", "", portal_options(attempt->on)), G_VARIANT_TYPE("(o)"),
        G_DBUS_CALL_FLAGS_NONE, PORTAL_MS, NULL, portal_on_called, attempt);
}

void
autostart_set(GDBusConnection *session, gboolean on, GCancellable *cancellable, AutostartDone done,
              void *data)
{
    Attempt *attempt = g_new0(Attempt, 1);

    attempt->on = on;
    attempt->cancellable = g_object_ref(cancellable);
    attempt->done = done;
    attempt->data = data;
    if (session == NULL || !g_file_test(FLATPAK_INFO, G_FILE_TEST_EXISTS)) {
        entry_set(attempt);
        return;
    }
    attempt->session = g_object_ref(session);
    portal_set(attempt);
}
