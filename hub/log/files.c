/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/log/files.h"

#include "common/base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX "records-"
#define SUFFIX ".jsonl"
#define DIGITS 10

guint64
log_file_number(const char *name)
{
    guint64 number = 0;

    if (strcmp(name, LOG_FILE_CURRENT) == 0)
        return LOG_NUMBER_CURRENT;
    if (!g_str_has_prefix(name, PREFIX))
        return 0;
    name += strlen(PREFIX);
    for (guint i = 0; i < DIGITS; i++) {
        if (!g_ascii_isdigit(name[i]))
            return 0;
        number = number * 10 + (guint64)(name[i] - '0');
    }
    return strcmp(name + DIGITS, SUFFIX) == 0 ? number : 0;
}

char *
log_file_name(guint64 number)
{
    if (number == LOG_NUMBER_CURRENT)
        return g_strdup(LOG_FILE_CURRENT);
    return g_strdup_printf(PREFIX "%0*" G_GUINT64_FORMAT SUFFIX, DIGITS, number);
}

void
log_files_fail(const char *path, int number, GError **error)
{
    StreamdError code = number == ENOENT                      ? STREAMD_ERROR_NOT_FOUND
                        : number == EACCES || number == EPERM ? STREAMD_ERROR_DENIED
                                                              : STREAMD_ERROR_FAILED;

    g_set_error(error, STREAMD_ERROR, (int)code, "%s: %s", path, g_strerror(number));
}

static int
compare(const void *one, const void *other)
{
    guint64 a = ((const LogFile *)one)->number, b = ((const LogFile *)other)->number;

    return a < b ? -1 : a > b;
}

/* A file that is renamed while the folder is read may be seen under both names, or under the new
 * one alone: each is asked for what it is. */
static gboolean
has_inode(const GArray *files, const struct stat *about)
{
    for (guint i = 0; i < files->len; i++)
        if (g_array_index(files, LogFile, i).inode == about->st_ino &&
            g_array_index(files, LogFile, i).device == about->st_dev)
            return TRUE;
    return FALSE;
}

static void
add_file(GArray *files, const char *folder, const char *name)
{
    guint64 number = log_file_number(name);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat about;

    if (number == 0 || lstat(path, &about) < 0 || !S_ISREG(about.st_mode) ||
        has_inode(files, &about))
        return;
    g_array_append_val(files, ((LogFile){.number = number,
                                         .inode = about.st_ino,
                                         .device = about.st_dev,
                                         .size = (guint64)about.st_size}));
}

GArray *
log_files_list(const char *folder, GError **error)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(LogFile));
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &cause);
    const char *name;
    struct stat about;

    if (!dir) {
        int number = stat(folder, &about) < 0 ? errno : EACCES;

        log_files_fail(folder, number, error);
        return NULL;
    }
    /* The current one last: when it is renamed meanwhile, it is seen as what it has become or not
     * at all, and whoever comes to the end of the others looks again. */
    while ((name = g_dir_read_name(dir)) != NULL)
        if (strcmp(name, LOG_FILE_CURRENT) != 0)
            add_file(files, folder, name);
    add_file(files, folder, LOG_FILE_CURRENT);
    g_array_sort(files, compare);
    return g_steal_pointer(&files);
}
