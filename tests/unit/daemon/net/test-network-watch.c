/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/network-watch.h"

#include <linux/rtnetlink.h>
#include <string.h>

typedef struct {
    struct nlmsghdr header;
    struct ifaddrmsg address;
    struct rtattr attribute;
    struct ifa_cacheinfo info;
} AddressNews;

static AddressNews
address_news(guint16 type, guint8 scope, guint32 age)
{
    return (AddressNews){
        .header = {.nlmsg_len = sizeof(AddressNews), .nlmsg_type = type},
        .address = {.ifa_family = 2, .ifa_scope = scope},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(struct ifa_cacheinfo)),
                      .rta_type = IFA_CACHEINFO},
        .info = {.cstamp = 1000, .tstamp = 1000 + age},
    };
}

static void
test_addresses(void)
{
    static const struct {
        guint16 type;
        guint8 scope;
        guint32 age;
        gboolean matters;
    } rows[] = {
        {RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0, TRUE},      {RTM_NEWADDR, RT_SCOPE_UNIVERSE, 100, TRUE},
        {RTM_NEWADDR, RT_SCOPE_UNIVERSE, 60000, FALSE}, /* renewed by DHCP or a router */
        {RTM_DELADDR, RT_SCOPE_UNIVERSE, 60000, TRUE},  {RTM_NEWADDR, RT_SCOPE_LINK, 0, FALSE},
        {RTM_NEWADDR, RT_SCOPE_HOST, 0, FALSE},         {RTM_NEWLINK, RT_SCOPE_UNIVERSE, 0, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        AddressNews news = address_news(rows[i].type, rows[i].scope, rows[i].age);

        g_assert_cmpint(network_message_matters(&news, sizeof news), ==, rows[i].matters);
    }
}

static void
test_routes(void)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
    } news = {
        .header = {.nlmsg_len = sizeof news, .nlmsg_type = RTM_NEWROUTE},
        .route = {.rtm_family = 2, .rtm_type = RTN_UNICAST},
    };

    g_assert_true(network_message_matters(&news, sizeof news));
    news.header.nlmsg_type = RTM_DELROUTE;
    g_assert_true(network_message_matters(&news, sizeof news));
    news.route.rtm_dst_len = 24;
    g_assert_false(network_message_matters(&news, sizeof news));
}

/* Each of several messages is looked at, and none beyond its end. */
static void
test_lengths(void)
{
    AddressNews news[2] = {address_news(RTM_NEWADDR, RT_SCOPE_HOST, 0),
                           address_news(RTM_NEWADDR, RT_SCOPE_UNIVERSE, 0)};

    g_assert_true(network_message_matters(news, sizeof news));
    g_assert_false(network_message_matters(news, sizeof news[0]));
    for (gsize len = 0; len < sizeof news; len++) {
        g_autofree guint8 *copy = g_memdup2(news, len);

        g_assert_false(network_message_matters(copy, len));
    }
    for (guint32 len = 0; len < sizeof(struct nlmsghdr); len++) {
        news[0].header.nlmsg_len = len;
        g_assert_false(network_message_matters(news, sizeof news));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network-watch/addresses", test_addresses);
    g_test_add_func("/network-watch/routes", test_routes);
    g_test_add_func("/network-watch/lengths", test_lengths);
    return g_test_run();
}
