/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a hub may send the legs of its streams, and where not. */
#include "daemon/net/stream-hosts.h"

#include "common/base/error.h"

#include <string.h>

#define HUB "hub.example.com"
#define AZURE "myhub.azure-devices.net"
#define GLOBS "*.legs.example.org, 10.0.0.*,Relay.Example"

static const struct {
    const char *hub;   /* HostName, with its port; may be followed by ;GatewayHostName= */
    const char *globs; /* or NULL */
    const char *host;
    guint16 port;
    gboolean allowed;
} rows[] = {
    /* its own name, however it is written */
    {HUB, NULL, "hub.example.com", 443, TRUE},
    {HUB, NULL, "HUB.Example.COM", 443, TRUE},
    {HUB, NULL, "hub.example.com.", 443, TRUE},
    {"HUB.example.com", NULL, "hub.example.com", 443, TRUE},
    {"hub.example.com.", NULL, "hub.example.com", 443, TRUE},
    {HUB, NULL, "hub.example.com..", 443, FALSE},
    {HUB, NULL, "hub.example.comx", 443, FALSE},
    {HUB, NULL, "xhub.example.com", 443, TRUE}, /* another first label */
    {HUB, NULL, "", 443, FALSE},
    {HUB, NULL, ".", 443, FALSE},
    /* its port, or that of https */
    {HUB ":8443", NULL, "hub.example.com", 8443, TRUE},
    {HUB ":8443", NULL, "hub.example.com", 443, TRUE},
    {HUB ":8443", NULL, "hub.example.com", 8442, FALSE},
    {HUB ":8443", NULL, "hub.example.com", 22, FALSE},
    {HUB, NULL, "hub.example.com", 8443, FALSE},
    {HUB, NULL, "hub.example.com", 0, FALSE},
    {HUB, "*", "hub.example.com", 22, FALSE},
    {HUB, GLOBS, "relay.example", 8443, FALSE},
    /* names beside it */
    {HUB, NULL, "legs.example.com", 443, TRUE},
    {HUB, NULL, "LEGS.example.com.", 443, TRUE},
    {HUB ":8443", NULL, "legs.example.com", 8443, TRUE},
    {HUB ":8443", NULL, "legs.example.com", 22, FALSE},
    {HUB, NULL, "a.legs.example.com", 443, FALSE},
    {HUB, NULL, "example.com", 443, FALSE},
    {HUB, NULL, ".example.com", 443, FALSE},
    {HUB, NULL, "a..example.com", 443, FALSE},
    {HUB, NULL, "legs.example.org", 443, FALSE},
    {HUB, NULL, "legs.evil-example.com", 443, FALSE},
    {HUB, NULL, "legs.example.com.evil.org", 443, FALSE},
    {HUB, NULL, "localhost", 443, FALSE},
    {"hub.com", NULL, "bank.com", 443, FALSE}, /* one label is left */
    {"hub.com", NULL, "hub.com", 443, TRUE},
    {"hub", NULL, "nas", 443, FALSE},
    {"hub", NULL, "hub", 443, TRUE},
    {"hub", NULL, "hub.lan", 443, FALSE},
    {"localhost:8443", NULL, "localhost", 8443, TRUE},
    {"localhost:8443", NULL, "127.0.0.1", 8443, FALSE},
    {"localhost:8443", NULL, "::1", 8443, FALSE},
    {"a.hub.example.com", NULL, "b.hub.example.com", 443, TRUE},
    {"a.hub.example.com", NULL, "a.nub.example.com", 443, FALSE},
    /* addresses are no names */
    {HUB, NULL, "10.0.0.1", 443, FALSE},
    {HUB, NULL, "127.0.0.1", 443, FALSE},
    {HUB, NULL, "169.254.169.254", 443, FALSE},
    {HUB, NULL, "::1", 443, FALSE},
    {HUB, NULL, "fe80::1", 443, FALSE},
    {HUB, NULL, "fe80::1%eth0", 443, FALSE},
    {HUB, NULL, "::ffff:10.0.0.1", 443, FALSE},
    {HUB, NULL, "2130706433", 443, FALSE},
    {HUB, NULL, "0x7f000001", 443, FALSE},
    {HUB, NULL, "0x7f.1", 443, FALSE},
    {HUB, NULL, "127.1", 443, FALSE},
    {HUB, NULL, "0177.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "10.0.0.1", 443, TRUE},
    {"10.0.0.1", NULL, "10.0.0.1.", 443, FALSE}, /* a name, of which a resolver is asked */
    {"10.0.0.1.", NULL, "10.0.0.1", 443, FALSE},
    {"1.", NULL, "1", 443, FALSE},
    {"1.", NULL, "1.", 443, TRUE},
    {"10.0.0.1", NULL, "::ffff:10.0.0.1", 443, TRUE},
    {"10.0.0.1", NULL, "::FFFF:a00:1", 443, TRUE},
    {"10.0.0.1", NULL, "::ffff:10.0.0.2", 443, FALSE},
    {"10.0.0.1", NULL, "::10.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "64:ff9b::10.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "10.0.0.2", 443, FALSE},
    {"10.0.0.1", NULL, "11.0.0.1", 443, FALSE}, /* its first label alone is another */
    {"10.0.0.1", NULL, "x.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "010.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "10.1", 443, FALSE},
    {"10.0.0.1", NULL, "167772161", 443, FALSE},
    {"10.0.0.1", NULL, "0xa.0.0.1", 443, FALSE},
    {"10.0.0.1", NULL, "hub.example.com", 443, FALSE},
    {"10.0.0.1:8443", NULL, "10.0.0.1", 8443, TRUE},
    {"10.0.0.1:8443", NULL, "10.0.0.1", 22, FALSE},
    /* as Azure spells it */
    {AZURE, NULL, "eu.streams.azure-devices.net", 443, TRUE},
    {AZURE, NULL, "weu.weu-001.streams.azure-devices.net", 443, TRUE},
    {AZURE, NULL, "EU.Streams.Azure-Devices.NET", 443, TRUE},
    {AZURE, NULL, "streams.azure-devices.net", 443, TRUE}, /* beside it */
    {AZURE, NULL, ".streams.azure-devices.net", 443, FALSE},
    {AZURE, NULL, "eu.streams.azure-devices.net", 8443, FALSE},
    {AZURE, NULL, "eu.other.azure-devices.net", 443, FALSE},
    {AZURE, NULL, "eu.streams.azure-devices.net.evil.org", 443, FALSE},
    {AZURE, NULL, "evilstreams.azure-devices.net.evil.org", 443, FALSE},
    {HUB, NULL, "eu.streams.azure-devices.net", 443, FALSE},
    {"azure-devices.net", NULL, "eu.streams.azure-devices.net", 443, FALSE},
    {"my.azure-devices.net.evil.org", NULL, "eu.streams.azure-devices.net", 443, FALSE},
    {"myazure-devices.net", NULL, "eu.streams.azure-devices.net", 443, FALSE},
    /* what the owner adds */
    {HUB, GLOBS, "eu.legs.example.org", 443, TRUE},
    {HUB, GLOBS, "a.b.legs.example.org", 443, TRUE},
    {HUB, GLOBS, "EU.LEGS.example.org.", 443, TRUE},
    {HUB, GLOBS, "legs.example.org", 443, FALSE},
    {HUB, GLOBS, "eulegs.example.org", 443, FALSE},
    {HUB, GLOBS, "relay.example", 443, TRUE},
    {HUB, GLOBS, "relay.example.org", 443, FALSE},
    {HUB, GLOBS, "x.relay.example", 443, FALSE},
    {HUB, GLOBS, "10.0.0.7", 443, TRUE},
    {HUB, GLOBS, "::ffff:10.0.0.7", 443, TRUE},
    {HUB, GLOBS, "10.0.1.7", 443, FALSE},
    {HUB, GLOBS, "10.0.0.07", 443, FALSE},
    {HUB, "10.*", "10.1", 443, FALSE}, /* an address in a spelling that not all read alike */
    {HUB, "0x*", "0x7f.1", 443, FALSE},
    {HUB, "2001:db8::*", "2001:DB8:0:0::5", 443, TRUE},
    {HUB, "*", "anything.example", 443, TRUE},
    {HUB, "", "anything.example", 443, FALSE},
    {HUB, " , ", "anything.example", 443, FALSE},
    /* and with a port of its own */
    {HUB, "hub.example.com:8443", "hub.example.com", 8443, TRUE},
    {HUB, "hub.example.com:8443", "hub.example.com", 8444, FALSE},
    {HUB, "hub.example.com:8443", "hub.example.com", 443, TRUE},
    {HUB, "*.example.org:8443", "eu.example.org", 8443, TRUE},
    {HUB, "*.example.org:8443", "eu.example.org", 443, FALSE},
    {HUB, "*.example.org:8443,*.example.org", "eu.example.org", 443, TRUE},
    {HUB, "*:8443", "anything.example", 8443, TRUE},
    {HUB, "*:8443", "anything.example", 22, FALSE},
    {HUB, "[2001:db8::5]:8443", "2001:db8::5", 8443, TRUE},
    {HUB, "[2001:db8::5]:8443", "2001:db8::5", 443, FALSE},
    {HUB, "10.0.0.7:65535", "10.0.0.7", 65535, TRUE},
    /* GatewayHostName: what we connect to counts as well as what is behind it */
    {HUB ";GatewayHostName=edge.factory.lan", NULL, "edge.factory.lan", 443, TRUE},
    {HUB ";GatewayHostName=edge.factory.lan", NULL, "hub.example.com", 443, TRUE},
    {HUB ";GatewayHostName=edge.factory.lan", NULL, "legs.example.com", 443, TRUE},
    {HUB ";GatewayHostName=edge.factory.lan", NULL, "nas.factory.lan", 443, FALSE},
    {HUB ";GatewayHostName=edge.factory.lan:8443", NULL, "edge.factory.lan", 8443, TRUE},
    {HUB ";GatewayHostName=edge.factory.lan:8443", NULL, "edge.factory.lan", 22, FALSE},
    {HUB ";GatewayHostName=127.0.0.1:8443", NULL, "127.0.0.1", 8443, TRUE},
    {HUB ";GatewayHostName=127.0.0.1:8443", NULL, "127.0.0.2", 8443, FALSE},
    {AZURE ";GatewayHostName=127.0.0.1:8443", NULL, "eu.streams.azure-devices.net", 443, TRUE},
};

static void
test_table(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            g_strdup_printf("HostName=%s;DeviceId=d;SharedAccessKey=AAAA", rows[i].hub);
        g_autoptr(ConnectionString) hub = connection_string_parse(text, -1, NULL);
        g_autoptr(StreamHosts) hosts = NULL;

        g_assert_nonnull(hub);
        g_assert_true(stream_hosts_check(rows[i].globs, NULL));
        hosts = stream_hosts_new(hub, rows[i].globs);
        if (stream_hosts_allow(hosts, rows[i].host, rows[i].port) != rows[i].allowed)
            g_error("row %u: hub %s, globs %s: %s port %u should%s be allowed", i, rows[i].hub,
                    rows[i].globs ? rows[i].globs : "none", rows[i].host, rows[i].port,
                    rows[i].allowed ? "" : " not");
    }
}

