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

/* Version 2 adds the unit to the keys of a tunnel's times. */
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

/* Version 3 adds conditions, outcomes and limits of rules and targets. The old ones mean the same.
 * The number is new because an older streamd would overlook a condition, so it must not read the
 * file. */
static void
upgrade_2(GKeyFile *file G_GNUC_UNUSED)
{
}

/* Version 4 puts each hub's key into its own file, which the state names (store-secrets.h). If the
 * state names none for a hub, its key is in the file `secrets`. */
static void
upgrade_3(GKeyFile *file G_GNUC_UNUSED)
{
}

/* steps[i] upgrades version STORE_VERSION_OLDEST + i to the next. */
static void (*const steps[])(GKeyFile *file) = {upgrade_1, upgrade_2, upgrade_3};

G_STATIC_ASSERT(G_N_ELEMENTS(steps) == STORE_VERSION - STORE_VERSION_OLDEST);

void
store_upgrade(GKeyFile *file, int version)
{
    for (int i = version - STORE_VERSION_OLDEST; i < (int)G_N_ELEMENTS(steps); i++)
        steps[i](file);
}
