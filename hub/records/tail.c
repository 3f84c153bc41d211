/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/records/tail.h"

#include "hub/base/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_READ 512 /* bytes; a record of a new file is shorter */
#define NUMBER_MEMBER "\"number\":"

/* All LEN bytes: they are in the file. */
static gboolean
read_at(int fd, char *ret, gsize len, off_t from)
{
    gsize read = 0;

    while (read < len) {
        ssize_t n = pread(fd, ret + read, len - read, from + (off_t)read);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : EIO;
            return FALSE;
        }
        read += (gsize)n;
    }
    return TRUE;
}

gboolean
tail_read(int fd, ChainTail *ret, guint64 *ret_size)
{
    g_autofree char *text = g_malloc0(CHAIN_TAIL_READ + 1);
    struct stat info;
    gsize len;

    if (fstat(fd, &info) < 0)
        return FALSE;
    len = (gsize)MIN(info.st_size, CHAIN_TAIL_READ);
    if (!read_at(fd, text, len, info.st_size - (off_t)len))
        return FALSE;
    *ret = chain_tail(text, len);
    *ret_size = (guint64)info.st_size;
    return TRUE;
}

gboolean
tail_read_path(const char *path, Chain *ret, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ChainTail tail = {.chain = {CHAIN_NONE}};
    guint64 size;
    int number = fd < 0 ? errno : tail_read(fd, &tail, &size) ? 0 : errno;

    if (fd >= 0)
        close(fd);
    if (number != 0 && !(fd < 0 && number == ENOENT))
        return file_error_set(path, number, error);
    *ret = tail.chain;
    return TRUE;
}

gboolean
tail_read_number(int fd, guint64 *ret)
{
    char text[FIRST_READ + 1] = "";
    ssize_t len = pread(fd, text, FIRST_READ, 0);
    const char *member = NULL;

    if (len < 0)
        return FALSE;
    text[len] = '\0';
    *strchrnul(text, '\n') = '\0';
    if (strstr(text, "\"operationName\":\"file\"") || strstr(text, "\"operationName\":\"start\""))
        member = strstr(text, NUMBER_MEMBER);
    *ret = member ? g_ascii_strtoull(member + strlen(NUMBER_MEMBER), NULL, 10) : 0;
    return TRUE;
}