static void
test_check(void)
{
    static const char *const good[] = {"",
                                       "a.example",
                                       "*.a.example,b",
                                       "10.0.0.1 ::1\tfd00::*",
                                       "a_b-c.example",
                                       "a.example:1 [::1]:65535"};
    static const char *const bad[] = {"https://a.example",
                                      "a.example/x",
                                      "[::1]",
                                      "a@b",
                                      "a;b",
                                      "\xc3\xa9.example",
                                      "a%b",
                                      "a:0",
                                      "a:65536",
                                      "a:",
                                      ":443",
                                      "a:443x",
                                      "[::1]:",
                                      "[]:443",
                                      "[::1:443"};
    g_autoptr(GString) many = g_string_new("");
    g_autofree char *longest = g_strnfill(STREAM_HOSTS_TEXT_MAX, ' ');
    g_autofree char *longer = g_strnfill(STREAM_HOSTS_TEXT_MAX + 1, ' ');

    g_assert_true(stream_hosts_check(NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(stream_hosts_check(good[i], NULL));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(stream_hosts_check(bad[i], &error));
        g_assert_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID);
    }
    for (guint i = 0; i < STREAM_HOSTS_GLOBS_MAX; i++)
        g_string_append(many, "a ");
    g_assert_true(stream_hosts_check(many->str, NULL));
    g_string_append(many, "a");
    g_assert_false(stream_hosts_check(many->str, NULL));
    g_assert_true(stream_hosts_check(longest, NULL));
    g_assert_false(stream_hosts_check(longer, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-hosts/table", test_table);
    g_test_add_func("/stream-hosts/check", test_check);
    return g_test_run();
}
