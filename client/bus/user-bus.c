/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/bus/user-bus.h"

#include <string.h>
#include <sys/stat.h>

#define ADDRESS_OF_PATH "unix:path="

static gboolean
user_bus_is_set(const char *hint)
{
    return hint != NULL && *hint != '\0';
}

/* Whether PATH lies in the runtime folder of a user other than UID. */
static gboolean
user_bus_is_of_another(const char *run, uid_t uid, const char *path)
{
    g_autofree char *front = g_strconcat(run, "/", NULL), *number = NULL;
    guint64 owner;

    if (!g_str_has_prefix(path, front))
        return FALSE;
    path += strlen(front);
    number = g_strndup(path, strcspn(path, "/,"));
    return g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT32, &owner, NULL) && owner != uid;
}

/* Whether the environment is to be followed. */
static gboolean
user_bus_is_known(const char *run, uid_t uid, const UserBusHints *hints)
{
    const gsize front = strlen(ADDRESS_OF_PATH);

    if (user_bus_is_set(hints->address))
        return !g_str_has_prefix(hints->address, ADDRESS_OF_PATH) ||
               !user_bus_is_of_another(run, uid, hints->address + front);
    return user_bus_is_set(hints->folder) && !user_bus_is_of_another(run, uid, hints->folder);
}

char *
user_bus_find(const char *run, uid_t uid, const UserBusHints *hints)
{
    g_autofree char *path = g_strdup_printf("%s/%u/bus", run, (guint)uid);
    struct stat status;

    if (user_bus_is_known(run, uid, hints) || lstat(path, &status) < 0 ||
        !S_ISSOCK(status.st_mode) || status.st_uid != uid)
        return NULL;
    return g_strconcat(ADDRESS_OF_PATH, path, NULL);
}
