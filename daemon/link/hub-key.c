/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The key of a hub's identity, when the hub changes it. */
#include "daemon/link/hub-struct.h"

#include "common/base/secret.h"

#include <string.h>

void
hub_answer_key(Hub *hub, const KeyAnswer *answer)
{
    g_autoptr(GString) topic = g_string_new(NULL);

    key_answer_build(topic, answer);
    if (hub->link && !device_link_publish(hub->link, topic->str))
        g_debug("the answer to a new key was not sent; the hub will send the key again");
}

char *
hub_string_with_key(const Hub *hub, const char *key)
{
    ConnectionString parts = *hub->parts;

    parts.key = (char *)(guintptr)key;
    return connection_string_format(&parts);
}

gboolean
hub_is_keyed(const Hub *hub)
{
    return hub->connection_string && hub->parts->key && !hub->parts->x509;
}

gboolean
hub_has_key(const Hub *hub, const char *key)
{
    return hub->connection_string && hub->parts->key && secret_equals(hub->parts->key, key);
}

void
hub_set_key(Hub *hub, const char *connection_string)
{
    g_autoptr(ConnectionString) parts = connection_string_parse(connection_string, -1, NULL);

    if (!parts)
        return;
    secret_free(hub->parts->key);
    hub->parts->key = g_steal_pointer(&parts->key);
    secret_free(hub->connection_string);
    hub->connection_string = g_strdup(connection_string);
    if (hub->link)
        device_link_use_key(hub->link);
}

void
hub_set_key_busy(Hub *hub, gboolean busy)
{
    hub->key_busy = busy;
}

gboolean
hub_key_is_busy(const Hub *hub)
{
    return hub->key_busy;
}

gboolean
hub_take_key_turn(Hub *hub, gint64 now)
{
    gint64 forgiven = MAX(now - hub->keys_counted, 0) / HUB_KEYS_PAUSE;

    if (hub->keys_taken == 0 || forgiven >= hub->keys_taken) {
        hub->keys_taken = 0;
        hub->keys_counted = now;
    } else {
        hub->keys_taken -= (guint)forgiven;
        hub->keys_counted += forgiven * HUB_KEYS_PAUSE;
    }
    if (hub->keys_taken >= HUB_KEYS_BURST)
        return FALSE;
    hub->keys_taken++;
    return TRUE;
}
