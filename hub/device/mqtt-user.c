/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/mqtt-user.h"

#include "common/codec/device-id.h"
#include "common/codec/http-target.h"
#include "common/codec/percent.h"

#include <string.h>

static gboolean
client_id_split(Slice id, char **ret_device, char **ret_module)
{
    const char *slash = id.len > 0 ? memchr(id.ptr, '/', id.len) : NULL;
    gsize len = slash ? (gsize)(slash - id.ptr) : id.len;
    gsize rest = id.len - len;

    if (!device_id_is_valid(id.ptr, (gssize)len))
        return FALSE;
    if (slash && !device_id_is_valid(slash + 1, (gssize)(rest - 1)))
        return FALSE;
    *ret_device = g_strndup(id.ptr, len);
    *ret_module = slash ? g_strndup(slash + 1, rest - 1) : NULL;
    return TRUE;
}

/* What follows {hub}/{client id}: nothing, or parameters behind "/", "/?" or "?". */
static gboolean
parameters_find(Slice user_name, Slice client_id, Slice *ret)
{
    const char *slash = user_name.len > 0 ? memchr(user_name.ptr, '/', user_name.len) : NULL;
    Slice rest;

    if (!slash || slash == user_name.ptr)
        return FALSE;
    rest.ptr = slash + 1;
    rest.len = user_name.len - (gsize)(rest.ptr - user_name.ptr);
    if (rest.len < client_id.len || memcmp(rest.ptr, client_id.ptr, client_id.len) != 0)
        return FALSE;
    rest.ptr += client_id.len;
    rest.len -= client_id.len;
    if (rest.len > 0 && rest.ptr[0] != '/' && rest.ptr[0] != '?')
        return FALSE;
    for (guint i = 0; i < 2 && rest.len > 0; i++)
        if (rest.ptr[0] == "/?"[i]) {
            rest.ptr++;
            rest.len--;
        }
    *ret = rest;
    return TRUE;
}

static void
parameters_read(Slice parameters, MqttUser *user)
{
    Slice value;
    g_autofree char *type = NULL;

    if (http_query_get(parameters, "api-version", &value) && value.len <= MQTT_API_VERSION_MAX) {
        gboolean plain = TRUE;

        for (gsize i = 0; i < value.len; i++)
            plain = plain && (g_ascii_isalnum(value.ptr[i]) || strchr("-.", value.ptr[i]));
        if (plain && value.len > 0)
            memcpy(user->api_version, value.ptr, value.len);
    }
    if (!http_query_get(parameters, "DeviceClientType", &value))
        return;
    type = percent_decode_text(value.ptr, value.len);
    client_type_parse(type, &user->type);
}

gboolean
mqtt_user_parse(Slice client_id, Slice user_name, MqttUser *ret)
{
    g_auto(MqttUser) user = {0};
    Slice parameters = {0};

    if (!client_id_split(client_id, &user.device, &user.module) ||
        !parameters_find(user_name, client_id, &parameters))
        return FALSE;
    parameters_read(parameters, &user);
    *ret = user;
    user = (MqttUser){0};
    return TRUE;
}

void
mqtt_user_clear(MqttUser *user)
{
    g_clear_pointer(&user->device, g_free);
    g_clear_pointer(&user->module, g_free);
    client_type_clear(&user->type);
}
