/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/verb/ssh-name.h"

#include "common/codec/device-id.h"

#include <string.h>

gboolean
ssh_name_is_device(const char *text)
{
    const char *slash = strchr(text, '/');

    if (slash == NULL)
        return device_id_is_valid(text, -1);
    return device_id_is_valid(text, slash - text) && device_id_is_valid(slash + 1, -1);
}

/* How many of the LENGTH bytes of TEXT are the device when HUB follows; 0: HUB does not follow. */
static gsize
ssh_name_before_hub(const char *text, gsize length, const char *hub)
{
    gsize size = strlen(hub);

    if (size == 0 || length < size + 2 || text[length - size - 1] != '.' ||
        memcmp(text + length - size, hub, size) != 0)
        return 0;
    return length - size - 1;
}

gboolean
ssh_name_parse(const char *host, const char *const *hubs, char **ret_device, const char **ret_hub)
{
    const gsize suffix = strlen(SSH_NAME_SUFFIX), whole = strlen(host);
    gsize length = whole - MIN(suffix, whole);
    g_autofree char *device = NULL;
    const char *found = NULL;

    if (length == 0 || strcmp(host + length, SSH_NAME_SUFFIX) != 0)
        return FALSE;
    device = g_strndup(host, length);
    for (gsize i = 0; hubs != NULL && hubs[i] != NULL; i++) {
        gsize before = ssh_name_before_hub(host, whole - suffix, hubs[i]);

        if (before > 0 && before < length) {
            length = before;
            found = hubs[i];
        }
    }
    device[length] = '\0';
    if (!ssh_name_is_device(device))
        return FALSE;
    *ret_device = g_steal_pointer(&device);
    *ret_hub = found;
    return TRUE;
}

char *
ssh_name_make(const char *device, const char *hub)
{
    if (hub == NULL)
        return g_strconcat(device, SSH_NAME_SUFFIX, NULL);
    return g_strconcat(device, ".", hub, SSH_NAME_SUFFIX, NULL);
}
