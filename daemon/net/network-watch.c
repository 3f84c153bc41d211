/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net/network-watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define READS_PER_TURN 16
#define MESSAGE_MAX 32768

/* An address that is older than this when the message comes was renewed, and is not new; in the
 * kernel's hundredths of a second. */
#define ADDRESS_IS_NEW 500

struct NetworkWatch {
    int netlink, timer;
    guint netlink_source, timer_source;
    guint settle;
    gint64 told_at;
    gint64 slept; /* µs asleep since boot, when last checked */
    NetworkChanged changed;
    void *data;
};

/* The first attribute of TYPE in the LEN bytes from AT on; NULL when there is none. */
static const struct rtattr *
attribute_find(const guint8 *at, gsize len, unsigned short type)
{
    while (len >= sizeof(struct rtattr)) {
        const struct rtattr *attribute = (const void *)at;
        gsize step = RTA_ALIGN((gsize)attribute->rta_len);

        if (attribute->rta_len < sizeof *attribute || attribute->rta_len > len)
            return NULL;
        if (attribute->rta_type == type)
            return attribute;
        step = MIN(step, len);
        at += step;
        len -= step;
    }
    return NULL;
}

static gboolean
address_matters(const struct nlmsghdr *header)
{
    const struct ifaddrmsg *address = NLMSG_DATA(header);
    const gsize before = NLMSG_LENGTH(sizeof *address);
    const struct rtattr *found;
    struct ifa_cacheinfo info;

    if (header->nlmsg_len < before || address->ifa_scope >= RT_SCOPE_LINK)
        return FALSE;
    found =
        attribute_find((const guint8 *)header + before, header->nlmsg_len - before, IFA_CACHEINFO);
    if (header->nlmsg_type == RTM_DELADDR || !found || found->rta_len < RTA_LENGTH(sizeof info))
        return TRUE;
    memcpy(&info, RTA_DATA(found), sizeof info);
    return info.tstamp - info.cstamp < ADDRESS_IS_NEW;
}

static gboolean
route_matters(const struct nlmsghdr *header)
{
    const struct rtmsg *route = NLMSG_DATA(header);

    return header->nlmsg_len >= NLMSG_LENGTH(sizeof *route) && route->rtm_dst_len == 0 &&
           route->rtm_type == RTN_UNICAST;
}

static gboolean
header_matters(const struct nlmsghdr *header)
{
    switch (header->nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return address_matters(header);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return route_matters(header);
    default:
        return FALSE;
    }
}

gboolean
network_message_matters(const void *message, gsize len)
{
    const guint8 *at = message;

    while (len >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *header = (const void *)at;
        gsize step;

        if (header->nlmsg_len < sizeof *header || header->nlmsg_len > len)
            return FALSE;
        if (header_matters(header))
            return TRUE;
        step = MIN(NLMSG_ALIGN((gsize)header->nlmsg_len), len);
        at += step;
        len -= step;
    }
    return FALSE;
}

static void
watch_tell(NetworkWatch *watch)
{
    if (watch->settle)
        g_source_remove(watch->settle);
    watch->settle = 0;
    watch->told_at = g_get_monotonic_time();
    watch->changed(watch->data);
}

static gboolean
watch_settled(gpointer data)
{
    NetworkWatch *watch = data;

    watch->settle = 0;
    g_debug("the network has changed");
    watch_tell(watch);
    return G_SOURCE_REMOVE;
}

static void
watch_note(NetworkWatch *watch)
{
    gint64 gap = watch->told_at + NETWORK_GAP - g_get_monotonic_time();

    if (watch->settle)
        return;
    watch->settle = g_timeout_add((guint)MAX(gap / 1000, NETWORK_SETTLE), watch_settled, watch);
}

static gboolean
watch_read(gint fd, GIOCondition condition, gpointer data)
{
    NetworkWatch *watch = data;
    g_autofree guint8 *message = g_malloc(MESSAGE_MAX);

    for (guint i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = recv(fd, message, MESSAGE_MAX, MSG_DONTWAIT);

        /* ENOBUFS: messages were lost, so it may have mattered. */
        if ((n > 0 && network_message_matters(message, (gsize)n)) || (n < 0 && errno == ENOBUFS))
            watch_note(watch);
        else if (n <= 0)
            break;
    }
    return G_SOURCE_CONTINUE;
}

static gint64
clock_usec(clockid_t clock)
{
    struct timespec now = {0};

    (void)clock_gettime(clock, &now);
    return now.tv_sec * G_TIME_SPAN_SECOND + now.tv_nsec / 1000;
}

/* How long the machine has slept since boot. */
static gint64
time_slept(void)
{
    return clock_usec(CLOCK_BOOTTIME) - clock_usec(CLOCK_MONOTONIC);
}

static gboolean
watch_tick(gint fd, GIOCondition condition, gpointer data)
{
    NetworkWatch *watch = data;
    gint64 slept = time_slept();
    guint64 ticks;

    if (read(fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN && errno != EINTR)
        return G_SOURCE_CONTINUE;
    if (slept - watch->slept >= NETWORK_SLEEP_LEAST) {
        g_debug("awake after %d s", (int)((slept - watch->slept) / G_TIME_SPAN_SECOND));
        watch_tell(watch);
    }
    watch->slept = slept;
    return G_SOURCE_CONTINUE;
}

static void
watch_open_netlink(NetworkWatch *watch)
{
    const struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups =
            RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
    };

    watch->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (watch->netlink < 0 ||
        bind(watch->netlink, (const struct sockaddr *)&address, sizeof address) < 0) {
        g_debug("cannot watch for changes of the network: %s", g_strerror(errno));
        return;
    }
    watch->netlink_source = g_unix_fd_add(watch->netlink, G_IO_IN, watch_read, watch);
}

static void
watch_open_timer(NetworkWatch *watch)
{
    const struct itimerspec every = {{NETWORK_SLEEP_TICK, 0}, {NETWORK_SLEEP_TICK, 0}};

    watch->slept = time_slept();
    watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (watch->timer < 0 || timerfd_settime(watch->timer, 0, &every, NULL) < 0) {
        g_debug("cannot watch for the machine's sleep: %s", g_strerror(errno));
        return;
    }
    watch->timer_source = g_unix_fd_add(watch->timer, G_IO_IN, watch_tick, watch);
}

NetworkWatch *
network_watch_new(NetworkChanged changed, void *data)
{
    NetworkWatch *watch = g_new0(NetworkWatch, 1);

    watch->changed = changed;
    watch->data = data;
    watch_open_netlink(watch);
    watch_open_timer(watch);
    return watch;
}

void
network_watch_free(NetworkWatch *watch)
{
    if (!watch)
        return;
    if (watch->settle)
        g_source_remove(watch->settle);
    if (watch->netlink_source)
        g_source_remove(watch->netlink_source);
    if (watch->timer_source)
        g_source_remove(watch->timer_source);
    if (watch->netlink >= 0)
        close(watch->netlink);
    if (watch->timer >= 0)
        close(watch->timer);
    g_free(watch);
}
