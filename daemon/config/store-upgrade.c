/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/store-upgrade.h"

static void
rename_key(GKeyFile *file, const char *group, const char *from, const char *to)
{
    g_autofree char *value = g_key_file_get_value(file, group, from, NULL);

    if (!value)
        return;
    g_key_file_set_value(file, group, to, value);
    (void)g_key_file_remove_key(file, group, from, NULL);
}

/* Version 2 names the unit of a tunnel's times. */
static void
upgrade_1(GKeyFile *file)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (guint i = 0; groups[i]; i++) {
        if (!g_str_has_prefix(groups[i], "tunnel "))
            continue;
        rename_key(file, groups[i], "timeout", "timeout-usec");
        rename_key(file, groups[i], "wait", "wait-usec");
    }
}

/* Version 3 knows more conditions, outcomes and limits of rules and targets. What there was means
 * the same; an older streamd, which would overlook a condition, must not read it. */
static void
upgrade_2(GKeyFile *file G_GNUC_UNUSED)
{
}

/* Version 4 has a hub's key in a file of its own, which the state names (store-secrets.h). Of a hub
 * without such a name the key is in the file `secrets`. */
static void
upgrade_3(GKeyFile *file G_GNUC_UNUSED)
{
}

/* From the version of the index, plus STORE_VERSION_OLDEST, to the next. */
static void (*const steps[])(GKeyFile *file) = {upgrade_1, upgrade_2, upgrade_3};

G_STATIC_ASSERT(G_N_ELEMENTS(steps) == STORE_VERSION - STORE_VERSION_OLDEST);

void
store_upgrade(GKeyFile *file, int version)
{
    for (int i = version - STORE_VERSION_OLDEST; i < (int)G_N_ELEMENTS(steps); i++)
        steps[i](file);
}
