/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terminal: which terminal the user has, and how it is told to run a command. Pure, but for
 * terminal_run(). */
#pragma once

#include <glib.h>

/* Finds a program by its name, as g_find_program_in_path() does. */
typedef char *(*TerminalFind)(const char *program);

/* The terminal with COMMAND as words of its own: no shell reads them. NULL: there is no terminal.
 */
GStrv terminal_argv(TerminalFind find, const char *const *command);

/* The command that logs in to DEVICE: streamctl ssh, so that nothing has to be configured. BUS:
 * "--user" or "--system". USER: at the device; "": as ssh's configuration says. DEVICE may be what
 * a hub called it: words that ssh would take for an option are refused. NULL with ERROR. */
GStrv terminal_ssh(const char *streamctl, const char *bus, const char *hub, const char *user,
                   const char *device, GError **error);

/* Runs COMMAND in the user's terminal. FALSE with ERROR set. */
gboolean terminal_run(const char *const *command, GError **error);
