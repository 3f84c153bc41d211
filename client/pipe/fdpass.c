/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/pipe/fdpass.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

gboolean
fdpass_is_possible(int fd)
{
    struct sockaddr_un peer;
    socklen_t peer_size = sizeof peer, domain_size = sizeof(int);
    int domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 && domain == AF_UNIX &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0;
}

int
fdpass_send(int socket, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char zero = '\0';
    struct iovec part = {.iov_base = &zero, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    struct pollfd ready = {.fd = socket, .events = POLLOUT};

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
        (void)poll(&ready, 1, -1);
    }
    return 0;
}
