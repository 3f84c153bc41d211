/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/program.h"

#include <gio/gio.h>

gboolean
program_is_replaced(void)
{
    g_autofree char *path = g_file_read_link("/proc/self/exe", NULL);

    return path && g_str_has_suffix(path, " (deleted)"); /* proc(5) */
}
