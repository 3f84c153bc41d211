/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/policy/user-list.h"

#include "common/base/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#define SEPARATORS " \t,"
#define NAME_MAX_LENGTH 256 /* useradd(8) allows 32; directory services allow more */
#define DATABASE_ENTRY_MAX (1024 * 1024)

static gboolean
user_name_is_valid(const char *name)
{
    if (*name == '@')
        name++;
    if (*name == '\0' || *name == '-' || strlen(name) > NAME_MAX_LENGTH)
        return FALSE;
    for (; *name != '\0'; name++)
        if (!g_ascii_isalnum(*name) && strchr("._-$@\\", *name) == NULL && (*name & 0x80) == 0)
            return FALSE;
    return TRUE;
}

gboolean
user_list_check(const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit_set(text, SEPARATORS, -1);
    guint count = 0;

    if (strlen(text) > USER_LIST_TEXT_MAX) {
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "the list of users is longer than %d bytes", USER_LIST_TEXT_MAX);
        return FALSE;
    }
    for (guint i = 0; names[i] != NULL; i++) {
        if (*names[i] == '\0')
            continue;
        if (!user_name_is_valid(names[i]) || ++count > USER_LIST_NAMES_MAX) {
            g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "\"%.64s\": give at most %d users (alice) and groups (@ops)", names[i],
                        USER_LIST_NAMES_MAX);
            return FALSE;
        }
    }
    return TRUE;
}

/* The number of a user or group. */
static gboolean
user_number(const char *name, guint32 *ret)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, &number, NULL))
        return FALSE;
    *ret = (guint32)number;
    return TRUE;
}

gboolean
user_find(const char *name, guint32 *ret_uid)
{
    struct passwd entry, *found = NULL;

    for (gsize size = 1024; size <= DATABASE_ENTRY_MAX; size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        int r = getpwnam_r(name, &entry, buffer, size, &found);

        if (r == 0 && found != NULL)
            *ret_uid = found->pw_uid;
        if (r != ERANGE)
            return found != NULL || user_number(name, ret_uid);
    }
    return FALSE;
}

static gboolean
group_find(const char *name, guint32 *ret_gid)
{
    struct group entry, *found = NULL;

    for (gsize size = 1024; size <= DATABASE_ENTRY_MAX; size *= 4) {
        g_autofree char *buffer = g_malloc(size);
        int r = getgrnam_r(name, &entry, buffer, size, &found);

        if (r == 0 && found != NULL)
            *ret_gid = found->gr_gid;
        if (r != ERANGE)
            return found != NULL || user_number(name, ret_gid);
    }
    return FALSE;
}

gboolean
user_list_has(const char *text, uid_t uid, gboolean (*in_group)(gid_t group, const void *data),
              const void *data)
{
    g_auto(GStrv) names = g_strsplit_set(text, SEPARATORS, -1);
    guint32 number = 0;

    for (guint i = 0; names[i] != NULL; i++) {
        if (names[i][0] == '@' && group_find(names[i] + 1, &number) && in_group(number, data))
            return TRUE;
        if (names[i][0] != '@' && *names[i] != '\0' && user_find(names[i], &number) &&
            number == uid)
            return TRUE;
    }
    return FALSE;
}
