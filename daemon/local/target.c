/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/local/target-private.h"

#include "common/base/error.h"
#include "common/codec/device-id.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

gboolean
target_check_name(const char *name, GError **error)
{
    if (stream_name_is_valid(name, -1))
        return TRUE;
    g_set_error_literal(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                        "a target's name is 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : -");
    return FALSE;
}

static gboolean
address_error(const char *address, const char *what, GError **error)
{
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "\"%.*s\": %s; an address is tcp:HOST:PORT, tcp:[IPV6]:PORT or unix:PATH",
                TARGET_ADDRESS_MAX, address, what);
    return FALSE;
}

static gboolean
port_parse(const char *text, gboolean zero, guint16 *ret)
{
    guint64 value;

    if (!g_ascii_isdigit(*text) ||
        !g_ascii_string_to_unsigned(text, 10, zero ? 0 : 1, 65535, &value, NULL))
        return FALSE;
    *ret = (guint16)value;
    return TRUE;
}

static gboolean
host_is_plain(const char *host, gsize len)
{
    if (len == 0 || len > 253)
        return FALSE;
    for (gsize i = 0; i < len; i++)
        if (!g_ascii_isalnum(host[i]) && !strchr(".-_", host[i]))
            return FALSE;
    return host[0] != '-' && host[0] != '.';
}

static gboolean
tcp_parse_v6(const char *address, gboolean port_zero, LocalAddress *ret, GError **error)
{
    const char *start = address + strlen("tcp:["), *end = strchr(start, ']');
    g_autofree char *host = end ? g_strndup(start, (gsize)(end - start)) : NULL;
    g_autoptr(GInetAddress) inet = host ? g_inet_address_new_from_string(host) : NULL;
    guint16 port;

    if (!inet || g_inet_address_get_family(inet) != G_SOCKET_FAMILY_IPV6)
        return address_error(address, "what is in brackets must be an IPv6 address", error);
    if (end[1] != ':' || !port_parse(end + 2, port_zero, &port))
        return address_error(address, "the port must be a number from 1 to 65535", error);
    *ret = (LocalAddress){.host = g_steal_pointer(&host), .port = port};
    return TRUE;
}

static gboolean
tcp_parse(const char *address, gboolean port_zero, LocalAddress *ret, GError **error)
{
    const char *start = address + strlen("tcp:"), *colon = strrchr(start, ':');
    guint16 port;

    if (*start == '[')
        return tcp_parse_v6(address, port_zero, ret, error);
    if (!colon)
        return address_error(address, "the port is missing", error);
    if (memchr(start, ':', (gsize)(colon - start)))
        return address_error(address, "an IPv6 address must stand in brackets", error);
    if (!host_is_plain(start, (gsize)(colon - start)))
        return address_error(address, "the host must be a name or an IP address", error);
    if (!port_parse(colon + 1, port_zero, &port))
        return address_error(address, "the port must be a number from 1 to 65535", error);
    *ret = (LocalAddress){.host = g_strndup(start, (gsize)(colon - start)), .port = port};
    return TRUE;
}

static gboolean
unix_parse(const char *address, LocalAddress *ret, GError **error)
{
    const char *path = address + strlen("unix:");

    if (*path != '/')
        return address_error(address, "the path must be absolute", error);
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return address_error(address, "the path is longer than a socket's path may be", error);
    *ret = (LocalAddress){.path = g_strdup(path)};
    return TRUE;
}

gboolean
local_address_parse(const char *address, gboolean port_zero, LocalAddress *ret, GError **error)
{
    if (strlen(address) > TARGET_ADDRESS_MAX)
        return address_error("...", "too long", error);
    for (const char *c = address; *c; c++)
        if ((guchar)*c < 0x20 || *c == 0x7f)
            return address_error("...", "it has a control character", error);
    if (g_str_has_prefix(address, "tcp:"))
        return tcp_parse(address, port_zero, ret, error);
    if (g_str_has_prefix(address, "unix:"))
        return unix_parse(address, ret, error);
    return address_error(address, "it begins with neither tcp: nor unix:", error);
}

void
local_address_clear(LocalAddress *address)
{
    g_clear_pointer(&address->host, g_free);
    g_clear_pointer(&address->path, g_free);
}

gboolean
target_check_address(const char *address, GError **error)
{
    g_auto(LocalAddress) parsed = {0};

    return local_address_parse(address, FALSE, &parsed, error);
}

Target *
target_new(const TargetSettings *settings, GError **error)
{
    g_auto(LocalAddress) parsed = {0};
    Target *target;

    if (!target_check_name(settings->name, error) ||
        !local_address_parse(settings->address, FALSE, &parsed, error) ||
        !limits_check(&settings->limits, error))
        return NULL;
    target = g_new0(Target, 1);
    target->references = 1;
    target->name = g_strdup(settings->name);
    target->address = g_strdup(settings->address);
    target->parsed = parsed;
    target->source = g_strdup(settings->source);
    target->limits = settings->limits;
    parsed = (LocalAddress){0};
    return target;
}

Target *
target_ref(Target *target)
{
    target->references++;
    return target;
}

void
target_unref(Target *target)
{
    if (!target || --target->references > 0)
        return;
    g_free(target->name);
    g_free(target->address);
    g_free(target->source);
    local_address_clear(&target->parsed);
    g_free(target);
}

const char *
target_name(const Target *target)
{
    return target->name;
}

const char *
target_address(const Target *target)
{
    return target->address;
}

guint
target_active(const Target *target)
{
    return target->active;
}

guint
target_waiting(const Target *target)
{
    return target->waiting;
}

const Limits *
target_limits(const Target *target)
{
    return &target->limits;
}

const char *
target_source(const Target *target)
{
    return target->source;
}

void
target_set_source(Target *target, const char *source)
{
    char *copy = g_strdup(source);

    g_free(target->source);
    target->source = copy;
}

gboolean
target_take_place(Target *target, TargetWaiter *waiter)
{
    if (target->waiting < TARGET_WAITING_MAX) {
        target->waiting++;
        return TRUE;
    }
    waiter->link = (GList){.data = waiter};
    waiter->queued = TRUE;
    g_queue_push_tail_link(&target->waiters, &waiter->link);
    return FALSE;
}

void
target_give_place(Target *target)
{
    GList *next = g_queue_pop_head_link(&target->waiters);
    TargetWaiter *waiter = next ? next->data : NULL;

    if (!waiter) {
        target->waiting--;
        return;
    }
    waiter->queued = FALSE;
    waiter->ready(waiter->data);
}

void
target_stop_waiting(Target *target, TargetWaiter *waiter)
{
    if (waiter->queued)
        g_queue_unlink(&target->waiters, &waiter->link);
    waiter->queued = FALSE;
}

SocketDial *
target_connect(Target *target, Runtime *runtime, SocketDialDone done, void *data)
{
    g_autoptr(GSocketConnectable) to = NULL;

    if (target->parsed.path)
        to = G_SOCKET_CONNECTABLE(g_unix_socket_address_new(target->parsed.path));
    else
        to = g_network_address_new(target->parsed.host, target->parsed.port);
    return socket_dial_new(runtime, to, TARGET_CONNECT_TIMEOUT, done, data);
}

Reason
target_failure(const GError *error)
{
    if (g_error_matches(error, STREAMD_ERROR, STREAMD_ERROR_TIMED_OUT) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        return REASON_TARGET_TIMED_OUT;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        return REASON_TARGET_REFUSED;
    return REASON_TARGET_UNREACHABLE;
}
