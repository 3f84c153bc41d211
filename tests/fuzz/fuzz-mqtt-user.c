/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client id and user name of a CONNECT, with a NUL between them: who is let in by them is whom
 * the client id names, and nobody else. */
#include "common/codec/device-id.h"
#include "hub/device/mqtt-user.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An instance is whole or not there, and a name can be shown. */
static void
check_type(const ClientType *type)
{
    gsize len = strlen(type->instance);

    g_assert_true(len == 0 || len == INSTANCE_LEN);
    g_assert_cmpuint(strspn(type->instance, "0123456789abcdef"), ==, len);
    if (!type->name)
        return;
    g_assert_cmpuint(strlen(type->name), <=, CLIENT_NAME_MAX);
    for (const char *c = type->name; *c; c++)
        g_assert_true(g_ascii_isprint(*c));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size > 0 ? memchr(text, '\0', size) : NULL;
    Slice client_id = {text, end ? (gsize)(end - text) : size};
    Slice user_name = {end ? end + 1 : "", end ? size - client_id.len - 1 : 0};
    g_auto(MqttUser) user = {0};
    g_autofree char *again = NULL;

    if (!mqtt_user_parse(client_id, user_name, &user)) {
        g_assert_true(!user.device && !user.module);
        return 0;
    }
    g_assert_true(device_id_is_valid(user.device, -1));
    g_assert_true(!user.module || device_id_is_valid(user.module, -1));
    g_assert_cmpuint(strlen(user.api_version), <=, MQTT_API_VERSION_MAX);
    check_type(&user.type);
    again = user.module ? g_strconcat(user.device, "/", user.module, NULL) : g_strdup(user.device);
    g_assert_true(slice_equal(client_id, again));
    return 0;
}
