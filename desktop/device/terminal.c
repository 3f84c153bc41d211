/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/device/terminal.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define ID_MAX 128

/* In this order: what the user has chosen, what the system has chosen, what is there. */
static const struct {
    const char *program, *before; /* before: what comes in front of the command; may be NULL */
} terminals[] = {
    {"xdg-terminal-exec", NULL},
    {"x-terminal-emulator", "-e"},
    {"gnome-terminal", "--"},
    {"ptyxis", "--"},
    {"kgx", "--"},
    {"konsole", "-e"},
    {"xfce4-terminal", "-x"},
    {"mate-terminal", "-x"},

    {"foot", NULL},
    {"kitty", NULL},
    {"alacritty", "-e"},
    {"xterm", "-e"},
};

GStrv
terminal_argv(TerminalFind find, const char *const *command)
{
    for (guint i = 0; i < G_N_ELEMENTS(terminals); i++) {
        g_autofree char *path = find(terminals[i].program);
        g_autoptr(GStrvBuilder) argv = path == NULL ? NULL : g_strv_builder_new();

        if (path == NULL)
            continue;
        g_strv_builder_add(argv, path);
        if (terminals[i].before != NULL)
            g_strv_builder_add(argv, terminals[i].before);
        g_strv_builder_addv(argv, (const char **)command);
        return g_strv_builder_end(argv);
    }
    return NULL;
}

/* The letters of an id at a hub; a slash is between a device and its module. */
static gboolean
id_is_good(const char *id)
{
    const gsize length = strlen(id);

    return length > 0 && length <= 2 * ID_MAX + 1 && *id != '-' && *id != '/' &&
           strspn(id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._:-/") == length;
}

/* A user's name at the device: no letter that a shell or ssh would understand in another way. */
static gboolean
user_is_good(const char *user)
{
    return strlen(user) <= ID_MAX && *user != '-' && strpbrk(user, "@%'\"`$\\;&|<> \t\n") == NULL;
}

GStrv
terminal_ssh(const char *streamctl, const char *bus, const char *hub, const char *user,
             const char *device, GError **error)
{
    g_autofree char *named = g_strdup_printf("--hub=%s", hub);
    g_autofree char *place =
        *user == '\0' ? g_strdup(device) : g_strdup_printf("%s@%s", user, device);
    const char *const argv[] = {streamctl, "ssh", bus, named, "--", place, NULL};

    if (!id_is_good(device)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    _("ssh takes no device of the name “%s”"), device);
        return NULL;
    }
    if (!user_is_good(user)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    _("“%s” is not the name of a user"), user);
        return NULL;
    }
    return g_strdupv((GStrv)argv);
}

gboolean
terminal_run(const char *const *command, GError **error)
{
    g_auto(GStrv) argv = terminal_argv(g_find_program_in_path, command);

    if (argv == NULL) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                            _("No terminal was found. Install one, such as gnome-terminal, konsole "
                              "or xterm."));
        return FALSE;
    }
    return g_spawn_async(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, error);
}
