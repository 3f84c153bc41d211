/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net/socket-state.h"

#include <linux/sockios.h>
#include <linux/tcp.h> /* its struct tcp_info has more fields than the C library's */
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static guint64
ask(int fd, unsigned long what)
{
    int value = 0;

    return ioctl(fd, what, &value) == 0 ? (guint64)MAX(value, 0) : 0;
}

void
socket_state_look(int fd, SocketState *ret)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    guint64 outstanding = ask(fd, SIOCOUTQ);

    *ret = (SocketState){.unread = ask(fd, SIOCINQ), .unsent = ask(fd, SIOCOUTQNSD)};
    ret->unacked = outstanding - MIN(outstanding, ret->unsent);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return;
    ret->is_tcp = TRUE;
    ret->window = info.tcpi_snd_wnd;
    ret->rtt = info.tcpi_rtt;
    ret->retransmits = info.tcpi_retransmits;
    ret->probes = info.tcpi_probes;
}

void
socket_state_report(const SocketState *state, const Report *report)
{
    report->number("unread", state->unread, report->data);
    report->number("unsent", state->unsent, report->data);
    report->number("unacknowledged", state->unacked, report->data);
    if (!state->is_tcp)
        return;
    report->number("window", state->window, report->data);
    report->number("rtt", state->rtt, report->data);
    report->number("retransmits", state->retransmits, report->data);
    report->number("probes", state->probes, report->data);
}
