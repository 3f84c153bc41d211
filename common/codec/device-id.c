/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/device-id.h"

#include <string.h>

static gboolean
name_is_valid(const char *name, gssize len, gsize max, const char *marks)
{
    gsize count = len < 0 ? strlen(name) : (gsize)len;

    if (count == 0 || count > max)
        return FALSE;
    for (gsize i = 0; i < count; i++)
        if (!g_ascii_isalnum(name[i]) && (name[i] == '\0' || !strchr(marks, name[i])))
            return FALSE;
    return !(name[0] == '.' && (count == 1 || (count == 2 && name[1] == '.')));
}

gboolean
device_id_is_valid(const char *id, gssize len)
{
    return name_is_valid(id, len, DEVICE_ID_MAX, "._:-");
}

gboolean
stream_name_is_valid(const char *name, gssize len)
{
    return name_is_valid(name, len, STREAM_NAME_MAX, "._~:-");
}
