/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/paths.h"

char **
paths_split(const char *text)
{
    char **paths = g_strsplit(text ? text : "", ",", -1);

    for (guint i = 0; paths[i]; i++)
        (void)g_strstrip(paths[i]);
    return paths;
}

gboolean
paths_are_good(const char *text)
{
    g_auto(GStrv) paths = paths_split(text);

    for (guint i = 0; paths[i]; i++)
        if (!g_path_is_absolute(paths[i]))
            return FALSE;
    return paths[0] && g_strv_length(paths) <= PATHS_MAX;
}
