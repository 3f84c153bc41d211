/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/base/state.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/extension/statement.h"
#include "hub/base/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
state_give(const char *state_dir, const char *path, GError **error)
{
    struct stat info;

    if (geteuid() != 0 || stat(state_dir, &info) < 0 || info.st_uid == 0)
        return TRUE;
    return lchown(path, info.st_uid, info.st_gid) == 0 || file_error_set(path, errno, error);
}

int
state_lock(const char *state_dir, GError **error)
{
    int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int number;

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    number = errno;
    if (fd >= 0)
        close(fd);
    if (number == EWOULDBLOCK)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_EXISTS, "%s: another streamhub serves it",
                    state_dir);
    else
        (void)file_error_set(state_dir, number, error);
    return -1;
}

char *
state_read_statement(const char *state_dir, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(state_dir, name, NULL);
    char *text = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    text = file_read(path, STATEMENT_MAX, NULL, &error);
    if (!text)
        g_warning("What the authority tells is not passed on: %s", error->message);
    return text;
}
