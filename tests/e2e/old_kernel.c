/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded by a test: the kernel is one before Linux 6.17. Of a TCP socket that its process has
 * closed it says UID 0. */
#include <dlfcn.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

static ssize_t
forget_uid(void *buffer, ssize_t len)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_msg message;
    } answer;

    if (len < (ssize_t)sizeof answer)
        return len;
    memcpy(&answer, buffer, sizeof answer);
    if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || answer.message.idiag_inode != 0)
        return len;
    answer.message.idiag_uid = 0;
    memcpy(buffer, &answer, sizeof answer);
    return len;
}

static int
is_netlink(int fd)
{
    int domain = 0;
    socklen_t len = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK;
}

ssize_t
recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *from_len)
{
    ssize_t (*real)(int, void *, size_t, int, struct sockaddr *, socklen_t *) =
        dlsym(RTLD_NEXT, "recvfrom");
    ssize_t len = real(fd, buffer, size, flags, from, from_len);

    return is_netlink(fd) ? forget_uid(buffer, len) : len;
}

/* What a fortified program calls. */
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                       struct sockaddr *from, socklen_t *from_len);

ssize_t
__recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags, struct sockaddr *from,
               socklen_t *from_len)
{
    (void)room;
    return recvfrom(fd, buffer, size, flags, from, from_len);
}
